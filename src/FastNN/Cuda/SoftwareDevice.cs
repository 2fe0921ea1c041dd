using System.Runtime.InteropServices;
using System.Text;
using FastNN.Kernels;

namespace FastNN.Cuda;

/// <summary>
/// What the software CUDA device (native/softcuda) tells beyond CUDA: settings, findings, counters. Its libcuda.so.1 has these symbols;
/// NVIDIA's has not.
/// </summary>
internal sealed unsafe class SoftwareDevice
{
    private readonly delegate* unmanaged<byte*, byte*, int> _set;
    private readonly delegate* unmanaged<nuint> _findings;
    private readonly delegate* unmanaged<byte*, nuint, nuint> _findingText;
    private readonly delegate* unmanaged<void> _clearFindings;
    private readonly delegate* unmanaged<byte*, nuint, nuint> _counters;
    private readonly delegate* unmanaged<void> _resetCounters;

    private SoftwareDevice(nint library)
    {
        _set = (delegate* unmanaged<byte*, byte*, int>)Export(library, "softcudaSet");
        _findings = (delegate* unmanaged<nuint>)Export(library, "softcudaFindings");
        _findingText = (delegate* unmanaged<byte*, nuint, nuint>)Export(library, "softcudaFindingText");
        _clearFindings = (delegate* unmanaged<void>)Export(library, "softcudaClearFindings");
        _counters = (delegate* unmanaged<byte*, nuint, nuint>)Export(library, "softcudaCounters");
        _resetCounters = (delegate* unmanaged<void>)Export(library, "softcudaResetCounters");
        // A device built before there were these is neither newer nor disguised.
        Version = NativeLibrary.TryGetExport(library, "softcudaVersion", out nint version) ? ((delegate* unmanaged<int>)version)() : 1;
        IsDisguised = NativeLibrary.TryGetExport(library, "softcudaDisguised", out nint disguised) && ((delegate* unmanaged<int>)disguised)() != 0;
    }

    /// <summary>Raised when tests come to need something new of the device.</summary>
    public int Version { get; }

    /// <summary>Whether SOFTCUDA_DISGUISE=1, so that what distinguishes real GPUs is done as on one.</summary>
    public bool IsDisguised { get; }

    /// <summary>Things that kernels and copies did that they may not, since the last <see cref="ClearFindings"/>.</summary>
    public long Findings => (long)_findings();

    /// <summary>The instrument behind the driver that is loaded; null where that is NVIDIA's or wants to be taken for it, or none.</summary>
    public static SoftwareDevice? Find() => FindInstrument() is { IsDisguised: false } device ? device : null;

    /// <summary>The same behind a disguise: for tests that, on what looks like a GPU, still want to know what the checks found.</summary>
    public static SoftwareDevice? FindInstrument() =>
        CudaLibraries.TryLoad(CudaLibraries.Driver, out nint library, out _) && NativeLibrary.TryGetExport(library, "softcudaSet", out _)
            ? new SoftwareDevice(library)
            : null;

    /// <summary>The instrument behind a device; null where that is no software.</summary>
    public static SoftwareDevice? Of(IDevice device) => device is CudaDevice { IsSoftware: true } ? Find() : null;

    /// <summary>One finding a line.</summary>
    public string FindingText() => Text(_findingText);

    public void ClearFindings() => _clearFindings();

    /// <summary>Counts of kernels, calls and copies since the last <see cref="ResetCounters"/>, as JSON.</summary>
    public string Counters() => Text(_counters);

    public DeviceCounts Counts() => DeviceCounts.Parse(Counters());

    public void ResetCounters() => _resetCounters();

    /// <summary>Changes what an environment variable set at start, such as SOFTCUDA_FAIL or SOFTCUDA_MEMORY; false where it does not take it.</summary>
    public bool Set(string name, string value)
    {
        fixed (byte* nameText = Encoding.UTF8.GetBytes(name + '\0'))
        fixed (byte* valueText = Encoding.UTF8.GetBytes(value + '\0'))
        {
            return _set(nameText, valueText) == 0;
        }
    }

    private static string Text(delegate* unmanaged<byte*, nuint, nuint> read)
    {
        byte[] text = [];
        // Another thread may make it longer between the question and the answer.
        for (nuint needed = read(null, 0); needed > (nuint)text.Length;)
        {
            text = new byte[needed];
            fixed (byte* start = text)
            {
                needed = read(start, (nuint)text.Length);
            }
        }

        int end = Array.IndexOf(text, (byte)0);
        return Encoding.UTF8.GetString(text, 0, end < 0 ? text.Length : end);
    }

    private static nint Export(nint library, string name) => NativeLibrary.TryGetExport(library, name, out nint address)
        ? address
        : throw new DeviceException($"cuda: the software CUDA device lacks {name}; it is of another build than this FastNN.");
}
