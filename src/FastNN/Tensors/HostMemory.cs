using System.Runtime.InteropServices;

namespace FastNN.Tensors;

/// <summary>
/// Every native block of the library: aligned to 64 bytes (a cache line, and the widest vector), counted, so that tests can
/// see that each one came back.
/// </summary>
internal static unsafe class HostMemory
{
    public const int Alignment = 64;

    // The size of a block stands in the line before it, so that Free needs no second argument and the bytes stay exact.
    private const int Header = Alignment;

    private static long liveBlocks;
    private static long liveBytes;

    public static long LiveBlocks => Interlocked.Read(ref liveBlocks);

    public static long LiveBytes => Interlocked.Read(ref liveBytes);

    /// <summary>Takes a block of native memory; a size of zero still gives an address of its own.</summary>
    /// <exception cref="ArgumentOutOfRangeException">A negative size, or one that no address space holds.</exception>
    /// <exception cref="OutOfMemoryException">The memory cannot be allocated.</exception>
    public static byte* Allocate(long bytes, bool clear)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(bytes);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(bytes, nint.MaxValue - (2 * Header));

        // Rounded up to whole lines, so that a block never shares its last line with another thread's block.
        long rounded = Rounded(bytes);
        bool isLarge = LargeBlocks.Has(rounded + Header);
        byte* raw = isLarge
            ? LargeBlocks.Allocate(rounded + Header)
            : (byte*)NativeMemory.AlignedAlloc((nuint)(rounded + Header), Alignment);
        HugePages.Advise(raw, rounded + Header);
        *(long*)raw = bytes;
        byte* block = raw + Header;
        if (clear && !isLarge)
        {
            NativeMemory.Clear(block, (nuint)rounded);
        }
        else if (!clear && DebugChecks.Enabled)
        {
            NativeMemory.Fill(block, (nuint)rounded, DebugChecks.Poison);
        }

        Interlocked.Increment(ref liveBlocks);
        Interlocked.Add(ref liveBytes, bytes);
        return block;
    }

    /// <summary>The size that a block was asked for with.</summary>
    public static long BytesOf(void* block) => *(long*)((byte*)block - Header);

    /// <summary>Gives a block back; null is allowed.</summary>
    public static void Free(void* block)
    {
        if (block == null)
        {
            return;
        }

        if (DebugChecks.Enabled)
        {
            NativeMemory.Fill(block, (nuint)BytesOf(block), DebugChecks.Poison);
        }

        byte* raw = (byte*)block - Header;
        long bytes = BytesOf(block), whole = Rounded(bytes) + Header;
        Interlocked.Add(ref liveBytes, -bytes);
        Interlocked.Decrement(ref liveBlocks);
        if (LargeBlocks.Has(whole))
        {
            LargeBlocks.Free(raw, whole);
        }
        else
        {
            NativeMemory.AlignedFree(raw);
        }
    }

    private static long Rounded(long bytes) => (bytes + Alignment - 1) & ~(long)(Alignment - 1);
}
