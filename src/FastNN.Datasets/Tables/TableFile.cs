namespace FastNN.Data;

/// <summary>Tables in CSV, as which the cache keeps them; written always in the same bytes.</summary>
internal static class TableFile
{
    /// <summary>Loads a table of numbers and categories.</summary>
    /// <exception cref="FileFormatException">It is malformed, or in the cache not the known one.</exception>
    public static Dataset Load(DatasetFolder folder, string name, CsvOptions options)
    {
        (byte[] content, string path) = folder.Read(name);
        return CsvDataset.Load(new MemoryStream(content), options, path);
    }

    /// <summary>Writes a header and rows.</summary>
    /// <param name="path">The file.</param>
    /// <param name="names">The names of the columns.</param>
    /// <param name="columns">The cells of each column; null where one is missing, which becomes an empty cell.</param>
    public static void Write(string path, IReadOnlyList<string> names, IReadOnlyList<string?[]> columns)
    {
        using var file = new StreamWriter(path) { NewLine = "\n" };
        file.WriteLine(string.Join(',', names.Select(Cell)));
        for (int row = 0; row < columns[0].Length; row++)
        {
            for (int column = 0; column < columns.Count; column++)
            {
                if (column > 0)
                {
                    file.Write(',');
                }

                file.Write(Cell(columns[column][row]));
            }

            file.WriteLine();
        }
    }

    /// <summary>Writes a table of R.</summary>
    public static void Write(string path, RTable table) => Write(path, table.Names, [.. table.Names.Select(table.Cells)]);

    private static string Cell(string? text) => text is null ? ""
        : text.AsSpan().ContainsAny("\",\r\n") ? $"\"{text.Replace("\"", "\"\"", StringComparison.Ordinal)}\"" : text;
}
