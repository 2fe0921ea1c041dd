using System.Runtime.InteropServices;
using TorchSharp;

namespace FastNN.Peers;

/// <summary>Loading libtorch, and what is set once for all its contenders.</summary>
internal static partial class TorchBackend
{
    /// <summary>Null where libtorch loads, else why not, in one line.</summary>
    public static string? LoadFailure()
    {
        // Tried by hand first: TorchSharp's own loader answers a failure with a page of text and a copy of libtorch.
        var library = Path.Combine(
            AppContext.BaseDirectory, OperatingSystem.IsWindows() ? "LibTorchSharp.dll"
                : OperatingSystem.IsMacOS() ? "libLibTorchSharp.dylib" : "libLibTorchSharp.so");
        try
        {
            NativeLibrary.Load(library);
        }
        catch (DllNotFoundException failure)
        {
            var lines = failure.Message.Split('\n');
            return (lines.FirstOrDefault(line => line.Contains("not found", StringComparison.Ordinal)) ?? lines[0]).Trim();
        }

        KeepFreedMemory();
        // Single operations must not be spread over a second pool beside the one that --threads sizes.
        torch.set_num_interop_threads(1);
        torch.random.manual_seed(1);
        return null;
    }

    public static void UseThreads(int threads) => torch.set_num_threads(threads);

    /// <summary>
    /// libtorch frees its temporaries in each step. By default glibc hands the large ones back to the system and takes
    /// fresh, zeroed pages at the next step, which on a virtual machine was seen to cost twice the arithmetic. That would
    /// flatter FastNN, whose memory is planned once, so the allocator is told to keep what it has.
    /// </summary>
    private static void KeepFreedMemory()
    {
        const int trimThreshold = -1, topPad = -2, largestMapped = -4;
        try
        {
            _ = SetAllocator(largestMapped, 0);
            _ = SetAllocator(trimThreshold, int.MaxValue);
            _ = SetAllocator(topPad, 64 << 20);
        }
        catch (Exception missing) when (missing is DllNotFoundException or EntryPointNotFoundException)
        {
            // Another C library, with a policy of its own.
        }
    }

    [LibraryImport("libc", EntryPoint = "mallopt")]
    private static partial int SetAllocator(int parameter, int value);
}
