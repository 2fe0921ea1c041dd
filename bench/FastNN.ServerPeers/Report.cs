using System.Globalization;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics.X86;
using FastNN.Peers;

namespace FastNN.ServerPeers;

/// <summary>Tables in Markdown, and what they were measured on.</summary>
internal static class Report
{
    /// <summary>The machine, the runtime and what the run was asked for.</summary>
    public static void WriteHead(Options options, string details, params string[] versions)
    {
        string processor = File.Exists("/proc/cpuinfo")
            ? File.ReadLines("/proc/cpuinfo").FirstOrDefault(line => line.StartsWith("model name", StringComparison.Ordinal))
                ?.Split(':', 2)[1].Trim() ?? "unnamed processor"
            : RuntimeInformation.ProcessArchitecture.ToString();
        string vectors = Avx512F.IsSupported ? "AVX-512" : Avx2.IsSupported ? "AVX2" : "no AVX2";
        string threads = options.Threads == 0
            ? Text($"one thread of the device per logical processor ({Environment.ProcessorCount})")
            : Text($"{options.Threads} threads of the device");
        Console.WriteLine($"## {options.Mode}");
        Console.WriteLine();
        Console.WriteLine(Text(
            $"Machine: {processor}, {Environment.ProcessorCount} logical processors, {vectors}; ")
            + $"{RuntimeInformation.OSDescription}.");
        string[] all =
        [
            RuntimeInformation.FrameworkDescription,
            $"FastNN {typeof(Sequential).Assembly.GetName().Version?.ToString(3)}",
            .. versions,
            .. NewerLibc.Active ? ["newer C library (bench/dotnet-newer-libc)"] : Array.Empty<string>(),
        ];
        Console.WriteLine($"Versions: {string.Join(", ", all)}. Server and load on 127.0.0.1 of this machine, {threads}.");
        Console.WriteLine(details);
        Console.WriteLine();
    }

    /// <summary>The header of a table; the first column is text, the others are numbers.</summary>
    public static void WriteColumns(params string[] names)
    {
        WriteRow(names);
        WriteRow([.. names.Select((_, i) => i == 0 ? "---" : "---:")]);
    }

    public static void WriteRow(params string[] cells) => Console.WriteLine($"| {string.Join(" | ", cells)} |");

    /// <summary>A number in the invariant culture.</summary>
    public static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);

    public static double Median(IEnumerable<double> values)
    {
        double[] sorted = [.. values.Order()];
        int middle = sorted.Length / 2;
        return sorted.Length % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
    }
}
