using System.CommandLine;
using System.Globalization;
using FastNN.Cli.Onnx;
using FastNN.Cli.Recipes;
using FastNN.Onnx;

namespace FastNN.Cli.Commands;

/// <summary>`fastnn onnx export RECIPE OUT.onnx`</summary>
internal static class OnnxExportCommand
{
    public static Command Create(CommandContext context)
    {
        Argument<SupervisedRecipe> recipe = Settings.SupervisedRecipeName("onnx export");
        var file = new Argument<string>("file") { Description = "The ONNX file to write.", HelpName = "OUT.onnx" };
        var weights = new Option<string?>("--weights")
        {
            Description = "The weights (safetensors) that `fastnn train --out` saved; first values by default.",
            HelpName = "FILE",
        };
        var opset = new Option<int>("--opset")
        {
            Description = $"The version of ONNX's operators, {OnnxExport.MinOpset} to {OnnxExport.MaxOpset}.",
            HelpName = "N",
            DefaultValueFactory = _ => OnnxExport.MinOpset,
        };
        opset.Validators.Add(result =>
        {
            if (result.GetValueOrDefault<int>() is < OnnxExport.MinOpset or > OnnxExport.MaxOpset)
            {
                result.AddError(string.Create(
                    CultureInfo.InvariantCulture,
                    $"--opset: expected {OnnxExport.MinOpset} to {OnnxExport.MaxOpset}, got {result.GetValueOrDefault<int>()}."));
            }
        });
        Option<bool> external = OnnxInputs.ExternalData();
        var command = new Command("export", "Write a recipe's network as an ONNX file.")
        {
            recipe, file, weights, opset, external,
        };
        command.SetAction(result =>
        {
            SupervisedRecipe chosen = result.GetRequiredValue(recipe);
            Layer model = chosen.CreateModel();
            model.Build(chosen.ExampleShape);
            if (result.GetValue(weights) is { } saved)
            {
                model.LoadWeights(saved);
            }

            string path = result.GetRequiredValue(file);
            model.ExportOnnx(
                path, result.GetValue(opset), new OnnxExportOptions { ExternalData = result.GetValue(external) });
            context.Output.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"{chosen.Name}: {path}, opset {result.GetValue(opset)}, {OnnxInputs.Written(path)}"));
            return 0;
        });
        return command;
    }
}
