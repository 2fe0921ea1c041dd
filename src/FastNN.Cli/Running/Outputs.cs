using System.Text;
using System.Text.Json;

namespace FastNN.Cli.Running;

/// <summary>Where results go. Everything is tried before the work that would be lost begins, and files appear whole or not at all.</summary>
internal static class Outputs
{
    public const string StandardOutput = "-";

    /// <summary>Makes sure that a folder is there and can be written to.</summary>
    /// <returns>Whether it was made.</returns>
    public static bool PrepareFolder(string folder)
    {
        if (File.Exists(folder))
        {
            throw new CliException($"--out {folder}: that is a file, not a folder");
        }

        bool made = !Directory.Exists(folder);
        Try($"--out {folder}", () =>
        {
            Directory.CreateDirectory(folder);
            Touch(folder);
        });
        return made;
    }

    /// <summary>Makes sure that a JSON file can be written.</summary>
    public static void CheckJson(string path)
    {
        if (path == StandardOutput || IsDevice(path))
        {
            return;
        }

        if (Directory.Exists(path))
        {
            throw new CliException($"--json {path}: that is a folder, not a file");
        }

        Try($"--json {path}", () => Touch(FolderOf(path)));
    }

    public static void WriteJson(string path, TextWriter output, Action<Utf8JsonWriter> write)
    {
        using var buffer = new MemoryStream();
        using (var writer = new Utf8JsonWriter(buffer, new JsonWriterOptions { Indented = true }))
        {
            write(writer);
        }

        buffer.WriteByte((byte)'\n');
        if (path == StandardOutput)
        {
            output.Write(Encoding.UTF8.GetString(buffer.ToArray()));
        }
        else if (IsDevice(path))
        {
            // A rename would put a file in the device's place.
            File.WriteAllBytes(path, buffer.ToArray());
        }
        else
        {
            Replace(path, buffer.ToArray());
        }
    }

    private static void Replace(string path, byte[] content)
    {
        string temporary = Path.Combine(FolderOf(path), $".{Guid.NewGuid():N}.tmp");
        try
        {
            File.WriteAllBytes(temporary, content);
            File.Move(temporary, path, overwrite: true);
        }
        catch
        {
            File.Delete(temporary);
            throw;
        }
    }

    private static void Touch(string folder)
    {
        string probe = Path.Combine(folder, $".{Guid.NewGuid():N}.tmp");
        using (new FileStream(probe, FileMode.CreateNew, FileAccess.Write, FileShare.None, 1, FileOptions.DeleteOnClose))
        {
        }
    }

    private static void Try(string what, Action action)
    {
        try
        {
            action();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or NotSupportedException or ArgumentException)
        {
            string reason = e switch
            {
                UnauthorizedAccessException => "no permission to write there",
                DirectoryNotFoundException => "the folder does not exist",
                _ => e.Message,
            };
            throw new CliException($"{what}: cannot be written: {reason}");
        }
    }

    private static string FolderOf(string path) => Path.GetDirectoryName(Path.GetFullPath(path)) ?? "/";

    private static bool IsDevice(string path) => !OperatingSystem.IsWindows() && Path.GetFullPath(path).StartsWith("/dev/", StringComparison.Ordinal);
}
