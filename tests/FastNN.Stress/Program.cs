using System.CommandLine;
using System.Diagnostics;
using System.Globalization;

namespace FastNN.Stress;

/// <summary>
/// Runs rounds one after the other, each in a process of its own, so that one that dies is a count and not the end: crashes,
/// hangs, wrong answers. `dotnet run --project tests/FastNN.Stress -- --minutes 10 --seed 3`
/// </summary>
internal static class Program
{
    private static readonly TimeSpan LongestRound = TimeSpan.FromSeconds(10);

    public static int Main(string[] args)
    {
        var seconds = new Option<double>("--seconds") { Description = "How long to go on.", DefaultValueFactory = _ => 20 };
        var minutes = new Option<double>("--minutes") { Description = "The same in minutes." };
        var seed =
            new Option<int>("--seed")
            {
                Description = "Of the first round; the next takes the next.",
                DefaultValueFactory = _ => 1
            };
        var threads = new Option<int>("--threads") { Description = "At once, 1 to 8.", DefaultValueFactory = _ => 6 };
        var device =
            new Option<string>("--device") { Description = "cpu or cuda.", DefaultValueFactory = _ => "cpu" }.AcceptOnlyFromAmong(
                "cpu", "cuda");
        var patience =
            new Option<double>("--patience")
            {
                Description = "Seconds in one operation that are a hang.",
                DefaultValueFactory = _ => 60
            };
        var round = new Option<bool>("--round") { Hidden = true };
        var root = new RootCommand(
            "Random interleavings of build, compile, predict, train, checkpoint and dispose from many threads.")
        {
            seconds, minutes, seed, threads, device, patience, round,
        };
        root.SetAction(result =>
        {
            var options = new Options(
                result.GetValue(device)!, Math.Clamp(result.GetValue(threads), 1, 8), result.GetValue(seed),
                TimeSpan.FromSeconds(result.GetValue(minutes) is > 0 and var given ? 60 * given : result.GetValue(seconds)),
                TimeSpan.FromSeconds(result.GetValue(patience)));
            return result.GetValue(round) ? Round.Run(options) : RunAll(options);
        });
        return root.Parse(args).Invoke();
    }

    private static int RunAll(Options options)
    {
        (int rounds, int crashes, int hangs, int wrong) = (0, 0, 0, 0);
        long start = Stopwatch.GetTimestamp();
        while (options.Duration - Stopwatch.GetElapsedTime(start) is var left && left > TimeSpan.FromSeconds(1))
        {
            Options round = options with { Seed = options.Seed + rounds, Duration = left < LongestRound ? left : LongestRound };
            rounds++;
            int code = RunRound(round);
            (crashes, hangs, wrong) = code switch
            {
                0 => (crashes, hangs, wrong),
                1 => (crashes, hangs, wrong + 1),
                Watchdog.ExitCode => (crashes, hangs + 1, wrong),
                _ => (crashes + 1, hangs, wrong),
            };
            if (code != 0)
            {
                Console.Out.WriteLine($"seed {round.Seed} ended with code {code}");
            }
        }

        Console.Out.WriteLine($"{rounds} rounds: {crashes} crashed, {hangs} hung, {wrong} with wrong answers");
        return crashes + hangs + wrong == 0 ? 0 : 1;
    }

    private static int RunRound(Options options)
    {
        string[] arguments =
        [
            "--round", "--seed", Text(options.Seed), "--threads", Text(options.Threads), "--device", options.DeviceKind,
            "--seconds", Text(options.Duration.TotalSeconds), "--patience", Text(options.Patience.TotalSeconds),
        ];
        // The same program: the executable of its own, or `dotnet` with its assembly.
        string host = Environment.ProcessPath!;
        bool isDotnet = Path.GetFileNameWithoutExtension(host) == "dotnet";
        using Process child = Process.Start(
            new ProcessStartInfo(host, isDotnet ? [typeof(Program).Assembly.Location, .. arguments] : arguments))!;
        if (!child.WaitForExit(options.Duration + (2 * options.Patience)))
        {
            child.Kill(entireProcessTree: true);
            child.WaitForExit();
            return Watchdog.ExitCode;
        }

        return child.ExitCode;
    }

    private static string Text(double number) => number.ToString(CultureInfo.InvariantCulture);
}
