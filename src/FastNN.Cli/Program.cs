using FastNN.Cli.Commands;

namespace FastNN.Cli;

/// <summary>The `fastnn` tool.</summary>
public static class Program
{
    /// <summary>Runs the tool on the process's own streams.</summary>
    /// <returns>0, 1 where the run or its data failed, 2 where the command line is wrong, 130 where it was interrupted (129 by
    /// SIGHUP, 143 by SIGTERM).</returns>
    public static int Main(string[] args)
    {
        using var interrupt = new Interrupt();
        return Run(args, Console.Out, Console.Error, interrupt.Token) is var code && interrupt.ExitCode is { } interrupted
            && code == Failure.Interrupted
            ? interrupted
            : code;
    }

    /// <summary>Runs the tool on any streams.</summary>
    /// <param name="args">The command line.</param>
    /// <param name="output">What the user asked for.</param>
    /// <param name="error">One line where something failed.</param>
    /// <param name="cancellationToken">What Ctrl-C triggers.</param>
    /// <returns>The exit code.</returns>
    public static int Run(string[] args, TextWriter output, TextWriter error, CancellationToken cancellationToken = default)
    {
        try
        {
            return CommandLine.Invoke(args, output, error, cancellationToken);
        }
        catch (Exception exception)
        {
            (int code, string message) = Failure.Describe(exception);
            Failure.Report(error, message);
            return code;
        }
    }
}
