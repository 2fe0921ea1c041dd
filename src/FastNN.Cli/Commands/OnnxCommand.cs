using System.CommandLine;
using System.Globalization;
using System.Text.Json.Serialization;
using FastNN.Cli.Onnx;
using FastNN.Cli.Running;

namespace FastNN.Cli.Commands;

/// <summary>`fastnn onnx`, and of its commands `fastnn onnx test FOLDER`</summary>
internal static class OnnxCommand
{
    public static Command Create(CommandContext context) => new(
        "onnx", "Look into ONNX files, write, run, time and optimize them, and run the standard's test cases.")
    {
        OnnxCheckCommand.Create(context), OnnxRunCommand.Create(context), OnnxBenchCommand.Create(context),
        OnnxOptimizeCommand.Create(context), OnnxExportCommand.Create(context), Test(context),
    };

    private static Command Test(CommandContext context)
    {
        var folder = new Argument<string>("folder")
        {
            Description = "A folder of cases: model.onnx and test_data_set_N/{input,output}_K.pb.",
        };
        Option<string?> json = Settings.Json("every case's outcome");
        var device = new Option<string?>("--device")
        {
            Description = "The engine's device (cpu, cuda), which runs what it can; default: all runs on the host, node by node.",
        };
        var command = new Command("test", "Run all cases in a folder and those below it.") { folder, json, device };
        command.SetAction(result =>
        {
            using Device? opened = result.GetValue(device) is { } name
                ? Devices.Open(name, null, context.Error.WriteLine)
                : null;
            return Test(context, result.GetRequiredValue(folder), result.GetValue(json), opened);
        });
        return command;
    }

    private static int Test(CommandContext context, string folder, string? json, Device? device)
    {
        if (!Directory.Exists(folder))
        {
            throw new CliException($"expected a folder of cases, but '{folder}' is not a folder");
        }

        if (json is not null)
        {
            Outputs.CheckJson(json);
        }

        IReadOnlyList<OnnxCase> cases = OnnxCase.In(folder);
        if (cases.Count == 0)
        {
            throw new CliException($"expected cases (a model.onnx with test_data_set_0 beside it) in '{folder}', found none");
        }

        var results = new List<OnnxCaseResult>();
        foreach (OnnxCase one in cases)
        {
            context.Cancellation.ThrowIfCancellationRequested();
            OnnxCaseResult result = one.Run(device);
            results.Add(result);
            if (result.Status != "passed" && json != Outputs.StandardOutput)
            {
                context.Output.WriteLine($"{result.Status,-12} {result.Case}: {result.Reason}");
            }
        }

        if (json is not null)
        {
            Outputs.WriteJson(json, context.Output, [.. results], OnnxJson.Default.OnnxCaseResultArray);
        }

        int failed = Count("failed");
        if (json != Outputs.StandardOutput)
        {
            context.Output.WriteLine(string.Create(CultureInfo.InvariantCulture,
                $"{results.Count} cases: {Count("passed")} passed, {failed} failed, {Count("unsupported")} unsupported"));
        }

        return failed == 0 ? 0 : Failure.Runtime;

        int Count(string status) => results.Count(result => result.Status == status);
    }
}

[JsonSourceGenerationOptions(WriteIndented = true, PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(OnnxCaseResult[]))]
[JsonSerializable(typeof(OnnxBenchResult))]
internal sealed partial class OnnxJson : JsonSerializerContext;
