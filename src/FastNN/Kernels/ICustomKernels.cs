using FastNN.Tensors;

namespace FastNN.Kernels;

/// <summary>
/// What operators that users write need of a device: their tensors on the host, or kernels of their own on a GPU.
/// </summary>
internal interface ICustomKernels
{
    /// <summary>Whether addresses of tensors are host memory.</summary>
    bool TensorsAreOnHost { get; }

    /// <summary>Copies host memory into a tensor; the lengths agree. The source may be changed as soon as this returns.</summary>
    void Upload(ReadOnlySpan<byte> source, Tensor destination);

    /// <summary>Copies a tensor's first bytes into host memory, after everything launched before.</summary>
    void Download(Tensor source, Span<byte> destination);

    /// <summary>Launches a kernel of a user's own PTX.</summary>
    /// <param name="ptx">The module; the same text is loaded once.</param>
    /// <param name="kernel">The name of an entry.</param>
    /// <param name="blocks">Blocks along x.</param>
    /// <param name="threads">Threads of a block.</param>
    /// <param name="sharedBytes">Dynamic shared memory of a block.</param>
    /// <param name="values">One number per parameter, in the low bytes.</param>
    /// <param name="sizes">The bytes of each parameter, which must be those that the PTX declares.</param>
    /// <exception cref="DeviceException">The PTX has no kernel of this name, or its parameters differ.</exception>
    void LaunchCustom(
        string ptx, string kernel, int blocks, int threads, int sharedBytes, ReadOnlySpan<long> values, ReadOnlySpan<int> sizes);
}
