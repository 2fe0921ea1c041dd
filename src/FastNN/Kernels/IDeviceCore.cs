using FastNN.Tensors;

namespace FastNN.Kernels;

/// <summary>What a device has besides kernels: its memory, its life, copies that overlap, and captured work.</summary>
internal interface IDeviceCore : IDisposable
{
    /// <summary>"cpu" or "cuda".</summary>
    string Kind { get; }

    /// <summary>One line for people: instruction set and threads, or the GPU's name.</summary>
    string Description { get; }

    /// <summary>What keeps the device from its full speed, one line each.</summary>
    IReadOnlyList<string> Warnings => [];

    /// <summary>Whether kernels read and write the process's own memory.</summary>
    bool IsHost => false;

    /// <summary>Worker threads of a CPU, 1 for a GPU.</summary>
    int Threads { get; }

    /// <summary>Floating-point operations in a second that all threads reach at most, measured now; 0 where that is not
    /// known.</summary>
    double MeasurePeak() => 0;

    DeviceMemory MemoryUse { get; }

    /// <summary>Calls that are inside the device, and what lives on it.</summary>
    DeviceLife Life { get; }

    /// <summary>Takes a block of memory, aligned to 64 bytes at least, and zeroed unless all of it will be written.</summary>
    /// <exception cref="DeviceException">The memory cannot be allocated; the message gives the size.</exception>
    nint Allocate(long bytes, bool clear = true);

    void Free(nint address);

    /// <summary>
    /// Frees a block from a finalizer, where no driver may be called: at once, or with the next call that allocates.
    /// </summary>
    void Abandon(nint address);

    /// <summary>The blocks in use; null but in debug mode.</summary>
    LiveBlocks? LiveBlocks { get; }

    /// <summary>
    /// Fills memory with NaN of every floating type, for debug mode. While work is captured it does nothing: it is not part of
    /// the work.
    /// </summary>
    void Poison(nint address, long bytes);

    /// <summary>What keeps memory of this device for later calls, and gives it back at <see cref="Trim"/>.</summary>
    TrimList Keepers { get; }

    /// <summary>Gives memory that is kept for later back: that of the <see cref="Keepers"/> and the device's own.</summary>
    void Trim();

    /// <summary>A way to read the same tensors again and again.</summary>
    IReadback CreateReadback(params ReadOnlySpan<Tensor> sources);

    /// <summary>
    /// A way to bring up to two batches of a tensor's bytes to the device while other work runs; null where that gains nothing.
    /// </summary>
    IFeed? CreateFeed(long bytes);

    /// <summary>
    /// Captures what the work launches, without running it, so that it can be repeated by one launch; null where that gains
    /// nothing. The same work must have run before, so that whatever it needs is loaded. It may neither upload, read nor
    /// allocate.
    /// </summary>
    ILaunchGraph? Capture(Action work);
}

/// <summary>Results on their way to the host.</summary>
internal interface IReadback : IDisposable
{
    /// <summary>Begins to copy all tensors, behind everything launched before.</summary>
    void Begin();

    /// <summary>
    /// The bytes of one tensor as of the last <see cref="Begin"/>, once they have arrived; valid until the next.
    /// </summary>
    ReadOnlySpan<byte> Read(int index);
}

/// <summary>Batches on their way to the device: first in, first out, two at most.</summary>
internal interface IFeed : IDisposable
{
    /// <summary>Begins to copy a batch, beside the work that runs. The source may be changed as soon as this returns.</summary>
    void Push(ReadOnlySpan<byte> source);

    /// <summary>Puts the oldest batch into the tensor, behind everything launched before; nothing waits on the host.</summary>
    void Pull(Tensor destination);
}

/// <summary>Captured work.</summary>
internal interface ILaunchGraph : IDisposable
{
    /// <summary>Kernels, library calls included, that one launch runs.</summary>
    int Kernels { get; }

    void Launch();
}
