using System.Text.Json;
using FastNN.OnnxPeer;

const string usage = """
    usage: dotnet run -c Release --project bench/FastNN.OnnxPeer -- COMMAND

      suite FOLDER... [--json FILE]   run the standard's cases in both, print a table per operator (Markdown)
      models FOLDER [--only NAME]     run networks in both, node by node and compiled, and compare the outputs
      time FOLDER [--only NAME]       run networks in both, compiled, and compare the outputs and the time on one thread
      cuda FOLDER [kernels] [--only NAME]
                                      run networks on the CPU and on the CUDA device, and count what a captured run launches
      load FILE                       time from the file to a session and to its first answer, in both
      memory FILE fastnn|onnxruntime  what a session takes of memory, on one side (Linux)
      idle FILE                       processor time of a session at rest, and with a run every 100 ms, in both
    """;

string[] options = [.. args.Where((arg, i) => arg.StartsWith("--", StringComparison.Ordinal)
    || (i > 0 && args[i - 1].StartsWith("--", StringComparison.Ordinal)))];
string[] words = [.. args.Except(options)];
string? Option(string name) => Array.IndexOf(args, name) is >= 0 and var at && at + 1 < args.Length ? args[at + 1] : null;

switch (words)
{
    case ["suite", .. { Length: > 0 } folders]:
        IReadOnlyList<SuiteCase> cases = Suite.Run(folders, Console.Error);
        Suite.WriteTable(Console.Out, cases);
        if (Option("--json") is { } json)
        {
            File.WriteAllText(json, JsonSerializer.Serialize(cases, Suite.Json));
        }

        return cases.Any(one => one.FastNN == "failed") ? 1 : 0;
    case ["models", var folder]:
        return Models.Run(folder, Option("--only"), isTimed: false, Console.Out) ? 0 : 1;
    case ["time", var folder]:
        return Models.Run(folder, Option("--only"), isTimed: true, Console.Out) ? 0 : 1;
    case ["cuda", var folder]:
        return OnCuda.Run(folder, Option("--only"), kernels: false, Console.Out) ? 0 : 1;
    case ["cuda", var folder, "kernels"]:
        return OnCuda.Run(folder, Option("--only"), kernels: true, Console.Out) ? 0 : 1;
    case ["load", var file]:
        Loading.Run(file, Console.Out);
        return 0;
    case ["memory", var file, "fastnn" or "onnxruntime"]:
        Footprint.Run(file, theirs: words[2] == "onnxruntime", Console.Out);
        return 0;
    case ["idle", var file]:
        Idling.Run(file, Console.Out);
        return 0;
    default:
        Console.Error.WriteLine(usage);
        return 2;
}
