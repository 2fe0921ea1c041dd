using FastNN.Peers;
using FastNN.ServerPeers;

if (args is ["serve", ..])
{
    return await Serving.RunAsync(args[1..]);
}

Options options;
try
{
    options = Options.Parse(args);
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

if (!OperatingSystem.IsLinux())
{
    Console.Error.WriteLine("This program reads what servers take from /proc: it needs Linux.");
    return 2;
}

if (options.Mode == "throughput" && PlainRuntime.LoadFailure() is { } failure)
{
    if (NewerLibc.TryRun(args, options.NewerLibc) is { } exitCode)
    {
        return exitCode;
    }

    Console.Error.WriteLine($"ONNX Runtime does not load here ({failure}): it is left out; {NewerLibc.Hint}.");
}

string folder = Directory.CreateTempSubdirectory("fastnn-server-peers-").FullName;
try
{
    bool passed = options.Mode switch
    {
        "overhead" => await Overhead.RunAsync(options, folder),
        "throughput" => Throughput.Run(options, folder),
        "batching" => await Batching.RunAsync(options, folder),
        "soak" => Soak.Run(options, folder),
        _ => await Crowd.RunAsync(options, folder),
    };
    return passed ? 0 : 1;
}
finally
{
    Directory.Delete(folder, recursive: true);
}
