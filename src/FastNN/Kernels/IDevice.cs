using FastNN.Tensors;

namespace FastNN.Kernels;

/// <summary>A place to compute: kernels and the memory they work on.</summary>
internal interface IDevice : IKernels, IDisposable
{
    /// <summary>"cpu" or "cuda".</summary>
    string Kind { get; }

    /// <summary>One line for people: instruction set and threads, or the GPU's name.</summary>
    string Description { get; }

    /// <summary>Worker threads of a CPU, 1 for a GPU.</summary>
    int Threads { get; }

    /// <summary>Takes a block of zeroed memory, aligned to 64 bytes at least.</summary>
    /// <exception cref="DeviceException">The memory is not to be had; the message gives the size.</exception>
    nint Allocate(long bytes);

    void Free(nint address);

    /// <summary>Copies host memory into a tensor; the lengths agree.</summary>
    void Upload(ReadOnlySpan<byte> source, Tensor destination);

    /// <summary>Copies a tensor's first bytes into host memory, after everything launched before.</summary>
    void Download(Tensor source, Span<byte> destination);
}
