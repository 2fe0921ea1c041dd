using System.Globalization;
using System.Runtime.InteropServices;
using FastNN.Formats;

namespace FastNN.Data;

/// <summary>Tables of numbers with one target column, in CSV (RFC 4180, UTF-8).</summary>
public static class CsvDataset
{
    /// <summary>Loads a table. Every column but the target is a feature.</summary>
    /// <param name="path">The file.</param>
    /// <param name="options">How it is read; null for a comma, a header and classes in the last column.</param>
    /// <exception cref="FileFormatException">A cell is empty, no number, NaN or infinite, a record has too many or too few
    /// cells, quotes are wrong, a class is unknown, or there is no record; names line and column.</exception>
    /// <exception cref="ArgumentException">The options contradict themselves.</exception>
    /// <exception cref="IOException">There is no such file, or it cannot be read.</exception>
    public static Dataset Load(string path, CsvOptions? options = null)
    {
        using FileStream file = InputFile.OpenRead(path);
        return Load(file, path, options ?? new CsvOptions());
    }

    /// <summary>Reads from a seekable stream.</summary>
    internal static Dataset Load(Stream stream, string name, CsvOptions options)
    {
        Check(options);
        List<string> first = ReadRecord(Open(stream, name, options));
        int target = FindTarget(first, name, options);
        var table = new Table(first.Count, target, options);
        CsvScanner scanner = Open(stream, name, options);
        if (options.HasHeader)
            ReadRecord(scanner);
        while (scanner.Read())
            table.ReadRecord(scanner);

        string[] features = options.HasHeader ? [.. first.Where((_, column) => column != target)] : [];
        return table.Build(scanner, features);
    }

    private static void Check(CsvOptions options)
    {
        char separator = options.Separator;
        if (!char.IsAscii(separator) || char.IsLetterOrDigit(separator) || separator is '"' or '\n' or '\r' or '.' or '-' or '+')
            throw new ArgumentException($"U+{(int)separator:X4} is no separator", nameof(options));
        ArgumentOutOfRangeException.ThrowIfNegative(options.SkipLines, nameof(options));
        if (options.TargetName is not null && !options.HasHeader)
            throw new ArgumentException($"the target column is named '{options.TargetName}', but the table has no header", nameof(options));
    }

    private static CsvScanner Open(Stream stream, string name, CsvOptions options)
    {
        stream.Position = 0;
        var scanner = new CsvScanner(stream, name, options.Separator);
        for (int i = 0; i < options.SkipLines; i++)
            scanner.SkipLine();
        return scanner;
    }

    private static List<string> ReadRecord(CsvScanner scanner)
    {
        var cells = new List<string>();
        do
        {
            if (!scanner.Read())
                throw scanner.Fault("a record", "the end of the file");
            cells.Add(scanner.Text);
        }
        while (!scanner.EndOfRecord);
        return cells;
    }

    private static int FindTarget(List<string> first, string name, CsvOptions options)
    {
        int line = options.SkipLines + 1;
        if (first.Count < 2)
            throw new FileFormatException(name, line, 1, "a target column and at least one other", $"one column (is '{options.Separator}' the separator?)");
        if (options.TargetName is { } wanted)
        {
            int at = first.IndexOf(wanted);
            if (at < 0 || first.LastIndexOf(wanted) != at)
                throw new FileFormatException(name, line, 1, $"one column '{wanted}' in the header", at < 0 ? "none" : "several");
            return at;
        }

        int target = options.TargetColumn.GetOffset(first.Count);
        return target >= 0 && target < first.Count
            ? target
            : throw new FileFormatException(name, line, 1, $"a target column {options.TargetColumn}", $"{first.Count} columns");
    }

    private sealed class Table(int columns, int target, CsvOptions options)
    {
        private readonly List<float> _features = [];
        private readonly List<float> _values = [];
        private readonly CsvClasses _classes = new(options.ClassNames);

        // The scanner stands on the first cell of the record.
        public void ReadRecord(CsvScanner scanner)
        {
            for (int column = 0; ; column++)
            {
                if (column >= columns)
                    throw scanner.Fault($"{columns} cells in the record", "more");
                if (column != target)
                    _features.Add(ReadNumber(scanner));
                else if (options.Target == CsvTarget.Value)
                    _values.Add(ReadNumber(scanner));
                else
                    _classes.Add(scanner);

                if (scanner.EndOfRecord)
                {
                    if (column + 1 < columns)
                        throw scanner.Fault($"{columns} cells in the record", $"{column + 1}");
                    return;
                }

                scanner.Read();
            }
        }

        public Dataset Build(CsvScanner scanner, string[] featureNames)
        {
            if (_features.Count == 0)
                throw scanner.Fault("a record of numbers", "the end of the file");
            float[] features = [.. CollectionsMarshal.AsSpan(_features)];
            if (options.Target == CsvTarget.Value)
                return Dataset.FromPairs(features, [columns - 1], [.. CollectionsMarshal.AsSpan(_values)], [1], featureNames);
            (int[] labels, int classes, IReadOnlyList<string>? names) = _classes.Build();
            return Dataset.FromFloats(features, [columns - 1], labels, classes, names, featureNames);
        }

        private static float ReadNumber(CsvScanner scanner)
        {
            if (scanner.Cell.IsEmpty)
                throw scanner.Fault("a number", "an empty cell");
            bool number = float.TryParse(scanner.Cell, NumberStyles.Float, CultureInfo.InvariantCulture, out float value);
            return number && float.IsFinite(value) ? value : throw scanner.Fault("a finite number", $"'{scanner.Text}'");
        }
    }
}
