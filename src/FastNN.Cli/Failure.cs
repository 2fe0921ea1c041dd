namespace FastNN.Cli;

/// <summary>A failure whose message is meant for the user, with the exit code it calls for.</summary>
internal sealed class CliException(string message, int exitCode = Failure.Runtime) : Exception(message)
{
    public int ExitCode { get; } = exitCode;
}

/// <summary>Exit codes, and the message for an exception.</summary>
internal static class Failure
{
    /// <summary>The run or its data failed.</summary>
    public const int Runtime = 1;

    /// <summary>The command line is wrong.</summary>
    public const int Usage = 2;

    /// <summary>Ctrl-C.</summary>
    public const int Interrupted = 130;

    public static CliException OfUsage(string message) => new(message, Usage);

    /// <summary>
    /// The exit code and one line. The library's exceptions are written for users; for others the type says more than the
    /// message.
    /// </summary>
    public static (int Code, string Message) Describe(Exception exception) => exception switch
    {
        CliException failure => (failure.ExitCode, OneLine(failure.Message)),
        OperationCanceledException => (Interrupted, "interrupted"),
        UnauthorizedAccessException or IOException or ArgumentException or InvalidOperationException or ArithmeticException
            or FastNN.Onnx.OnnxException or NotSupportedException =>
            (Runtime, OneLine(exception.Message)),
        OutOfMemoryException => (Runtime, "out of memory; a smaller --batch needs less"),
        _ => (Runtime, OneLine($"unexpected {exception.GetType().Name}: {exception.Message}")),
    };

    /// <summary>Writes the line that says what failed. Where the terminal is gone, the exit code alone says it.</summary>
    public static void Report(TextWriter error, string message)
    {
        try
        {
            error.WriteLine($"fastnn: {message}");
        }
        catch (IOException)
        {
        }
    }

    private static string OneLine(string text) =>
        string.Join(' ', text.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries));
}
