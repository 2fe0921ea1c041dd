using System.Diagnostics;

namespace FastNN.ServerPeers;

/// <summary>
/// A server at saturation whose model's file is replaced every few seconds by one of other weights. Every answer is compared with
/// the one of the version that it names, and the memory at the end with that of minute one.
/// </summary>
internal static class Soak
{
    private const int ReloadSeconds = 5;
    private const int WarmUpReloads = 40;
    private const int ProgressSeconds = 10;
    private const int MemorySamples = 10;
    private const double MostGrowth = 0.03;

    public static bool Run(Options options, string folder)
    {
        string file = Path.Combine(folder, "digits.onnx");
        var versions = new Versions(Networks.Pictures(32, seed: 1));
        versions.Publish(file);
        using ServerProcess server = ServerProcess.Start("fastnn", Report.Text($"{options.Threads}"), $"digits={file}");
        var load = new CheckedLoad(server.Http1, "digits", versions, options.Connections);
        var memory = new List<double>();
        int seconds = (int)Math.Ceiling(options.Minutes * 60);
        long start = 0, warm = 0;
        try
        {
            WarmUp();
            (start, warm) = (Stopwatch.GetTimestamp(), load.Answered);
            Watch(seconds);
        }
        finally
        {
            load.Stop();
        }

        double elapsed = Stopwatch.GetElapsedTime(start).TotalSeconds;
        double atMinuteOne = Report.Median(memory.Skip(60 - MemorySamples).Take(MemorySamples).DefaultIfEmpty(double.NaN));
        double atEnd = Report.Median(memory.TakeLast(MemorySamples));
        double growth = (atEnd / atMinuteOne) - 1;
        bool isJudged = options.Minutes >= 2;
        bool grew = isJudged && !(growth <= MostGrowth);
        bool missed = load.SeenVersions < versions.Newest;
        Report.WriteHead(options, Report.Text(
            $"784-128-11 over REST binary, {options.Connections} connections without a pause, ")
            + Report.Text($"a new file every {ReloadSeconds} s. Memory: VmRSS, the median of {MemorySamples} samples, ")
            + "one a second, up to minute one and up to the end. "
            + Report.Text($"Before the first second {WarmUpReloads} reloads, by which the code of a reload is compiled."));
        Report.WriteColumns("figure", "value", "wanted");
        Report.WriteRow("seconds", Report.Text($"{elapsed:0}"), "");
        Report.WriteRow("right answers", Report.Text($"{load.Answered - warm}"), "");
        Report.WriteRow("right answers per second", Report.Text($"{(load.Answered - warm) / elapsed:0}"), "");
        Report.WriteRow("failed requests", Report.Text($"{load.Failed}"), "0");
        Report.WriteRow("versions that answered", Report.Text($"{load.SeenVersions}"), Report.Text($"{versions.Newest}"));
        Report.WriteRow("memory at minute one", isJudged ? Report.Text($"{atMinuteOne:0.0} MB") : "not there yet", "");
        Report.WriteRow("memory at the end", Report.Text($"{atEnd:0.0} MB"), "");
        Report.WriteRow("growth", isJudged ? Report.Text($"{growth:0.0%}") : "not judged", Report.Text($"<= {MostGrowth:0%}"));
        Tell(load.Failed > 0, $"failed requests: {load.Failures}");
        Tell(missed, Report.Text($"{versions.Newest - load.SeenVersions} versions of the file never answered"));
        Tell(grew, "the server's memory grew by more than is wanted");
        return load.Failed == 0 && load.Answered > 0 && !missed && !grew;

        // Each as soon as the one before it answers: the JIT compiles code anew that has run 30 times.
        void WarmUp()
        {
            for (int reload = 0; reload < WarmUpReloads; reload++)
            {
                versions.Publish(file);
                if (!SpinWait.SpinUntil(() => load.SeenVersions == versions.Newest, TimeSpan.FromSeconds(20)))
                {
                    throw new InvalidOperationException(Report.Text($"version {versions.Newest} of the file never answered"));
                }
            }
        }

        void Watch(int duration)
        {
            long before = load.Answered;
            for (int second = 1; second <= duration; second++)
            {
                double rest = second - Stopwatch.GetElapsedTime(start).TotalSeconds;
                Thread.Sleep(TimeSpan.FromSeconds(Math.Max(0, rest)));
                if (!server.IsAlive)
                {
                    throw new InvalidOperationException(Report.Text($"the server ended at second {second}"));
                }

                memory.Add(server.ResidentMegabytes);
                // The last file has its time to answer.
                if (second % ReloadSeconds == 0 && second + ReloadSeconds <= duration)
                {
                    versions.Publish(file);
                }

                if (second % ProgressSeconds == 0)
                {
                    long now = load.Answered;
                    Console.Error.WriteLine(Report.Text(
                        $"{second,5} s: {now} right, {(now - before) / ProgressSeconds} a second, {load.Failed} failed, ")
                        + Report.Text($"version {load.SeenVersions} of {versions.Newest}, {memory[^1]:0.0} MB"));
                    before = now;
                }
            }
        }
    }

    private static void Tell(bool isSo, string what)
    {
        if (isSo)
        {
            Console.Error.WriteLine($"soak: {what}");
        }
    }
}
