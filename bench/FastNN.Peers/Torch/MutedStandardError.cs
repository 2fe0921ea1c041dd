using System.Runtime.InteropServices;

namespace FastNN.Peers;

/// <summary>
/// Sends the process's standard error to nowhere until disposed. At every small convolution libtorch warns that its
/// NNPACK does not know the processor; on a terminal or in a file that line would cost as much as the convolution, and
/// would be charged to the peer. libtorch itself offers no switch outside Python.
/// </summary>
internal sealed partial class MutedStandardError : IDisposable
{
    private const int StandardError = 2;
    private const int WriteOnly = 1;
    private readonly int _saved = -1;

    public MutedStandardError()
    {
        if (OperatingSystem.IsWindows())
        {
            return;
        }

        _saved = Duplicate(StandardError);
        var nowhere = Open("/dev/null", WriteOnly);
        _ = Duplicate(nowhere, StandardError);
        _ = Close(nowhere);
    }

    public void Dispose()
    {
        if (_saved >= 0)
        {
            _ = Duplicate(_saved, StandardError);
            _ = Close(_saved);
        }
    }

    [LibraryImport("libc", EntryPoint = "dup")]
    private static partial int Duplicate(int descriptor);

    [LibraryImport("libc", EntryPoint = "dup2")]
    private static partial int Duplicate(int descriptor, int onto);

    [LibraryImport("libc", EntryPoint = "open", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Open(string path, int flags);

    [LibraryImport("libc", EntryPoint = "close")]
    private static partial int Close(int descriptor);
}
