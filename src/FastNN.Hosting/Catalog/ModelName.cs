namespace FastNN.Hosting;

/// <summary>Names of models: one plain segment of a path, on every system.</summary>
internal static class ModelName
{
    private const int Longest = 128;

    private static readonly HashSet<string> Reserved = new(StringComparer.OrdinalIgnoreCase)
    {
        "CON", "PRN", "AUX", "NUL", "COM1", "COM2", "COM3", "COM4", "COM5", "COM6", "COM7", "COM8", "COM9",
        "LPT1", "LPT2", "LPT3", "LPT4", "LPT5", "LPT6", "LPT7", "LPT8", "LPT9",
    };

    /// <summary>What is wrong with a name; null where nothing is.</summary>
    public static string? Fault(string name)
    {
        if (name.Length is 0 or > Longest)
        {
            return $"expected 1 to {Longest} characters";
        }

        // Letters of any script; no separator, control character, blank, colon or wildcard, and none that looks like nothing.
        if (!name.All(character => char.IsLetterOrDigit(character) || character is '_' or '-' or '.'))
        {
            return "expected letters, digits, '_', '-' and '.'";
        }

        if (name[0] == '.' || name[^1] == '.')
        {
            return "expected a name that neither begins nor ends with '.'";
        }

        return Reserved.Contains(name.Split('.')[0]) ? "the name is reserved for devices on some systems" : null;
    }
}
