using System.Diagnostics;

namespace FastNN.Tests.Formats;

/// <summary>Files that are no regular files.</summary>
internal static class SpecialFile
{
    /// <summary>Makes a named pipe that nobody writes to.</summary>
    public static string Pipe(string folder)
    {
        string path = Path.Combine(folder, "pipe");
        using Process process = Process.Start("mkfifo", [path]);
        process.WaitForExit();
        Assert.That(process.ExitCode, Is.Zero);
        return path;
    }
}
