using System.CommandLine;
using FastNN.Data;

namespace FastNN.Cli.Commands;

/// <summary>`fastnn data NAME`</summary>
internal static class DataCommand
{
    private const string ColorMnistName = "color-mnist";
    private const string BreastCancerName = "breast-cancer";

    private static IReadOnlyList<string> Names => [.. DatasetCache.Names, ColorMnistName, BreastCancerName];

    public static Command Create(CommandContext context)
    {
        var name = new Argument<string>("name") { Description = $"One of {string.Join(", ", Names)}.", HelpName = "NAME" };
        var command = new Command("data", "Download a dataset into the cache and print its folder.") { name };
        command.SetAction(result => Run(context, result.GetRequiredValue(name)));
        return command;
    }

    private static int Run(CommandContext context, string name)
    {
        switch (name)
        {
            case ColorMnistName:
                Describe(context, ColorMnist.Load(progress: context.Output.WriteLine));
                context.Output.WriteLine(
                    $"{name} is generated from the digits in {DatasetCache.FolderOf("mnist")} when it is used; nothing else is stored");
                return 0;
            case BreastCancerName:
                context.Output.WriteLine($"{name}: {BreastCancer.Load().Count} examples, included in FastNN");
                return 0;
        }

        if (!DatasetCache.Names.Contains(name))
        {
            throw Failure.OfUsage($"There is no dataset '{name}'. {Nearest.Suggest(name, Names)}");
        }

        string folder = DatasetCache.Fetch(name, context.Output.WriteLine, context.Cancellation);
        context.Output.WriteLine(folder);
        return 0;
    }

    private static void Describe(CommandContext context, DatasetSplit data)
    {
        string shape = string.Join('x', data.Train.ExampleShape.ToArray());
        context.Output.WriteLine(
            $"{data.Train.Count} training and {data.Test.Count} test examples of {shape}, {data.Train.Classes} classes");
    }
}
