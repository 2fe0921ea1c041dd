using System.CommandLine;
using System.Globalization;
using FastNN.Cli.Onnx;
using FastNN.Onnx;

namespace FastNN.Cli.Commands;

/// <summary>`fastnn onnx optimize FILE [OUT]`</summary>
internal static class OnnxOptimizeCommand
{
    public static Command Create(CommandContext context)
    {
        Argument<string> file = OnnxInputs.File();
        var target = new Argument<string?>("out")
        {
            Description = "Where the optimized model is written, weights and all (those beyond 2 GB beside it, in OUT.data); default: nowhere, the passes are only listed.",
            HelpName = "OUT",
            Arity = ArgumentArity.ZeroOrOne,
        };
        var without = new Option<string[]>("--without")
        {
            Description = $"A pass to leave out: {string.Join(", ", OnnxPasses.Names)}.",
            HelpName = "PASS",
            Arity = ArgumentArity.ZeroOrMore,
            DefaultValueFactory = _ => [],
        };
        var nodes = new Option<bool>("--nodes") { Description = "List the nodes that each pass removed, folded or replaced." };
        Option<bool> external = OnnxInputs.ExternalData();
        var command = new Command("optimize", "Run the graph passes, say what each did, and write the result.")
        {
            file, target, without, nodes, external,
        };
        command.SetAction(result => Optimize(
            context, result.GetRequiredValue(file), result.GetValue(target), result.GetValue(without) ?? [],
                result.GetValue(nodes), result.GetValue(external)));
        return command;
    }

    private static int Optimize(CommandContext context, string file, string? target, string[] without, bool nodes, bool external)
    {
        foreach (string name in without.Where(name => !OnnxPasses.Names.Contains(name)))
        {
            throw Failure.OfUsage($"--without: there is no pass '{name}'. {Nearest.Suggest(name, OnnxPasses.Names)}");
        }

        using OnnxModel model = OnnxModel.Load(file);
        OnnxOptimization result = model.Optimize(OnnxPasses.Names.Except(without).ToHashSet());
        int width = OnnxPasses.Names.Max(name => name.Length);
        foreach (OnnxPassReport pass in result.Passes)
        {
            context.Output.WriteLine(string.Create(CultureInfo.InvariantCulture,
                $"{pass.Name.PadRight(width)}  {pass.Count,6}  {OnnxPasses.Describe(pass.Name)}"));
            foreach (string node in nodes ? pass.Nodes : [])
            {
                context.Output.WriteLine($"{"".PadRight(width)}          {node}");
            }
        }

        context.Output.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"{result.NodesBefore} nodes before, {result.NodesAfter} behind the passes, opset {result.Opset}"));
        if (result.Obstacle is { } obstacle)
        {
            context.Output.WriteLine(
                $"operators of newer opsets were left out, because one file has one opset and this one has {obstacle}");
        }

        if (target is not null)
        {
            result.Save(target, external);
            context.Output.WriteLine(string.Create(CultureInfo.InvariantCulture,
                $"wrote {target}, {OnnxInputs.Written(target)}"));
        }

        return 0;
    }
}
