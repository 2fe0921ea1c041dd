using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;
using System.Reflection;
using FastNN.Cli.Recipes;

namespace FastNN.Cli.Commands;

/// <summary>The commands and how a command line reaches them.</summary>
internal static class CommandLine
{
    public static int Invoke(string[] args, TextWriter output, TextWriter error, CancellationToken cancellationToken)
    {
        var context = new CommandContext(output, error, cancellationToken);
        RootCommand root = Build(context);
        // No response files: an argument that begins with @ is a name like any other.
        ParseResult result = root.Parse(
            args.Length == 0 ? ["--help"] : args, new ParserConfiguration { ResponseFileTokenReplacer = null });
        if (result.Errors.Count > 0)
        {
            throw Failure.OfUsage($"{Describe(root, result)} (try: fastnn {Path(result.CommandResult)}--help)");
        }

        // Help calls a tool by its assembly's name; ours is called fastnn.
        using var text = new StringWriter { NewLine = output.NewLine };
        bool help = result.Action is HelpAction;
        int code = result.Invoke(new InvocationConfiguration
        {
            Output = help ? text : output,
            Error = error,
            EnableDefaultExceptionHandler = false,
            ProcessTerminationTimeout = null,
        });
        output.Write(text.ToString().Replace(RootCommand.ExecutableName, "fastnn", StringComparison.Ordinal));
        return code;
    }

    private static RootCommand Build(CommandContext context)
    {
        string recipes = string.Join(", ", RecipeBook.All.Select(recipe => recipe.Name));
        var root = new RootCommand($"FastNN trains and runs neural networks. Recipes: {recipes}.")
        {
            TrainCommand.Create(context),
            SearchCommand.Create(context),
            EvaluateCommand.Create(context),
            RunsCommand.Create(context),
            WatchCommand.Create(context),
            RecipesCommand.Create(context),
            PlanCommand.Create(context),
            DataCommand.Create(context),
            ProfileCommand.Create(context),
            DevicesCommand.Create(context),
            DoctorCommand.Create(context),
            SelfTestCommand.Create(context),
            OnnxCommand.Create(context),
            ServeCommand.Create(context),
        };
        foreach (VersionOption option in root.Options.OfType<VersionOption>())
        {
            option.Action = new VersionAction(context.Output);
        }

        return root;
    }

    private static string Describe(RootCommand root, ParseResult result) =>
        result.CommandResult.Command == root && result.UnmatchedTokens is [var given, ..] && !given.StartsWith('-')
            ? $"There is no command '{given}'. {Nearest.Suggest(given, [.. root.Subcommands.Select(command => command.Name)])}"
            : result.Errors[0].Message;

    private static string Path(System.CommandLine.Parsing.CommandResult result) =>
        result.Parent is System.CommandLine.Parsing.CommandResult ? $"{result.Command.Name} " : "";
}

/// <summary>
/// Prints this tool's version; the built-in action prints that of the process's main assembly, whatever hosts the tool.
/// </summary>
internal sealed class VersionAction(TextWriter output) : SynchronousCommandLineAction
{
    public override bool Terminating => true;

    public override int Invoke(ParseResult parseResult)
    {
        Assembly assembly = typeof(VersionAction).Assembly;
        output.WriteLine(
            assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion
                ?? assembly.GetName().Version?.ToString());
        return 0;
    }
}

/// <summary>What every command writes to and stops for.</summary>
internal sealed record CommandContext(TextWriter Output, TextWriter Error, CancellationToken Cancellation)
{
    /// <summary>Whether a person is watching: only then are there colors and moving bars.</summary>
    public bool IsTerminal => ReferenceEquals(Output, Console.Out) && !Console.IsOutputRedirected;
}
