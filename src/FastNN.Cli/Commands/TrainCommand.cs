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
        var quick = new Option<bool>("--quick")
        {
            Description = "The short form: few examples and epochs, enough to see that the network learns.",
        };
        var holdOut = new Option<bool>("--hold-out")
        {
            Description = "Test on a tenth held out from the training data instead of the test data, after every epoch: for searches.",
        };
        var board = new Option<string?>("--tensorboard")
        {
            Description = "Write event files for TensorBoard into this folder: scalars, histograms, images, hyperparameters, graph.",
            HelpName = "DIR",
        };
        var anomaly = new Option<bool>("--detect-anomaly")
        {
            Description = "Where loss or gradients are not finite, name the operator and the tensor that first are not.",
        };
        var overfit = new Option<bool>("--overfit-one-batch")
        {
            Description = "Train on one batch alone until the network knows it by heart: whether it can learn at all.",
        };
        var command = new Command("train", "Train a recipe's network, then test it.")
        {
            recipe, epochs, batch, learningRate, seed, threads, device, data, limit, quick, holdOut, folder,
            overwrite, resume, json, board, anomaly, overfit,
        };
        command.SetAction(result =>
        {
            Recipe recipeGiven = result.GetRequiredValue(recipe);
            string? kept = result.GetValue(folder);
            bool isQuick = result.GetValue(quick);
            if (recipeGiven is ScriptedRecipe script)
            {
                RequireAbsent(script, result, epochs, batch, learningRate, limit, holdOut, resume, anomaly, overfit);
                return new ScriptedRun(script, context)
                {
                    Seed = result.GetValue(seed) ?? 0,
                    Threads = result.GetValue(threads),
                    Device = result.GetValue(device)!,
                    Data = result.GetValue(data),
                    Quick = isQuick,
                    Out = kept,
                    Overwrite = result.GetValue(overwrite),
                    Json = result.GetValue(json),
                    TensorBoard = result.GetValue(board),
                }.Run();
            }

            var chosen = (SupervisedRecipe)recipeGiven;
            var settings = new RunSettings
            {
                Recipe = chosen,
                Epochs = result.GetValue(epochs) ?? (isQuick ? chosen.Quick.Epochs : chosen.Epochs),
                Batch = result.GetValue(batch) ?? chosen.Batch,
                LearningRate = (float?)result.GetValue(learningRate) ?? chosen.LearningRate,
                Seed = result.GetValue(seed) ?? 0,
                Threads = result.GetValue(threads),
                Device = result.GetValue(device)!,
                Data = result.GetValue(data),
                Limit = result.GetValue(limit) ?? (isQuick ? chosen.Quick.Limit : null),
                Quick = isQuick,
                HoldOut = result.GetValue(holdOut),
                Out = kept,
                Overwrite = result.GetValue(overwrite),
                Json = result.GetValue(json),
                Resume = result.GetResult(resume) is null ? null : Checkpoint(result.GetValue(resume), kept),
                TensorBoard = result.GetValue(board),
                DetectAnomaly = result.GetValue(anomaly),
            };
            if (result.GetValue(overfit))
            {
                RequireOneBatch(result, epochs, quick, holdOut, folder, resume);
                return new OverfitRun(settings, context).Run();
            }

            return new TrainingRun(settings, context).Run();
        });
        return command;
    }

    /// <summary>A recipe that is a program of its own has no use for these options; ignoring them would mislead.</summary>
    private static void RequireAbsent(ScriptedRecipe recipe, ParseResult result, params ReadOnlySpan<Option> options)
    {
        foreach (Option option in options)
        {
            if (result.GetResult(option) is { Implicit: false })
            {
                throw Failure.OfUsage(
                    $"{option.Name}: {recipe.Name} is a program of its own that decides its epochs and batches; it takes --seed, --threads, --device, --data, --quick, --out, --overwrite, --tensorboard and --json");
            }
        }
    }

    private static void RequireOneBatch(ParseResult result, params ReadOnlySpan<Option> options)
    {
        foreach (Option option in options)
        {
            if (result.GetResult(option) is { Implicit: false })
            {
                throw Failure.OfUsage(
                    $"{option.Name}: --overfit-one-batch is a check that trains on one batch and keeps nothing; it takes --batch, --lr, --seed, --threads, --device, --data, --limit, --tensorboard, --detect-anomaly and --json");
            }
        }
    }

    private static string Checkpoint(string? file, string? folder) => file
        ?? (folder is null
            ? throw Failure.OfUsage("--resume needs a FILE, or --out DIR with a checkpoint in it")
            : RunSettings.CheckpointIn(folder));
}
