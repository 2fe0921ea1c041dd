using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;

namespace FastNN.ServerPeers;

/// <summary>What a load came to.</summary>
/// <param name="PerSecond">Requests that were answered, per second.</param>
/// <param name="Failed">Requests without an answer, and answers of another status than 2xx or 3xx.</param>
/// <param name="BytesPerAnswer">Bytes of an answer: the body alone over HTTP/2, with headers over HTTP/1.1.</param>
internal readonly record struct Load(double PerSecond, long Failed, double BytesPerAnswer);

/// <summary>wrk and h2load, which send one request over and over from many connections.</summary>
internal static partial class LoadTool
{
    private const string Script = """
        wrk.method = "POST"
        local file = io.open("@BODY@", "rb")
        wrk.body = file:read("*a")
        file:close()
        wrk.headers["Content-Type"] = "@TYPE@"
        @LENGTH@
        done = function(summary, latency, requests)
          local errors = summary.errors
          io.write(string.format("RESULT %d %d %d %d\n", summary.requests, summary.duration,
            errors.connect + errors.read + errors.write + errors.timeout + errors.status, summary.bytes))
        end
        """;

    /// <summary>Why a tool cannot be used; null where it can.</summary>
    public static string? Missing(string tool, string package)
    {
        try
        {
            Run(tool, ["--version"]);
            return null;
        }
        catch (Win32Exception)
        {
            return $"{tool} is missing: it is not on PATH; on Debian `apt-get install {package}` brings it";
        }
    }

    /// <summary>The first line that a tool says of itself.</summary>
    public static string Version(string tool) => Run(tool, ["--version"]).Split('\n')[0].Split(" [")[0];

    /// <summary>Loads a server over HTTP/1.1.</summary>
    public static Load Wrk(int port, Body body, int connections, double seconds, string folder)
    {
        string bodyFile = Write(body, folder);
        string script = bodyFile + ".lua";
        string length = body.HeaderLength is { } bytes
            ? Report.Text($"wrk.headers[\"Inference-Header-Content-Length\"] = \"{bytes}\"")
            : "";
        File.WriteAllText(script, Script.Replace("@BODY@", bodyFile, StringComparison.Ordinal)
            .Replace("@TYPE@", body.ContentType, StringComparison.Ordinal).Replace("@LENGTH@", length, StringComparison.Ordinal));
        string output = Run(
            "wrk",
            [
                "-t1", Report.Text($"-c{connections}"), Report.Text($"-d{Whole(seconds)}s"), "-s", script,
                $"http://127.0.0.1:{port}{body.Path}",
            ]);
        Match match = WrkResult().Match(output);
        if (!match.Success)
        {
            throw new InvalidDataException($"expected a line RESULT from wrk, got: {output}");
        }

        double requests = Value(match, 1);
        return new Load(requests / (Value(match, 2) / 1e6), (long)Value(match, 3), Value(match, 4) / Math.Max(1, requests));
    }

    /// <summary>Loads a server over HTTP/2 without TLS, one request at a time on each connection.</summary>
    public static Load H2Load(int port, Body body, int connections, double seconds, string folder)
    {
        List<string> arguments =
        [
            Report.Text($"-c{connections}"), "-m1", "-t1", "-D", Whole(seconds), "-d", Write(body, folder),
            "-H", $"content-type: {body.ContentType}", "-H", "te: trailers",
        ];
        if (body.HeaderLength is { } length)
        {
            arguments.AddRange(["-H", Report.Text($"inference-header-content-length: {length}")]);
        }

        string output = Run("h2load", [.. arguments, $"http://127.0.0.1:{port}{body.Path}"]);
        Match requests = H2Requests().Match(output), rate = H2Rate().Match(output), data = H2Data().Match(output);
        if (!requests.Success || !rate.Success || !data.Success)
        {
            throw new InvalidDataException(
                $"expected the lines 'finished in', 'requests:' and 'traffic:' from h2load, got: {output}");
        }

        double done = Value(requests, 1);
        return new Load(Value(rate, 1), (long)(Value(requests, 2) + Value(requests, 3)), Value(data, 1) / Math.Max(1, done));
    }

    private static string Whole(double seconds) => Report.Text($"{Math.Max(1, Math.Round(seconds)):0}");

    private static double Value(Match match, int group) => double.Parse(match.Groups[group].Value, CultureInfo.InvariantCulture);

    private static string Write(Body body, string folder)
    {
        string file = Path.Combine(folder, body.Path.Trim('/').Replace('/', '-') + Report.Text($"-{body.Bytes.Length}"));
        File.WriteAllBytes(file, body.Bytes);
        return file;
    }

    private static string Run(string tool, string[] arguments)
    {
        var start = new ProcessStartInfo(tool, arguments) { RedirectStandardOutput = true, RedirectStandardError = true };
        // A tool of the machine's own needs the machine's own libraries, whatever this process runs on.
        start.Environment.Remove("LD_LIBRARY_PATH");
        using Process process = Process.Start(start)!;
        Task<string> errors = process.StandardError.ReadToEndAsync();
        string output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return output + errors.GetAwaiter().GetResult();
    }

    [GeneratedRegex(@"RESULT (\d+) (\d+) (\d+) (\d+)")]
    private static partial Regex WrkResult();

    [GeneratedRegex(@"requests: \d+ total, \d+ started, (\d+) done, \d+ succeeded, (\d+) failed, (\d+) errored")]
    private static partial Regex H2Requests();

    [GeneratedRegex(@"finished in .*?, ([\d.]+) req/s")]
    private static partial Regex H2Rate();

    [GeneratedRegex(@"\((\d+)\) data")]
    private static partial Regex H2Data();
}
