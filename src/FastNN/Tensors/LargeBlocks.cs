using System.Runtime.InteropServices;

namespace FastNN.Tensors;

/// <summary>
/// Large blocks straight from Linux, to which they go back when they are freed. The C library's allocator keeps freed blocks in
/// an arena of the thread that asked for them: a service that reloads models on any of the pool's threads came to hold some
/// models' worth of memory in each of them.
/// </summary>
internal static unsafe partial class LargeBlocks
{
    /// <summary>Bytes from which a block is large: what that allocator takes for large at first.</summary>
    public const long Least = 128 << 10;

    private const int ReadAndWrite = 3; // PROT_READ | PROT_WRITE
    private const int PrivateMemory = 0x22; // MAP_PRIVATE | MAP_ANONYMOUS

    /// <summary>Whether blocks of a size come from here; the same for as long as the process runs.</summary>
    public static bool Has(long bytes) => bytes >= Least && IsAvailable;

    private static bool IsAvailable { get; } = OperatingSystem.IsLinux() && Try();

    /// <summary>Takes zeros, at the start of a page.</summary>
    /// <exception cref="OutOfMemoryException">The memory cannot be allocated.</exception>
    public static byte* Allocate(long bytes)
    {
        void* block = mmap(null, (nuint)bytes, ReadAndWrite, PrivateMemory, -1, 0);
        return (nint)block == -1 ? throw new InsufficientMemoryException($"cannot allocate {bytes} bytes") : (byte*)block;
    }

    /// <summary>Gives back a block of as many bytes.</summary>
    public static void Free(void* block, long bytes) => _ = munmap(block, (nuint)bytes);

    private static bool Try()
    {
        try
        {
            Free(Allocate(Least), Least);
            return true;
        }
        catch (Exception e) when (e is DllNotFoundException or EntryPointNotFoundException or OutOfMemoryException)
        {
            return false;
        }
    }

    [LibraryImport("libc")]
    private static partial void* mmap(void* address, nuint bytes, int protection, int flags, int file, nint offset);

    [LibraryImport("libc")]
    private static partial int munmap(void* address, nuint bytes);
}
