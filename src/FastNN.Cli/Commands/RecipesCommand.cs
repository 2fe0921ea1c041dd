using System.CommandLine;
using System.Globalization;
using FastNN.Cli.Recipes;
using Spectre.Console;

namespace FastNN.Cli.Commands;

/// <summary>`fastnn recipes`</summary>
internal static class RecipesCommand
{
    public static Command Create(CommandContext context)
    {
        var command = new Command("recipes", "List the recipes with their networks, data and defaults.");
        command.SetAction(_ =>
        {
            if (context.IsTerminal)
            {
                WriteTable();
            }
            else
            {
                WritePlain(context.Output);
            }

            return 0;
        });
        return command;
    }

    private static void WriteTable()
    {
        var table = new Table { Border = TableBorder.Rounded, ShowRowSeparators = true };
        table.AddColumns("recipe", "network", "data", "training", "reaches");
        foreach (Recipe recipe in RecipeBook.All)
        {
            table.AddRow(
                new Text(recipe.Name), new Text(recipe.Network), new Text(recipe.DataDescription), new Text(recipe.TrainingDescription),
                new Text(Target(recipe)));
        }

        AnsiConsole.Write(table);
    }

    private static void WritePlain(TextWriter output)
    {
        foreach (Recipe recipe in RecipeBook.All)
        {
            output.WriteLine(recipe.Name);
            output.WriteLine($"  network   {recipe.Network}");
            output.WriteLine($"  data      {recipe.DataDescription}");
            output.WriteLine($"  training  {recipe.TrainingDescription}");
            output.WriteLine($"  reaches   {Target(recipe)}");
        }
    }

    private static string Target(Recipe recipe) => string.Create(CultureInfo.InvariantCulture, $"test accuracy {recipe.TargetAccuracy:F3}");
}
