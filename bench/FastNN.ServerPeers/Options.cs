using System.Globalization;

namespace FastNN.ServerPeers;

/// <summary>The command line. A mistake throws <see cref="ArgumentException"/> with one line to show.</summary>
internal sealed record Options(
    string Mode, double Seconds, int Rounds, int Threads, int Connections, double Minutes, int Clients, int Malformed,
    bool NewerLibc, bool Help)
{
    public const string Usage = """
        usage: dotnet run -c Release --project bench/FastNN.ServerPeers -- MODE [options]

        Every mode starts its servers as processes of their own on 127.0.0.1 and prints a table in Markdown.

          overhead      one caller: REST binary, REST JSON and gRPC beside IPredictor.PredictAsync and beside an echo
          throughput    requests per second under wrk and h2load, beside a bare Kestrel echo and ONNX Runtime
          batching      a 4096-wide network with and without batching, 1 and 16 callers, in process and over REST
          soak          saturation while the model's file is replaced every 5 seconds; every answer is compared
          crowd         1000 clients, slow ones, half-open connections, aborted uploads, oversized and malformed bodies,
                        beside a normal load

          --seconds S       seconds of each turn (overhead, throughput, batching: 5; throughput takes whole ones), or of the
                            whole crowd (20; from 13 on slow and half-open connections must have been ended)
          --rounds N        rounds, of which the median is told (5)
          --threads N       threads of the model's device (0: one per logical processor)
          --connections N   connections of throughput's and soak's load (16), and of crowd's normal load (4)
          --minutes M       how long the soak lasts (5); memory is judged from 2 minutes on
          --clients N       clients of the crowd (1000)
          --malformed N     malformed requests of the crowd (10000)
          --newer-libc      run on newer system libraries, fetching them if need be (see bench/dotnet-newer-libc), where
                            ONNX Runtime does not load with the machine's own

        wrk and h2load are found on PATH (Debian: wrk, nghttp2-client). The exit code is 1 where an answer is wrong, a request
        fails that must not, or, in a soak, memory grows; a figure that misses what is wanted changes nothing but the table.
        """;

    private static readonly string[] _modes = ["overhead", "throughput", "batching", "soak", "crowd"];

    public static Options Parse(string[] arguments)
    {
        if (arguments is ["--help" or "-h" or "help", ..])
        {
            return new Options("", 0, 0, 0, 0, 0, 0, 0, false, true);
        }

        if (arguments.Length == 0 || !_modes.Contains(arguments[0]))
        {
            string given = arguments.Length == 0 ? "nothing" : $"'{arguments[0]}'";
            throw new ArgumentException($"expected one of {string.Join(", ", _modes)}, got {given}. See --help.");
        }

        string mode = arguments[0];
        var options = new Options(
            mode, mode == "crowd" ? 20 : 5, 5, 0, mode == "crowd" ? 4 : 16, 5, 1000, 10_000, false, false);
        for (int i = 1; i < arguments.Length; i++)
        {
            string name = arguments[i];
            options = name switch
            {
                "--seconds" => options with { Seconds = Number(ref i, 0.1, 3600) },
                "--rounds" => options with { Rounds = Whole(ref i, 1, 1000) },
                "--threads" => options with { Threads = Whole(ref i, 0, 1024) },
                "--connections" => options with { Connections = Whole(ref i, 1, 1024) },
                "--minutes" => options with { Minutes = Number(ref i, 0.05, 1440) },
                "--clients" => options with { Clients = Whole(ref i, 0, 10_000) },
                "--malformed" => options with { Malformed = Whole(ref i, 0, 10_000_000) },
                "--newer-libc" => options with { NewerLibc = true },
                "--help" or "-h" => options with { Help = true },
                _ => throw new ArgumentException($"unknown option '{name}'. See --help."),
            };
        }

        return options;

        double Number(ref int i, double least, double most)
        {
            string option = arguments[i];
            string given = ++i < arguments.Length ? arguments[i] : "nothing";
            return double.TryParse(given, CultureInfo.InvariantCulture, out double value) && value >= least && value <= most
                ? value
                : throw new ArgumentException($"{option}: expected a number from {least} to {most}, got {given}.");
        }

        int Whole(ref int i, int least, int most)
        {
            string option = arguments[i];
            double value = Number(ref i, least, most);
            return value == Math.Floor(value)
                ? (int)value
                : throw new ArgumentException($"{option}: expected a whole number, got {arguments[i]}.");
        }
    }
}
