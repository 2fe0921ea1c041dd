namespace FastNN;

/// <summary>How a GPU is used.</summary>
public sealed record CudaOptions
{
    /// <summary>The most device memory to take, in bytes; 0 (default) takes what there is. What goes beyond fails with DeviceException.</summary>
    public long MemoryLimit { get; init; }

    /// <summary>Whether cuDNN computes convolutions where it is installed. Default true; without it FastNN's own kernels do.</summary>
    public bool UseCudnn { get; init; } = true;
}
