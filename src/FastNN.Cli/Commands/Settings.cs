using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using FastNN.Cli.Recipes;
using FastNN.Cpu;

namespace FastNN.Cli.Commands;

/// <summary>
/// The arguments and options that several commands share. Each call creates a new one, because a command owns its options.
/// </summary>
internal static class Settings
{
    public static Argument<Recipe> RecipeName() => new("recipe")
    {
        Description = "The recipe's name; `fastnn recipes` lists them.",
        HelpName = "RECIPE",
        CustomParser = result =>
        {
            string name = result.Tokens[0].Value;
            if (RecipeBook.Find(name) is { } recipe)
            {
                return recipe;
            }

            result.AddError($"There is no recipe '{name}'. {RecipeBook.Suggest(name)}");
            return null;
        },
    };

    /// <summary>For commands on the one network that a supervised recipe trains.</summary>
    public static Argument<SupervisedRecipe> SupervisedRecipeName(string command) => new("recipe")
    {
        Description = "The recipe's name; `fastnn recipes` lists them.",
        HelpName = "RECIPE",
        CustomParser = result =>
        {
            string name = result.Tokens[0].Value;
            Recipe? recipe = RecipeBook.Find(name);
            if (recipe is SupervisedRecipe supervised)
            {
                return supervised;
            }

            result.AddError(recipe is null
                ? $"There is no recipe '{name}'. {RecipeBook.Suggest(name)}"
                : $"{command} takes the recipes that train one network on examples; {name} is a program of its own.");
            return null;
        },
    };

    public static Option<int?> Epochs() => Whole("--epochs", "Epochs in total, including those before --resume.", 1, 1_000_000);

    public static Option<int?> Batch() => Whole("--batch", "Examples per step.", 1, 1 << 20);

    public static Option<int?> Threads() => Whole("--threads", "Processor threads; all by default.", 1, CpuDevice.MaxThreads);

    public static Option<int?> Limit() => Whole("--limit", "Train on the first N examples only.", 1, int.MaxValue);

    public static Option<int?> Steps(string name, string description) => Whole(name, description, 1, 1_000_000);

    public static Option<double?> LearningRate() => new("--lr")
    {
        Description = "The learning rate.",
        HelpName = "X",
        CustomParser = result => Parse<double?>(
            result,
            text => double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out double value) && value > 0
                && float.IsFinite((float)value) ? value : null,
            "a positive number"),
    };

    public static Option<ulong?> Seed() => new("--seed")
    {
        Description = "Determines the first weights, the order of examples and the validation split; 0 by default.",
        HelpName = "N",
        CustomParser = result => Parse<ulong?>(
            result,
            text => ulong.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out ulong value) ? value : null,
            $"a whole number from 0 to {ulong.MaxValue}"),
    };

    public static Option<string> Device()
    {
        var option = new Option<string>("--device")
        {
            Description = "Where to compute: cpu, cuda, or best (cuda where a GPU is usable, else cpu).",
            HelpName = "cpu|cuda|best",
            DefaultValueFactory = _ => "cpu",
        };
        option.AcceptOnlyFromAmong("cpu", "cuda", "best");
        return option;
    }

    public static Option<string?> Data() => new("--data")
    {
        Description = "The recipe's data: a folder with the IDX or CIFAR-10 files, or a CSV file; downloaded and cached by default.",
        HelpName = "PATH",
    };

    public static Option<string?> Json(string what) => new("--json")
    {
        Description = $"Write {what} to a file as JSON; - for standard output.",
        HelpName = "FILE",
    };

    private static Option<int?> Whole(string name, string description, int least, int most) => new(name)
    {
        Description = description,
        HelpName = "N",
        CustomParser = result => Parse<int?>(
            result,
            text => int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out int value)
                && value >= least && value <= most ? value : null,
            most == int.MaxValue ? $"a whole number of at least {least}" : $"a whole number from {least} to {most}"),
    };

    private static T? Parse<T>(ArgumentResult result, Func<string, T?> parse, string wanted)
    {
        string text = result.Tokens.Count == 0 ? "" : result.Tokens[0].Value;
        T? value = parse(text);
        if (value is null)
        {
            result.AddError($"{(result.Parent as OptionResult)?.Option.Name}: '{text}' is not {wanted}.");
        }

        return value;
    }
}
