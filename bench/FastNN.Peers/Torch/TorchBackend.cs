using System.Runtime.InteropServices;
using TorchSharp;

namespace FastNN.Peers;

/// <summary>Loading libtorch, and what is set once for all its contenders.</summary>
internal static class TorchBackend
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

        // Single operations must not be spread over a second pool beside the one that --threads sizes.
        torch.set_num_interop_threads(1);
        torch.random.manual_seed(1);
        return null;
    }

    public static void UseThreads(int threads) => torch.set_num_threads(threads);
}
