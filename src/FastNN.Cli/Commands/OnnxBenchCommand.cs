using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using FastNN.Cli.Onnx;
using FastNN.Cli.Running;
using FastNN.Formats;
using FastNN.Onnx;

namespace FastNN.Cli.Commands;

/// <summary>`fastnn onnx bench FILE`</summary>
internal static class OnnxBenchCommand
{
    private const int LeastRuns = 5, MostRuns = 1_000_000;

    public static Command Create(CommandContext context)
    {
        Argument<string> file = OnnxInputs.File();
        Option<string[]> values = OnnxInputs.Values(), shapes = OnnxInputs.Shapes();
        Option<string> device = Settings.Device();
        Option<int?> threads = Settings.Threads();
        var seconds = new Option<double>("--seconds")
        {
            Description = "How long to measure; 3 by default.",
            HelpName = "S",
            DefaultValueFactory = _ => 3,
        };
        Option<string?> json = Settings.Json("the figures");
        var profile = new Option<bool>("--profile") { Description = "Show the time of each operator; on the CPU." };
        var trace = new Option<string?>("--trace")
        {
            Description = "With --profile: write every step for Chrome's about:tracing or Perfetto.",
            HelpName = "FILE",
        };
        var command = new Command("bench", "Time the runs of a model.")
        {
            file, shapes, values, device, threads, seconds, json, profile, trace,
        };
        command.SetAction(result =>
        {
            string? report = result.GetValue(json), steps = result.GetValue(trace);
            double length = result.GetValue(seconds);
            if (!(length > 0) || length > 3600)
            {
                throw Failure.OfUsage("--seconds: expected a number above 0 and up to 3600");
            }

            if (steps is not null && !result.GetValue(profile))
            {
                throw Failure.OfUsage("--trace writes what --profile measures; add --profile");
            }

            if (report is not null)
            {
                Outputs.CheckJson(report);
            }

            using OnnxModel model = OnnxModel.Load(result.GetRequiredValue(file));
            Dictionary<string, OnnxValue> inputs = OnnxInputs.Read(model, result.GetValue(values) ?? []);
            OnnxInputs.Fill(model, inputs, result.GetValue(shapes) ?? []);
            using Device opened = Devices.Open(result.GetValue(device)!, result.GetValue(threads), context.Error.WriteLine);
            using OnnxSession session = model.Compile(opened);
            (OnnxBenchResult measured, SessionProfile? operators) = Measure(
                model, session, opened, inputs, length, result.GetValue(profile), steps, context.Cancellation);
            if (report is not null)
            {
                Outputs.WriteJson(report, context.Output, measured, OnnxJson.Default.OnnxBenchResult);
            }

            if (report != Outputs.StandardOutput)
            {
                Write(context.Output, measured, operators);
            }

            return 0;
        });
        return command;
    }

    private static (OnnxBenchResult Result, SessionProfile? Profile) Measure(
        OnnxModel model, OnnxSession session, Device device, Dictionary<string, OnnxValue> inputs, double seconds, bool profile,
        string? trace, CancellationToken cancellation)
    {
        string? reason = session.HostReason(inputs);
        session.Run(inputs);
        session.Run(inputs);
        var times = new List<double>();
        long start = Stopwatch.GetTimestamp();
        while (times.Count < LeastRuns || (Stopwatch.GetElapsedTime(start).TotalSeconds < seconds && times.Count < MostRuns))
        {
            cancellation.ThrowIfCancellationRequested();
            long begin = Stopwatch.GetTimestamp();
            session.Run(inputs);
            times.Add(Stopwatch.GetElapsedTime(begin).TotalMilliseconds);
        }

        times.Sort();
        double median = times[times.Count / 2];
        double flops = reason is null ? session.CountFlops(inputs) : 0;
        SessionProfile? steps = profile
            ? session.Profile(inputs, Math.Clamp((int)(1000 / Math.Max(median, 0.01)), 3, 200))
            : null;
        if (trace is not null)
        {
            AtomicFile.Write(trace, steps!.WriteTrace);
        }

        var result = new OnnxBenchResult(
            model.Name, device.Description, [.. inputs.Select(input => $"{input.Key}: {input.Value}")], times.Count, median,
            times[(int)(times.Count * 0.9)], times.Average(), Examples(model, inputs) * 1000 / median, flops / 1e9,
            flops / median / 1e6, reason, steps?.PeakGigaflops, steps is null ? null : [.. steps.Rows.Select(OnnxBenchRow.Of)]);
        return (result, steps);
    }

    /// <summary>Examples of a run: the first extent of the first input that has several axes.</summary>
    private static int Examples(OnnxModel model, Dictionary<string, OnnxValue> inputs) =>
        model.Inputs.Select(input => inputs.GetValueOrDefault(input.Name)).OfType<OnnxTensor>()
            .FirstOrDefault(tensor => tensor.Dimensions.Length > 1) is { } first ? first.Dimensions[0] : 1;

    private static void Write(TextWriter output, OnnxBenchResult result, SessionProfile? profile)
    {
        output.WriteLine($"{result.Model} on {result.Device}");
        foreach (string input in result.Inputs)
        {
            output.WriteLine($"  {input}");
        }

        if (result.HostReason is { } reason)
        {
            output.WriteLine($"  runs in part on the host, because of {reason}");
        }

        output.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"median {result.MedianMs:F3} ms, p90 {result.P90Ms:F3} ms, mean {result.MeanMs:F3} ms of {result.Runs} runs; {result.ExamplesPerSecond:F1} examples/s"));
        if (result.Gigaflop > 0)
        {
            output.WriteLine(string.Create(CultureInfo.InvariantCulture,
                $"{result.Gigaflop:F3} GFLOP a run, {result.GigaflopsPerSecond:F1} GFLOP/s"));
        }

        if (profile is not null)
        {
            output.WriteLine();
            output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"peak {profile.PeakGigaflops:F0} GFLOP/s"));
            output.Write(profile);
        }
    }
}
