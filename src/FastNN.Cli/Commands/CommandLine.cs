using System.CommandLine;
using FastNN.Cli.Recipes;

namespace FastNN.Cli.Commands;

/// <summary>The commands and how a command line reaches them.</summary>
internal static class CommandLine
{
    public static int Invoke(string[] args, TextWriter output, TextWriter error, CancellationToken cancellation)
    {
        var context = new CommandContext(output, error, cancellation);
        ParseResult result = Build(context).Parse(args.Length == 0 ? ["--help"] : args);
        if (result.Errors.Count > 0)
        {
            throw Failure.OfUsage($"{result.Errors[0].Message} (try: fastnn {Path(result.CommandResult)}--help)");
        }

        return result.Invoke(new InvocationConfiguration
        {
            Output = output,
            Error = error,
            EnableDefaultExceptionHandler = false,
            ProcessTerminationTimeout = null,
        });
    }

    private static RootCommand Build(CommandContext context)
    {
        string recipes = string.Join(", ", RecipeBook.All.Select(recipe => recipe.Name));
        return new RootCommand($"FastNN trains and runs neural networks. Recipes: {recipes}.")
        {
            TrainCommand.Create(context),
            EvaluateCommand.Create(context),
            RecipesCommand.Create(context),
            PlanCommand.Create(context),
            DataCommand.Create(context),
            DevicesCommand.Create(context),
        };
    }

    private static string Path(System.CommandLine.Parsing.CommandResult result) =>
        result.Parent is System.CommandLine.Parsing.CommandResult ? $"{result.Command.Name} " : "";
}

/// <summary>What every command writes to and stops for.</summary>
internal sealed record CommandContext(TextWriter Output, TextWriter Error, CancellationToken Cancellation)
{
    /// <summary>Whether a person is watching: only then are there colours and moving bars.</summary>
    public bool IsTerminal => ReferenceEquals(Output, Console.Out) && !Console.IsOutputRedirected;
}
