using System.CommandLine;
using System.Globalization;
using FastNN.Cli.Onnx;
using FastNN.Onnx;

namespace FastNN.Cli.Commands;

/// <summary>`fastnn onnx check FILE`</summary>
internal static class OnnxCheckCommand
{
    public static Command Create(CommandContext context)
    {
        Argument<string> file = OnnxInputs.File();
        Option<string[]> shapes = OnnxInputs.Shapes();
        var command = new Command(
            "check",
            "Show what a file takes and gives, its size and its work, and which of its operators are not supported.") { file, shapes };
        command.SetAction(result => Check(context, result.GetRequiredValue(file), result.GetValue(shapes) ?? []));
        return command;
    }

    private static int Check(CommandContext context, string file, string[] shapes)
    {
        using OnnxModel model = OnnxModel.Load(file);
        TextWriter output = context.Output;
        string opsets = string.Join(", ",
            model.Opsets.Select(set => $"{(set.Key.Length == 0 ? "ai.onnx" : set.Key)} {set.Value}"));
        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"IR version {model.IrVersion}, opsets {opsets}"));
        output.WriteLine($"written by {(model.Producer.Length == 0 ? "an unnamed program" : model.Producer)}");
        output.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"{model.NodeCount} nodes, {model.ParameterCount:N0} parameters in {WeightBytes(model) / 1e6:N2} MB"));
        foreach (OnnxValueInfo input in model.Inputs.Where(input => !input.HasDefault))
        {
            output.WriteLine($"  in   {input}");
        }

        foreach (OnnxValueInfo value in model.Outputs)
        {
            output.WriteLine($"  out  {value}");
        }

        foreach (OnnxNodeInfo node in model.Unsupported)
        {
            output.WriteLine($"  not supported: {node}");
        }

        if (model.Unsupported.Count > 0)
        {
            return Failure.Runtime;
        }

        output.WriteLine(Work(model, shapes));
        return 0;
    }

    private static double WeightBytes(OnnxModel model) => model.Definition.Graph!.Initializers.Sum(tensor =>
        tensor.Dims.Aggregate((double)tensor.Type.Bits() / 8, (product, extent) => product * extent));

    /// <summary>What a run costs, of inputs with the extents given; the model is recorded and planned, and not run.</summary>
    private static string Work(OnnxModel model, string[] shapes)
    {
        var inputs = new Dictionary<string, OnnxValue>(StringComparer.Ordinal);
        try
        {
            OnnxInputs.Fill(model, inputs, shapes);
        }
        catch (CliException failure) when (shapes.Length == 0)
        {
            return $"work not counted: {failure.Message}";
        }

        string taken = string.Join(", ", inputs.Select(input => $"{input.Key} {input.Value}"));
        using Device device = Device.Cpu(1);
        using OnnxSession session = model.Compile(device);
        return session.HostReason(inputs) is { } reason
            ? $"runs in part on the host, because of {reason}; work not counted ({taken})"
            : string.Create(
                CultureInfo.InvariantCulture, $"{session.CountFlops(inputs) / 1e6:N2} MFLOP for a run with {taken}; runs on the engine");
    }
}
