using System.Runtime.InteropServices;
using System.Text;
using FastNN.Cuda;
using FastNN.Kernels;

namespace FastNN.Cli;

/// <summary>
/// What the software CUDA device (native/softcuda) tells beyond CUDA: settings, findings, counters. Its libcuda.so.1 has these
/// symbols; NVIDIA's has not.
/// </summary>
internal sealed class SoftwareDevice
{
    private readonly SetFunction _set;
    private readonly NumberFunction _findings;
    private readonly TextFunction _findingText;
    private readonly Action _clearFindings;
    private readonly TextFunction _counters;
    private readonly Action _resetCounters;

    private SoftwareDevice(nint library)
    {
        _set = Export<SetFunction>(library, "softcudaSet");
        _findings = Export<NumberFunction>(library, "softcudaFindings");
        _findingText = Export<TextFunction>(library, "softcudaFindingText");
        _clearFindings = Export<CallFunction>(library, "softcudaClearFindings").Invoke;
        _counters = Export<TextFunction>(library, "softcudaCounters");
        _resetCounters = Export<CallFunction>(library, "softcudaResetCounters").Invoke;
        // A device built before there were these is neither newer nor disguised.
        Version = NativeLibrary.TryGetExport(library, "softcudaVersion", out _)
            ? Export<FlagFunction>(library, "softcudaVersion")()
            : 1;
    }

    private delegate int SetFunction(byte[] name, byte[] value);

    private delegate nuint NumberFunction();

    private delegate nuint TextFunction(byte[]? text, nuint length);

    private delegate void CallFunction();

    private delegate int FlagFunction();

    /// <summary>Raised when tests come to need something new of the device.</summary>
    public int Version { get; }

    /// <summary>Things that kernels and copies did that they may not, since the last <see cref="ClearFindings"/>.</summary>
    public long Findings => (long)_findings();

    /// <summary>
    /// The instrument behind the driver that is loaded; null where that is NVIDIA's or wants to be taken for it, or none.
    /// </summary>
    public static SoftwareDevice? Find() => CudaLibraries.IsSoftwareDriver ? FindInstrument() : null;

    /// <summary>
    /// The same behind a disguise: for tests that, on what looks like a GPU, still want to know what the checks found.
    /// </summary>
    public static SoftwareDevice? FindInstrument() =>
        CudaLibraries.TryLoad(CudaLibraries.Driver, out nint library, out _)
            && NativeLibrary.TryGetExport(library, "softcudaSet", out _)
            ? new SoftwareDevice(library)
            : null;

    /// <summary>The instrument behind a device; null where that is not software.</summary>
    public static SoftwareDevice? Of(IDevice device) => device is CudaDevice { IsSoftware: true } ? Find() : null;

    /// <summary>One finding a line.</summary>
    public string FindingText() => Text(_findingText);

    public void ClearFindings() => _clearFindings();

    /// <summary>Counts of kernels, calls and copies since the last <see cref="ResetCounters"/>, as JSON.</summary>
    public string Counters() => Text(_counters);

    public DeviceCounts Counts() => DeviceCounts.Parse(Counters());

    public void ResetCounters() => _resetCounters();

    /// <summary>
    /// Changes what an environment variable set at start, such as SOFTCUDA_FAIL or SOFTCUDA_MEMORY; false where it does not take
    /// it.
    /// </summary>
    public bool Set(string name, string value)
    {
        return _set(Encoding.UTF8.GetBytes(name + '\0'), Encoding.UTF8.GetBytes(value + '\0')) == 0;
    }

    private static string Text(TextFunction read)
    {
        byte[] text = [];
        // Another thread may make it longer between the question and the answer.
        for (nuint needed = read(null, 0); needed > (nuint)text.Length;)
        {
            text = new byte[needed];
            needed = read(text, (nuint)text.Length);
        }

        int end = Array.IndexOf(text, (byte)0);
        return Encoding.UTF8.GetString(text, 0, end < 0 ? text.Length : end);
    }

    private static TFunction Export<TFunction>(nint library, string name)
        where TFunction : Delegate =>
        NativeLibrary.TryGetExport(library, name, out nint address)
            ? Marshal.GetDelegateForFunctionPointer<TFunction>(address)
            : throw new DeviceException($"cuda: the software CUDA device lacks {name}; it is of another build than this FastNN.");
}
