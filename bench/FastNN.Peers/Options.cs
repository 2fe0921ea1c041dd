using System.Globalization;

namespace FastNN.Peers;

/// <summary>The command line. A mistake throws <see cref="ArgumentException"/> with one line to show.</summary>
internal sealed record Options(
    string? Json, int? Threads, string? Only, string? Phase, double Seconds, double Quantile, bool CpuTime, bool NewerLibc,
    bool OnnxRuntime, bool SecondThread, bool Help)
{
    public const string Usage = """
        usage: dotnet run -c Release --project bench/FastNN.Peers -- [options]

          --json FILE      write the results as a JSON array
          --threads N      threads on both sides (default: a run with 1 and one with 2)
          --only NAME      one case, or all whose names start so: mnist-cnn, gemm, conv-64 ...
          --phase PHASE    train, infer, forward or forward-backward only
          --seconds S      timed seconds per contender and case (default 1)
          --quantile Q     of the times, instead of the median 0.5; 0.1 says more on a busy machine
          --cpu-time       processor time of one thread instead of wall time, with --threads 1; for a busy machine
          --peer PEER      torchsharp (default), or onnxruntime: sessions on ONNX files (see bench/make-onnx-models)
          --second-thread  FastNN alone, with one thread and with two in turns: what the second one gains
          --newer-libc     run on newer system libraries, fetching them if need be (see bench/dotnet-newer-libc)
        """;

    public static Options Parse(string[] arguments)
    {
        var options = new Options(null, null, null, null, 1, 0.5, false, false, false, false, false);
        for (var i = 0; i < arguments.Length; i++)
        {
            var name = arguments[i];
            options = name switch
            {
                "--json" => options with { Json = Value(ref i) },
                "--threads" => options with { Threads = (int)Number(ref i, 1, 1024, whole: true) },
                "--only" => options with { Only = Value(ref i) },
                "--phase" => options with { Phase = Value(ref i) },
                "--seconds" => options with { Seconds = Number(ref i, 0, 600, whole: false) },
                "--quantile" => options with { Quantile = Number(ref i, 0, 1, whole: false) },
                "--cpu-time" => options with { CpuTime = true },
                "--second-thread" => options with { SecondThread = true },
                "--newer-libc" => options with { NewerLibc = true },
                "--peer" => options with { OnnxRuntime = Peer(ref i) },
                "--help" or "-h" => options with { Help = true },
                _ => throw new ArgumentException($"Unknown option '{name}'. See --help."),
            };
        }

        if (options.SecondThread && (options.Threads is not null || options.Json is not null || options.CpuTime))
        {
            throw new ArgumentException("--second-thread goes with neither --threads, --json nor --cpu-time.");
        }

        return !options.CpuTime || (options.Threads == 1 && ThreadClock.IsSupported)
            ? options
            : throw new ArgumentException("--cpu-time sees one thread: it needs --threads 1, and Linux.");

        string Value(ref int i) =>
            ++i < arguments.Length ? arguments[i] : throw new ArgumentException($"{arguments[i - 1]} needs a value.");

        bool Peer(ref int i) => Value(ref i) switch
        {
            "onnxruntime" => true,
            "torchsharp" => false,
            var other => throw new ArgumentException($"--peer takes torchsharp or onnxruntime, not '{other}'."),
        };

        double Number(ref int i, double least, double most, bool whole)
        {
            var option = arguments[i];
            var text = Value(ref i);
            var good = double.TryParse(text, CultureInfo.InvariantCulture, out var value)
                && value >= least && value <= most && (!whole || value == Math.Floor(value));
            return good ? value : throw new ArgumentException($"{option} takes a number from {least} to {most}, not '{text}'.");
        }
    }

    /// <summary>The cases asked for: an exact name wins over a prefix, as mnist-cnn is one of mnist-cnn-small.</summary>
    public IReadOnlyList<Case> Select(IReadOnlyList<Case> cases)
    {
        IEnumerable<Case> chosen = cases;
        if (Only is not null)
        {
            var exact = cases.Where(c => c.Name == Only);
            chosen = exact.Any() ? exact : cases.Where(c => c.Name.StartsWith(Only, StringComparison.Ordinal));
        }

        IReadOnlyList<Case> result = [.. chosen.Where(c => Phase is null || c.Phase == Phase)];
        return result.Count > 0
            ? result
            : throw new ArgumentException($"Nothing to run. Cases: {string.Join(", ", cases.Select(c => c.Name).Distinct())}.");
    }
}
