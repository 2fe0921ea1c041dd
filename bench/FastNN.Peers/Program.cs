using FastNN.Peers;
using FastNN.Peers.Guide;

// The example of docs/guides/from-torchsharp.md.
if (args is ["--guide"])
{
    return TorchBackend.LoadFailure() is null ? CircleGuide.Run() : NewerLibc.TryRun(args, setUp: true) ?? 1;
}

Options options;
IReadOnlyList<Case> cases;
try
{
    options = Options.Parse(args);
    cases = options.Select(options.OnnxRuntime ? OnnxCase.All : Case.All);
}
catch (ArgumentException mistake)
{
    Console.Error.WriteLine(mistake.Message);
    return 2;
}

if (options.Help)
{
    Console.WriteLine(Options.Usage);
    return 0;
}

if (options.SecondThread)
{
    SecondThread.WriteHeader(Console.Out);
    var second = new SecondThread(new Interleaved(options.Seconds, options.Quantile, cpuTime: false));
    var there = cases.Where(@case => @case is not OnnxCase { Model: var model } || File.Exists(model));
    SecondThread.WriteSummary(Console.Out, [.. there.Select(@case => second.Run(@case, Console.Out))]);
    return 0;
}

var failure = options.OnnxRuntime ? OnnxRuntimeContender.LoadFailure() : TorchBackend.LoadFailure();
if (failure is not null)
{
    if (NewerLibc.TryRun(args, setUp: options.NewerLibc) is { } exitCode)
    {
        return exitCode;
    }

    var peer = options.OnnxRuntime ? "ONNX Runtime" : "TorchSharp";
    Console.Error.WriteLine($"{peer} does not load here ({failure}): timing FastNN alone; {NewerLibc.Hint}.");
}

var results = new List<Result>();
try
{
    if (options.Json is not null)
    {
        Results.RequireWritable(options.Json);
    }

    var peak = FmaPeak.GigaflopsPerCore();
    var statistic = options.Quantile == 0.5 ? "medians" : $"the {options.Quantile} quantile";
    var time = options.CpuTime ? "processor" : "wall";
    Console.WriteLine($"FMA peak of one core: {peak:0} GFLOP/s. Times: {statistic} of {time} time; ratio: peer / FastNN.");
    int[] threadCounts = options.Threads is { } threads ? [threads] : Environment.ProcessorCount > 1 ? [1, 2] : [1];
    var clock = new Interleaved(options.Seconds, options.Quantile, options.CpuTime);
    var comparison = new Comparison(clock, peak, withPeer: failure is null);
    Results.WriteHeader(Console.Out);
    foreach (var count in threadCounts)
    {
        foreach (var @case in cases)
        {
            if (@case is OnnxCase { Model: var model } && !File.Exists(model))
            {
                Console.WriteLine($"{@case.Name}: left out, there is no {model}; bench/make-onnx-models writes it.");
                continue;
            }

            var result = comparison.Run(@case, count);
            results.Add(result);
            Results.WriteRow(Console.Out, result);
        }
    }

    Results.WriteMeans(Console.Out, results);
    if (options.Json is not null)
    {
        Results.WriteJson(options.Json, results);
    }
}
catch (Exception error) when (error is IOException or UnauthorizedAccessException)
{
    Console.Error.WriteLine($"Cannot write {options.Json}: {error.Message}");
    return 1;
}
catch (Exception error)
{
    // Caught here, because an unhandled one would be reported while standard error is still muted.
    Console.Error.WriteLine(error);
    return 1;
}

return 0;
