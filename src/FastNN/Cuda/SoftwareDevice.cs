using System.Runtime.InteropServices;
using System.Text;
using FastNN.Tensors;

namespace FastNN.Cuda;

/// <summary>
/// What the software CUDA device (native/softcuda) tells beyond CUDA: settings, findings, counters. Whoever loaded its libcuda.so.1 has
/// these symbols; NVIDIA's has not.
/// </summary>
internal static unsafe class SoftwareDevice
{
    public static bool IsLoaded => CudaLibraries.TryLoad(CudaLibraries.Driver, out nint library, out _) && NativeLibrary.TryGetExport(library, "softcudaSet", out _);

    /// <summary>Things that kernels and copies did that they may not, since the last <see cref="ClearFindings"/>.</summary>
    public static long Findings => (long)((delegate* unmanaged<nuint>)Export("softcudaFindings"))();

    /// <summary>One finding a line.</summary>
    public static string FindingText => Text("softcudaFindingText");

    /// <summary>Counts of kernels, calls and copies since the last <see cref="ResetCounters"/>, as JSON.</summary>
    public static string Counters => Text("softcudaCounters");

    public static void ClearFindings() => ((delegate* unmanaged<void>)Export("softcudaClearFindings"))();

    public static void ResetCounters() => ((delegate* unmanaged<void>)Export("softcudaResetCounters"))();

    /// <summary>Changes what an environment variable set at start, such as SOFTCUDA_FAIL or SOFTCUDA_MEMORY.</summary>
    /// <exception cref="ArgumentException">There is no such setting, or it does not take that value now.</exception>
    public static void Set(string name, string value)
    {
        byte[] nameText = Encoding.UTF8.GetBytes(name + '\0');
        byte[] valueText = Encoding.UTF8.GetBytes(value + '\0');
        fixed (byte* nameStart = nameText)
        fixed (byte* valueStart = valueText)
        {
            if (((delegate* unmanaged<byte*, byte*, int>)Export("softcudaSet"))(nameStart, valueStart) != 0)
            {
                throw new ArgumentException($"The software CUDA device does not take {name}={value} now.");
            }
        }
    }

    private static string Text(string function)
    {
        var read = (delegate* unmanaged<byte*, nuint, nuint>)Export(function);
        byte[] text = [];
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

    private static nint Export(string name) => NativeLibrary.TryGetExport(CudaLibraries.Load(CudaLibraries.Driver, "the software CUDA device"), name, out nint address)
        ? address
        : throw new DeviceException($"cuda: this needs the software CUDA device, and the libcuda that is loaded lacks {name}.");
}
