using System.CommandLine;
using FastNN.Cli.Recipes;
using FastNN.Cli.Running;

namespace FastNN.Cli.Commands;

/// <summary>`fastnn evaluate RECIPE --weights FILE`</summary>
internal static class EvaluateCommand
{
    public static Command Create(CommandContext context)
    {
        Argument<SupervisedRecipe> recipe = Settings.SupervisedRecipeName("evaluate");
        Option<int?> threads = Settings.Threads();
        Option<string> device = Settings.Device();
        Option<string?> data = Settings.Data(), json = Settings.Json("the figures");
        var weights =
            new Option<string>("--weights") { Description = "The weights (safetensors).", HelpName = "FILE", Required = true };
        var command =
            new Command("evaluate", "Test saved weights on a recipe's test data.") { recipe, weights, threads, device, data,
                json };
        command.SetAction(result => Run(
            context, result.GetRequiredValue(recipe), result.GetRequiredValue(weights), result.GetValue(threads),
            result.GetValue(device)!,
            result.GetValue(data), result.GetValue(json)));
        return command;
    }

    private static int Run(
        CommandContext context, SupervisedRecipe recipe, string weights, int? threads, string deviceName, string? source,
        string? json)
    {
        TextWriter output = json == Outputs.StandardOutput ? context.Error : context.Output;
        if (json is not null)
        {
            Outputs.CheckJson(json);
        }

        Layer model = recipe.CreateModel();
        model.Build(recipe.ExampleShape);
        model.LoadWeights(weights);
        using Device device = Devices.Open(deviceName, threads, output.WriteLine);
        RecipeData data = recipe.Prepare(source, limit: null, output.WriteLine);
        using Trainer trainer = recipe.CreateTrainer(model, device);
        output.WriteLine(
            $"{recipe.Name} with {weights} on {data.Description}, {data.Test.Count} test examples; {device.Description}");
        TestResult test = Tester.Test(trainer, data.Test, recipe, quick: false, context.Cancellation);
        Tester.Write(output, test);
        output.WriteLine(test.Outcome.ToString());
        if (json is not null)
        {
            var figures = new EvaluationResult(
                recipe.Name, device.Kind, device.Threads, model.Parameters.Sum(parameter => parameter.Count), test.Metrics,
                test.Outcome, RunResult.Sha256(weights));
            Outputs.WriteJson(json, context.Output, figures, ResultJson.Default.EvaluationResult);
        }

        return 0;
    }
}
