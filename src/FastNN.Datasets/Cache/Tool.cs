using System.ComponentModel;
using System.Diagnostics;

namespace FastNN.Data;

/// <summary>A program of the machine failed or is not there; the message is one line.</summary>
internal sealed class ToolException(string message, bool started, Exception? inner = null) : IOException(message, inner)
{
    /// <summary>Whether the program is there and ran.</summary>
    public bool Started { get; } = started;
}

/// <summary>Runs a program of the machine to its end.</summary>
internal static class Tool
{
    private const int LongestReason = 300;
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(10);

    /// <exception cref="ToolException">The program is not installed, failed or took longer than ten minutes.</exception>
    /// <exception cref="OperationCanceledException">It was cancelled, and the program ended.</exception>
    /// <param name="program">Its name or path.</param>
    /// <param name="arguments">What it is given.</param>
    /// <param name="folder">Where it runs.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <param name="libraryPath">Where it finds shared libraries before the machine's (LD_LIBRARY_PATH); default none.</param>
    public static void Run(
        string program, IReadOnlyList<string> arguments, string folder, CancellationToken cancellationToken,
        string libraryPath = "")
    {
        using Process process = Start(program, arguments, folder, libraryPath);
        process.StandardInput.Close();
        Task<string> output = process.StandardOutput.ReadToEndAsync(CancellationToken.None);
        Task<string> errors = process.StandardError.ReadToEndAsync(CancellationToken.None);
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(Patience);
        try
        {
            process.WaitForExitAsync(limit.Token).GetAwaiter().GetResult();
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
            cancellationToken.ThrowIfCancellationRequested();
            throw new ToolException($"{program} took more than {Patience.TotalMinutes} minutes", started: true);
        }

        string reason = errors.GetAwaiter().GetResult() + output.GetAwaiter().GetResult();
        if (process.ExitCode != 0)
            throw new ToolException(
                $"{program} {arguments[0]} failed with code {process.ExitCode}: {OneLine(reason)}", started: true);
    }

    private static Process Start(string program, IReadOnlyList<string> arguments, string folder, string libraryPath)
    {
        // npm is a batch file on Windows, which only the shell finds.
        bool shell = OperatingSystem.IsWindows();
        var start = new ProcessStartInfo(shell ? "cmd.exe" : program)
        {
            WorkingDirectory = folder,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            UseShellExecute = false,
        };
        foreach (string argument in shell ? ["/d", "/c", program, .. arguments] : arguments)
            start.ArgumentList.Add(argument);
        start.Environment["LC_ALL"] = "C";
        if (libraryPath.Length > 0)
        {
            start.Environment["LD_LIBRARY_PATH"] = libraryPath;
        }

        try
        {
            return Process.Start(start) ?? throw new ToolException($"{program} did not start", started: false);
        }
        catch (Win32Exception e)
        {
            throw new ToolException($"{program} is not installed", started: false, e);
        }
    }

    private static string OneLine(string text)
    {
        string line = string.Join(' ', text.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries));
        return line.Length <= LongestReason ? line : line[..LongestReason] + "...";
    }
}
