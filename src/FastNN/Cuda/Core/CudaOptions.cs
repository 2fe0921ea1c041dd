namespace FastNN;

/// <summary>How a GPU is used.</summary>
public sealed record CudaOptions
{
    /// <summary>
    /// The most device memory to take, in bytes; 0 (default) takes what there is. What goes beyond fails with DeviceException.
    /// </summary>
    public long MemoryLimit { get; init; }

    /// <summary>
    /// Whether cuDNN computes convolutions where it is installed. Default true; without it FastNN's own kernels do.
    /// </summary>
    public bool UseCudnn { get; init; } = true;

    /// <summary>
    /// Whether cuBLAS and cuDNN may round the factors of products to TF32 (10 of float32's 23 bits of fraction), which tensor
    /// cores multiply several times faster. Sums stay float32. Default false: results then agree with the CPU's to 1e-5; with it
    /// a sum of products is within 2e-3 of the sum of their magnitudes. FastNN's own kernels stay in float32, and the same call
    /// gives the same bits in every run either way.
    /// </summary>
    public bool AllowTF32 { get; init; }
}
