using System.CommandLine;
using FastNN.Cli.Recipes;
using Spectre.Console;

namespace FastNN.Cli.Commands;

/// <summary>`fastnn recipes`</summary>
internal static class RecipesCommand
{
    /// <summary>In fewer columns the cells of a table are a word wide.</summary>
    private const int WidthOfTable = 110;

    public static Command Create(CommandContext context)
    {
        var command = new Command("recipes", "List the recipes with their networks, data and defaults.");
        command.SetAction(_ =>
        {
            if (!context.IsTerminal)
            {
                WritePlain(context.Output);
            }
            else if (AnsiConsole.Profile.Width >= WidthOfTable)
            {
                WriteTable();
            }
            else
            {
                WriteList();
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
                new Text(recipe.Name), new Text(recipe.Network), new Text(recipe.DataDescription),
                new Text(recipe.TrainingDescription),
                new Text(recipe.Goal.ToString()));
        }

        AnsiConsole.Write(table);
    }

    private static void WriteList()
    {
        foreach (Recipe recipe in RecipeBook.All)
        {
            AnsiConsole.WriteLine(recipe.Name);
            Grid lines = new Grid().AddColumn(new GridColumn().NoWrap().PadLeft(2).PadRight(2)).AddColumn();
            foreach ((string name, string text) in Lines(recipe))
            {
                lines.AddRow(new Text(name), new Text(text));
            }

            AnsiConsole.Write(lines);
        }
    }

    private static void WritePlain(TextWriter output)
    {
        foreach (Recipe recipe in RecipeBook.All)
        {
            output.WriteLine(recipe.Name);
            foreach ((string name, string text) in Lines(recipe))
            {
                output.WriteLine($"  {name,-8}  {text}");
            }
        }
    }

    private static (string Name, string Text)[] Lines(Recipe recipe) =>
        [
            ("network", recipe.Network), ("data", recipe.DataDescription), ("training", recipe.TrainingDescription),
            ("reaches", recipe.Goal.ToString())];
}
