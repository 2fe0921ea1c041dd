using System.Diagnostics;

namespace FastNN.Peers;

/// <summary>
/// Starts this program once more through bench/dotnet-newer-libc, where the system's own libraries are too old for a peer's.
/// </summary>
internal static class NewerLibc
{
    private const string Marker = "FASTNN_PEERS_NEWER_LIBC";

    public const string Hint =
        "run bench/dotnet-newer-libc --version once to set newer libraries up, or add --newer-libc";

    /// <summary>True in the second process, which must not start a third.</summary>
    public static bool Active => Environment.GetEnvironmentVariable(Marker) is not null;

    /// <summary>Runs the whole program there and returns its exit code; null where that cannot be done.</summary>
    public static int? TryRun(string[] arguments, bool setUp)
    {
        var runner = Active || OperatingSystem.IsWindows() ? null : FindRunner();
        if (runner is null || (!setUp && Run(runner, ["--ready"]) != 0))
        {
            return null;
        }

        return Run(runner, [typeof(NewerLibc).Assembly.Location, .. arguments]);
    }

    private static int Run(string runner, IEnumerable<string> arguments)
    {
        var start = new ProcessStartInfo(runner, arguments) { UseShellExecute = false };
        start.Environment[Marker] = "1";
        using var process = Process.Start(start)!;
        process.WaitForExit();
        return process.ExitCode;
    }

    private static string? FindRunner()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            var runner = Path.Combine(folder.FullName, "bench", "dotnet-newer-libc");
            if (File.Exists(runner))
            {
                return runner;
            }
        }

        return null;
    }
}
