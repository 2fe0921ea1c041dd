using System.CommandLine;
using FastNN.Cli.Recipes;
using FastNN.Cli.Running;

namespace FastNN.Cli.Commands;

/// <summary>`fastnn train RECIPE`</summary>
internal static class TrainCommand
{
    public static Command Create(CommandContext context)
    {
        Argument<Recipe> recipe = Settings.RecipeName();
        Option<int?> epochs = Settings.Epochs(), batch = Settings.Batch(), threads = Settings.Threads(), limit = Settings.Limit();
        Option<double?> learningRate = Settings.LearningRate();
        Option<ulong?> seed = Settings.Seed();
        Option<string> device = Settings.Device();
        Option<string?> data = Settings.Data(), json = Settings.Json("the run's figures");
        var folder = new Option<string?>("--out")
        {
            Description = "Save weights, checkpoint and log in this folder; it is created if it does not exist.",
            HelpName = "DIR",
        };
        var resume = new Option<string?>("--resume")
        {
            Description = "Continue an interrupted run, bit for bit, from FILE or, without FILE, from the checkpoint in --out.",
            HelpName = "FILE",
            Arity = ArgumentArity.ZeroOrOne,
        };
        var overwrite = new Option<bool>("--overwrite") { Description = "Delete an earlier run in --out when this one begins." };
        var command = new Command("train", "Train a recipe's network, then test it.")
        {
            recipe, epochs, batch, learningRate, seed, threads, device, data, limit, folder, overwrite, resume, json,
        };
        command.SetAction(result =>
        {
            Recipe chosen = result.GetRequiredValue(recipe);
            string? kept = result.GetValue(folder);
            var settings = new RunSettings
            {
                Recipe = chosen,
                Epochs = result.GetValue(epochs) ?? chosen.Epochs,
                Batch = result.GetValue(batch) ?? chosen.Batch,
                LearningRate = (float?)result.GetValue(learningRate) ?? chosen.LearningRate,
                Seed = result.GetValue(seed) ?? 0,
                Threads = result.GetValue(threads),
                Device = result.GetValue(device)!,
                Data = result.GetValue(data),
                Limit = result.GetValue(limit),
                Out = kept,
                Overwrite = result.GetValue(overwrite),
                Json = result.GetValue(json),
                Resume = result.GetResult(resume) is null ? null : Checkpoint(result.GetValue(resume), kept),
            };
            return new TrainingRun(settings, context).Run();
        });
        return command;
    }

    private static string Checkpoint(string? file, string? folder) => file
        ?? (folder is null
            ? throw Failure.OfUsage("--resume needs a FILE, or --out DIR with a checkpoint in it")
            : RunSettings.CheckpointIn(folder));
}
