using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using FastNN.Formats;

namespace FastNN.Cli.Running;

/// <summary>Where results go. Paths are checked before the work begins, and files appear whole or not at all.</summary>
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
        if (path != StandardOutput && !IsDevice(path))
        {
            CheckFile("--json", path);
        }
    }

    /// <summary>Makes sure that the file of an option can be written.</summary>
    public static void CheckFile(string option, string path)
    {
        if (FileKind.Obstacle(path) is { } obstacle)
        {
            throw new CliException($"{option} {path}: that is {obstacle}, not a file");
        }

        Try($"{option} {path}", () => Touch(FolderOf(path)));
    }

    /// <summary>Writes a result as JSON; a file appears whole, and is on the disk when this returns.</summary>
    public static void WriteJson<T>(string path, TextWriter output, T result, JsonTypeInfo<T> type)
    {
        byte[] json = [.. JsonSerializer.SerializeToUtf8Bytes(result, type), (byte)'\n'];
        if (path == StandardOutput)
        {
            output.Write(Encoding.UTF8.GetString(json));
        }
        else if (IsDevice(path))
        {
            // A rename would put a file in the device's place.
            File.WriteAllBytes(path, json);
        }
        else
        {
            AtomicFile.Write(path, stream => stream.Write(json));
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

    private static bool IsDevice(string path) =>
        !OperatingSystem.IsWindows() && Path.GetFullPath(path).StartsWith("/dev/", StringComparison.Ordinal);
}
