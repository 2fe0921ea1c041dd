namespace FastNN.Cli;

/// <summary>Names that a mistyped one may have meant.</summary>
internal static class Nearest
{
    /// <summary>One sentence: the nearest name if it is near, else all names.</summary>
    public static string Suggest(string given, IReadOnlyList<string> names)
    {
        string nearest = names.MinBy(name => Distance(given, name))!;
        // A third of the letters wrong is still a typing error; more is another word.
        return Distance(given, nearest) <= Math.Max(2, nearest.Length / 3)
            ? $"Did you mean '{nearest}'?"
            : $"Choose one of {string.Join(", ", names)}.";
    }

    /// <summary>Levenshtein's distance: letters inserted, deleted or replaced.</summary>
    internal static int Distance(string a, string b)
    {
        var row = new int[b.Length + 1];
        for (int j = 0; j < row.Length; j++)
        {
            row[j] = j;
        }

        for (int i = 1; i <= a.Length; i++)
        {
            int diagonal = row[0];
            row[0] = i;
            for (int j = 1; j <= b.Length; j++)
            {
                int above = row[j];
                int replace = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
                row[j] = Math.Min(replace, 1 + Math.Min(above, row[j - 1]));
                diagonal = above;
            }
        }

        return row[b.Length];
    }
}
