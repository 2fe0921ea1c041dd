using FastNN.Hosting.Security;

namespace FastNN.Cli.Serving;

/// <summary>`fastnn serve --new-key NAME:SCOPES`</summary>
internal static class NewKey
{
    /// <param name="wanted">The key's name and scopes, as they stand on the command line.</param>
    /// <param name="file">A file of keys that gets the line; null for none.</param>
    /// <param name="output">Is told the key, once.</param>
    public static int Make(string wanted, string? file, TextWriter output)
    {
        string[] parts = wanted.Split(':');
        if (parts is not [{ Length: > 0 } name, { Length: > 0 } scopes] || name[0] == '#' || name.Any(char.IsWhiteSpace)
            || !scopes.Split(',').All(FastNN.Hosting.FastNNScopes.IsKnown))
        {
            throw Failure.OfUsage(
                $"--new-key: '{wanted}' is not NAME:SCOPE,... with scopes infer, manage and metrics, as in ci:infer");
        }

        (string key, string line) = ApiKeys.Create(name, scopes.Split(','));
        if (file is not null)
        {
            Append(file, line);
        }

        output.WriteLine($"key:  {key}");
        output.WriteLine($"line: {line}");
        output.WriteLine(file is null
            ? "Keep the key; it cannot be shown again. The line goes into the file of --api-keys."
            : $"Keep the key; it cannot be shown again. The line was added to {file}.");
        return 0;
    }

    private static void Append(string file, string line)
    {
        string before = File.Exists(file) ? File.ReadAllText(file) : "";
        try
        {
            ApiKeys.Parse([.. before.Split('\n'), line]);
        }
        catch (InvalidDataException exception)
        {
            throw Failure.OfUsage($"--api-keys {file}: {exception.Message}");
        }

        var options = new FileStreamOptions { Mode = FileMode.Append, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows())
        {
            // Hashes alone, and still nobody else's business.
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        }

        using var writer = new StreamWriter(new FileStream(file, options));
        writer.Write((before.Length == 0 || before.EndsWith('\n') ? "" : "\n") + line + "\n");
    }
}
