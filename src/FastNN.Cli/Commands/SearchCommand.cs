using System.CommandLine;
using System.Globalization;
using FastNN.Cli.Recipes;
using FastNN.Cli.Searching;
using FastNN.Search;

namespace FastNN.Cli.Commands;

/// <summary>`fastnn search RECIPE`</summary>
internal static class SearchCommand
{
    /// <summary>How far around the recipe's own values is searched.</summary>
    private const double RateFactor = 30;
    private const int BatchFactor = 4;

    public static Command Create(CommandContext context)
    {
        Argument<SupervisedRecipe> recipe = Settings.SupervisedRecipeName("search");
        Option<int?> epochs = Settings.Epochs(), limit = Settings.Limit(), threads = Settings.Threads();
        Option<ulong?> seed = Settings.Seed();
        Option<string> device = Settings.Device();
        Option<string?> data = Settings.Data();
        Option<int> trials = Count("--trials", "Trials in all, those of the journal included; 30 by default.", 30),
        parallel = Count("--parallel", "Trials at a time; 1 by default. Give each its share of the cores by --threads.", 1);
        var sampler = new Option<string>("--sampler")
        {
            Description = "Who chooses: tpe (default), cma-es, random or grid.",
            HelpName = "NAME",
            DefaultValueFactory = _ => "tpe",
        };
        sampler.AcceptOnlyFromAmong("tpe", "cma-es", "random", "grid");
        var pruner = new Option<string>("--pruner")
        {
            Description = "Who stops trials early by their epochs: none (default), median, halving or hyperband.",
            HelpName = "NAME",
            DefaultValueFactory = _ => "none",
        };
        pruner.AcceptOnlyFromAmong("none", "median", "halving", "hyperband");
        Option<(double Low, double High)?> rate = Range("--lr", "Learning rates to search; around the recipe's own by default."),
        batch = Range("--batch", "Batch sizes to search; around the recipe's own by default.");
        var journal = new Option<string?>("--journal")
        {
            Description = "Keep the search in this file, which Optuna reads, and go on with what it holds; RECIPE.search by default.",
            HelpName = "FILE",
        };
        var plots = new Option<string?>("--plots")
        {
            Description = "Draw the search into this HTML file: trials in their order, importance, values over each parameter.",
            HelpName = "FILE",
        };
        var command = new Command(
            "search", "Search for the settings that train a recipe best, on examples held out from training.")
        {
            recipe, trials, parallel, sampler, pruner, rate, batch, epochs, limit, seed, threads, device, data, journal, plots,
        };
        command.SetAction(result =>
        {
            SupervisedRecipe chosen = result.GetRequiredValue(recipe);
            (double Low, double High) rates = result.GetValue(rate)
                ?? ((double)(decimal)chosen.LearningRate / RateFactor, (double)(decimal)chosen.LearningRate * RateFactor);
            (double Low, double High) batches = result.GetValue(batch)
                ?? (Math.Max(1, chosen.Batch / BatchFactor), chosen.Batch * BatchFactor);
            if (batches.Low < 1 || batches.High > 1 << 20 || batches.Low % 1 != 0 || batches.High % 1 != 0)
            {
                throw Failure.OfUsage($"--batch: expected whole numbers from 1 to {1 << 20}");
            }

            int length = result.GetValue(epochs) ?? chosen.Epochs;
            var arguments = new List<string> { "--epochs", Text(length), "--device", result.GetValue(device)! };
            Add(arguments, "--limit", result.GetValue(limit));
            Add(arguments, "--threads", result.GetValue(threads));
            Add(arguments, "--data", result.GetValue(data));
            Add(arguments, "--seed", result.GetValue(seed));
            return new SearchRun(
                new SearchSettings
                {
                    Recipe = chosen,
                    Space = new SearchSpace(
                        new FloatParameter("lr", rates.Low, rates.High, log: true),
                        new IntParameter("batch", (int)batches.Low, (int)batches.High, log: true)),
                    Sampler = result.GetValue(sampler) switch
                    {
                        "cma-es" => new CmaEsSampler(),
                        "random" => new RandomSampler(),
                        "grid" => new GridSampler(),
                        _ => new TpeSampler(),
                    },
                    Pruner = result.GetValue(pruner) switch
                    {
                        "median" => new MedianPruner(),
                        "halving" => new SuccessiveHalvingPruner(),
                        "hyperband" => new HyperbandPruner(length),
                        _ => null,
                    },
                    Trials = result.GetValue(trials),
                    Parallel = result.GetValue(parallel),
                    Journal = result.GetValue(journal) ?? $"{chosen.Name}.search",
                    Plots = result.GetValue(plots),
                    Seed = result.GetValue(seed) ?? 0,
                    Arguments = arguments,
                },
                context).Run();
        });
        return command;
    }

    private static void Add(List<string> arguments, string option, object? value)
    {
        if (value is not null)
        {
            arguments.AddRange([option, Text(value)]);
        }
    }

    private static string Text(object value) => Convert.ToString(value, CultureInfo.InvariantCulture)!;

    private static Option<int> Count(string name, string description, int normal)
    {
        var option = new Option<int>(name) { Description = description, HelpName = "N", DefaultValueFactory = _ => normal };
        option.Validators.Add(result =>
        {
            if (result.GetValueOrDefault<int>() < 1)
            {
                result.AddError($"{name}: expected a whole number of at least 1.");
            }
        });
        return option;
    }

    private static Option<(double Low, double High)?> Range(string name, string description) => new(name)
    {
        Description = description,
        HelpName = "LOW..HIGH",
        CustomParser = result =>
        {
            string text = result.Tokens.Count == 0 ? "" : result.Tokens[0].Value;
            string[] parts = text.Split("..");
            if (parts.Length == 2 && Number(parts[0]) is { } low && Number(parts[1]) is { } high && low <= high)
            {
                return (low, high);
            }

            result.AddError($"{name}: '{text}' is not two positive numbers LOW..HIGH, such as 0.0001..0.01.");
            return null;
        },
    };

    private static double? Number(string text) =>
        double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out double value) && value > 0
            && double.IsFinite(value) ? value : null;
}
