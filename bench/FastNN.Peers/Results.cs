using System.Globalization;
using System.Text.Json;

namespace FastNN.Peers;

/// <summary>One case at one number of threads. Without libtorch the peer has no microseconds.</summary>
internal sealed record Result(
    Case Case, int Threads, double FastNNMicroseconds, string Peer, double? PeerMicroseconds, double PeakGigaflops)
{
    /// <summary>How many times as fast as the peer FastNN is.</summary>
    public double? Ratio => PeerMicroseconds / FastNNMicroseconds;

    public double? Gigaflops => Rate(FastNNMicroseconds);

    public double? PeerGigaflops => Rate(PeerMicroseconds);

    public double? PeakFraction => Gigaflops / PeakGigaflops;

    private double? Rate(double? microseconds) => Case.Flops == 0 ? null : Case.Flops / microseconds * 1e-3;
}

internal static class Results
{
    private const string Partial = ".partial";

    public static void WriteHeader(TextWriter output) =>
        WriteRow(output, ["case", "phase", "t", "FastNN us", "peer us", "ratio", "GFLOP/s", "peak", "peer GF/s", "peer"]);

    public static void WriteRow(TextWriter output, Result result) => WriteRow(output,
    [
        result.Case.Name,
        result.Case.Phase,
        result.Threads.ToString(CultureInfo.InvariantCulture),
        Text(result.FastNNMicroseconds, "0.00"),
        Text(result.PeerMicroseconds, "0.00"),
        Text(result.Ratio, "0.00x"),
        Text(result.Gigaflops, "0.0"),
        Text(result.PeakFraction, "0%"),
        Text(result.PeerGigaflops, "0.0"),
        result.Peer,
    ]);

    /// <summary>The geometric mean of the ratios, for each number of threads that has several.</summary>
    public static void WriteMeans(TextWriter output, IEnumerable<Result> results)
    {
        foreach (var group in results.Where(result => result.Ratio is not null).GroupBy(result => result.Threads))
        {
            var logarithms = group.Select(result => Math.Log(result.Ratio!.Value)).ToList();
            if (logarithms.Count > 1)
            {
                output.WriteLine(string.Create(
                    CultureInfo.InvariantCulture,
                    $"geometric mean of {logarithms.Count} ratios, threads {group.Key}: {Math.Exp(logarithms.Average()):0.00}x"));
            }
        }
    }

    /// <summary>Fails now rather than after minutes of timing.</summary>
    public static void RequireWritable(string path)
    {
        File.Create(path + Partial).Dispose();
        File.Delete(path + Partial);
    }

    /// <summary>Writes beside the file first and renames, so that an interrupted run leaves no half file.</summary>
    public static void WriteJson(string path, IEnumerable<Result> results)
    {
        var partial = path + Partial;
        using (var file = File.Create(partial))
        using (var json = new Utf8JsonWriter(file, new JsonWriterOptions { Indented = true }))
        {
            json.WriteStartArray();
            foreach (var result in results)
            {
                WriteObject(json, result);
            }

            json.WriteEndArray();
        }

        File.Move(partial, path, overwrite: true);
    }

    private static void WriteObject(Utf8JsonWriter json, Result result)
    {
        json.WriteStartObject();
        json.WriteString("name", result.Case.Name);
        json.WriteString("phase", result.Case.Phase);
        json.WriteNumber("threads", result.Threads);
        WriteNumber(json, "fastnnMicroseconds", result.FastNNMicroseconds, 3);
        json.WriteString("peer", result.Peer);
        WriteNumber(json, "peerMicroseconds", result.PeerMicroseconds, 3);
        WriteNumber(json, "ratio", result.Ratio, 4);
        if (result.Case.Flops > 0)
        {
            WriteNumber(json, "gflops", result.Gigaflops, 2);
            WriteNumber(json, "peakFraction", result.PeakFraction, 4);
        }

        json.WriteEndObject();
    }

    private static void WriteNumber(Utf8JsonWriter json, string name, double? value, int digits)
    {
        if (value is { } number)
        {
            json.WriteNumber(name, Math.Round(number, digits));
        }
        else
        {
            json.WriteNull(name);
        }
    }

    private static void WriteRow(TextWriter output, string[] cells) => output.WriteLine(
        $"{cells[0],-31} {cells[1],-17} {cells[2],1} {cells[3],11} {cells[4],11} {cells[5],8} {cells[6],9} {cells[7],6} "
        + $"{cells[8],9}  {cells[9]}");

    private static string Text(double? value, string format) => value?.ToString(format, CultureInfo.InvariantCulture) ?? "-";
}
