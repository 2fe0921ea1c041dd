using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace FastNN.Tensors;

/// <summary>
/// Asks Linux for pages of 2 MiB under large blocks: weights that a product reads once, row after row, wait for the translation
/// of addresses otherwise (a 4096 x 4096 matrix is 16,384 pages of 4 KiB). It is advice: where the system has none, or does not
/// listen, blocks are what they were.
/// </summary>
internal static unsafe partial class HugePages
{
    /// <summary>The size of such a page on x64, and on most arm64 systems.</summary>
    public const int Bytes = 2 << 20;

    private const int Advice = 14; // MADV_HUGEPAGE

    private static bool unavailable = !OperatingSystem.IsLinux();

    /// <summary>
    /// Advises for the whole pages inside a block that has not been touched. Those at its borders may hold a neighbor's bytes,
    /// and would make the block larger than it is.
    /// </summary>
    public static void Advise(void* block, long bytes)
    {
        nuint first = ((nuint)block + Bytes - 1) & ~(nuint)(Bytes - 1);
        nuint end = ((nuint)block + (nuint)bytes) & ~(nuint)(Bytes - 1);
        if (first < end && !unavailable)
        {
            Call(first, end - first);
        }
    }

    // On its own, so that small blocks do not bind the function.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void Call(nuint address, nuint bytes)
    {
        try
        {
            _ = madvise(address, bytes, Advice);
        }
        catch (Exception e) when (e is DllNotFoundException or EntryPointNotFoundException)
        {
            unavailable = true;
        }
    }

    [LibraryImport("libc")]
    private static partial int madvise(nuint address, nuint bytes, int advice);
}
