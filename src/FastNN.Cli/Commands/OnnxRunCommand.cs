using System.CommandLine;
using System.Globalization;
using FastNN.Cli.Onnx;
using FastNN.Cli.Running;
using FastNN.Onnx;
using FastNN.Onnx.Host;

namespace FastNN.Cli.Commands;

/// <summary>`fastnn onnx run FILE --input name=file.npy`</summary>
internal static class OnnxRunCommand
{
    public static Command Create(CommandContext context)
    {
        Argument<string> file = OnnxInputs.File();
        Option<string[]> values = OnnxInputs.Values();
        var outputs = new Option<string[]>("--output")
        {
            Description = "An output to write.",
            HelpName = "name=file.npy",
            Arity = ArgumentArity.ZeroOrMore,
            DefaultValueFactory = _ => [],
        };
        var folder = new Option<string?>("--out") { Description = "A folder for all outputs, as NAME.npy.", HelpName = "DIR" };
        Option<string> device = Settings.Device();
        Option<int?> threads = Settings.Threads();
        var command = new Command("run",
            "Run a model once on values from NumPy's files; its outputs are described, and written where asked for.")
        {
            file, values, outputs, folder, device, threads,
        };
        command.SetAction(result =>
        {
            using OnnxModel model = OnnxModel.Load(result.GetRequiredValue(file));
            Dictionary<string, string> targets = Targets(model, result.GetValue(outputs) ?? [], result.GetValue(folder));
            Dictionary<string, OnnxValue> inputs = OnnxInputs.Read(model, result.GetValue(values) ?? []);
            using Device opened = Devices.Open(result.GetValue(device)!, result.GetValue(threads), context.Error.WriteLine);
            using OnnxSession session = model.Compile(opened);
            return Run(context, model, session, inputs, targets);
        });
        return command;
    }

    private static int Run(
        CommandContext context, OnnxModel model, OnnxSession session, Dictionary<string, OnnxValue> inputs,
        Dictionary<string, string> targets)
    {
        if (session.HostReason(inputs) is { } reason)
        {
            context.Error.WriteLine($"runs in part on the host, because of {reason}");
        }

        IReadOnlyList<OnnxValue?> outputs = session.Run(inputs);
        for (int i = 0; i < outputs.Count; i++)
        {
            string name = model.Outputs[i].Name;
            context.Output.WriteLine($"{name}: {Describe(outputs[i])}");
            if (targets.TryGetValue(name, out string? path))
            {
                NumpyFile.Write(path, outputs[i] is OnnxTensor tensor
                    ? Stored(tensor)
                    : throw new CliException($"--output {name}: expected a tensor, got {outputs[i]?.ToString() ?? "no value"}"));
                context.Output.WriteLine($"  wrote {path}");
            }
        }

        return 0;
    }

    /// <summary>NumPy has no bfloat16 and nothing below 8 bits; float32 holds all of their values.</summary>
    private static OnnxTensor Stored(OnnxTensor tensor) =>
        tensor.ElementType.IsFloat() && tensor.ElementType is OnnxElementType.BFloat16 || tensor.ElementType.IsTinyFloat()
            ? Numbers.Convert(tensor, OnnxElementType.Float32)
            : tensor.ElementType.Bits() is > 0 and < 8 ? Numbers.Convert(tensor, OnnxElementType.Int8)
            : tensor;

    private static string Describe(OnnxValue? value)
    {
        if (value is not OnnxTensor { Count: > 0 } tensor || tensor.ElementType == OnnxElementType.String)
        {
            return value?.ToString() ?? "no value";
        }

        double[] numbers = tensor.ElementType == OnnxElementType.Bool
            ? Array.ConvertAll(tensor.Array<bool>(), truth => truth ? 1.0 : 0)
            : Numbers.Doubles(tensor);
        string first = string.Join(", ", numbers.Take(5).Select(number => number.ToString("G6", CultureInfo.InvariantCulture)));
        return string.Create(CultureInfo.InvariantCulture,
            $"{tensor}, {numbers.Min():G6} to {numbers.Max():G6}, mean {numbers.Average():G6}: {first}{(numbers.Length > 5 ? ", ..." : "")}");
    }

    private static Dictionary<string, string> Targets(OnnxModel model, string[] outputs, string? folder)
    {
        var targets = new Dictionary<string, string>(StringComparer.Ordinal);
        if (folder is not null)
        {
            Outputs.PrepareFolder(folder);
            foreach (OnnxValueInfo output in model.Outputs)
            {
                string name = string.Concat(output.Name.Select(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '_' or '-' ? c
                    : '_'));
                targets[output.Name] = Path.Combine(folder, $"{name}.npy");
            }

            if (targets.Values.Distinct(StringComparer.Ordinal).Count() < targets.Count)
            {
                throw Failure.OfUsage("--out: two outputs would be one file; name them by --output");
            }
        }

        foreach (string text in outputs)
        {
            (string name, string path) = OnnxInputs.Pair("--output", text, "name=file.npy");
            if (!model.Outputs.Any(output => output.Name == name))
            {
                throw Failure.OfUsage(
                    $"--output: the model has no output '{name}'; its outputs are {string.Join("; ", model.Outputs)}");
            }

            targets[name] = path;
        }

        return targets;
    }
}
