using System.Globalization;
using System.Text;
using FastNN.Formats;

namespace FastNN.Data;

/// <summary>Tables of numbers with one target column, in CSV (RFC 4180, UTF-8).</summary>
/// <remarks>
/// Limits: 65,536 columns and as many classes, cells of 32,767 characters, records of 4,194,304. Beyond the dataset's own arrays
/// loading allocates at most twice the size of the text, 256 bytes per column and class, and a megabyte.
/// </remarks>
public static class CsvDataset
{
    /// <summary>Loads a table. Every column but the target and the ignored ones is a feature.</summary>
    /// <param name="path">The file; a regular one.</param>
    /// <param name="options">How it is read; null for a comma, a header and classes in the last column.</param>
    /// <exception cref="FileFormatException">A cell is empty, no number, NaN or infinite, a record has too many or too few
    /// cells, quotes are wrong, a class is unknown, there is no record, or a limit is exceeded; names line and column.</exception>
    /// <exception cref="ArgumentException">The options contradict themselves.</exception>
    /// <exception cref="IOException">There is no such file, it is no regular file, or it cannot be read.</exception>
    public static Dataset Load(string path, CsvOptions? options = null)
    {
        using FileStream file = InputFile.OpenRead(path);
        return Load(file, options, path);
    }

    /// <summary>Loads a table from a stream, which need not be able to seek and stays open.</summary>
    /// <param name="stream">The text, from the present position on.</param>
    /// <param name="options">As for <see cref="Load(string, CsvOptions?)"/>.</param>
    /// <param name="name">What messages call the stream.</param>
    /// <inheritdoc cref="Load(string, CsvOptions?)" path="/exception"/>
    public static Dataset Load(Stream stream, CsvOptions? options = null, string name = "stream")
    {
        ArgumentNullException.ThrowIfNull(stream);
        using var text = new StreamReader(stream, Encoding.UTF8, detectEncodingFromByteOrderMarks: true, bufferSize: 1 << 14, leaveOpen: true);
        return Load(text, options, name);
    }

    /// <summary>Loads a table from text.</summary>
    /// <param name="text">The text, from the present position on; it stays open.</param>
    /// <param name="options">As for <see cref="Load(string, CsvOptions?)"/>.</param>
    /// <param name="name">What messages call the text.</param>
    /// <inheritdoc cref="Load(string, CsvOptions?)" path="/exception"/>
    public static Dataset Load(TextReader text, CsvOptions? options = null, string name = "text")
    {
        ArgumentNullException.ThrowIfNull(text);
        ArgumentException.ThrowIfNullOrEmpty(name);
        options ??= new CsvOptions();
        Check(options);
        using var records = new CsvRecords(text, name, options);
        if (!records.Read())
        {
            throw records.Fault(0, "a record", "the end of the file");
        }

        string[] first = options.HasHeader ? ReadTexts(records) : [];
        int target = FindTarget(records, first, options);
        bool[] isFeature = FindFeatures(records, first, target, options);
        string[] features = [.. first.Where((_, column) => isFeature[column])];
        var table = new Table(records, target, isFeature, options);
        if (!options.HasHeader)
        {
            table.ReadRecord();
        }

        while (records.Read())
        {
            table.ReadRecord();
        }

        return table.Build(features);
    }

    private static void Check(CsvOptions options)
    {
        char separator = options.Separator;
        if (separator is not '\t' and (< ' ' or > '~') || char.IsLetterOrDigit(separator) || separator is '"' or '.' or '-' or '+')
        {
            throw new ArgumentException($"U+{(int)separator:X4} is no separator", nameof(options));
        }

        ArgumentOutOfRangeException.ThrowIfNegative(options.SkipLines, nameof(options));
        if (options.TargetName is not null && !options.HasHeader)
        {
            throw new ArgumentException($"the target column is named '{options.TargetName}', but the table has no header", nameof(options));
        }

        if (options.Ignore is null || (options.Ignore.Count > 0 && !options.HasHeader))
        {
            throw new ArgumentException("columns to ignore are named, but the table has no header", nameof(options));
        }

        if (options.ClassNames is { } names && (names.Count == 0 || names.Contains(null)))
        {
            throw new ArgumentException("the class names are none, or one of them is null", nameof(options));
        }
    }

    private static string[] ReadTexts(CsvRecords records)
    {
        var texts = new string[records.Count];
        for (int i = 0; i < texts.Length; i++)
        {
            texts[i] = records.Text(i);
        }

        return texts;
    }

    private static int FindTarget(CsvRecords records, string[] header, CsvOptions options)
    {
        if (records.Count < 2)
        {
            throw records.Fault(0, "a target column and at least one other", $"one column (is '{options.Separator}' the separator?)");
        }

        if (options.TargetName is { } wanted)
        {
            return FindColumn(records, header, wanted);
        }

        int target = options.TargetColumn.GetOffset(records.Count);
        return target >= 0 && target < records.Count
            ? target
            : throw records.Fault(0, $"a target column {options.TargetColumn}", $"{records.Count} columns");
    }

    private static bool[] FindFeatures(CsvRecords records, string[] header, int target, CsvOptions options)
    {
        var isFeature = new bool[records.Count];
        Array.Fill(isFeature, true);
        isFeature[target] = false;
        foreach (string name in options.Ignore)
        {
            int column = FindColumn(records, header, name);
            if (column == target)
            {
                throw new ArgumentException($"column '{Quote.Text(name)}' is the target and cannot be ignored", nameof(options));
            }

            isFeature[column] = false;
        }

        return isFeature.Contains(true) ? isFeature : throw records.Fault(0, "a feature besides the target and the ignored columns", "none");
    }

    private static int FindColumn(CsvRecords records, string[] header, string name)
    {
        int at = Array.IndexOf(header, name);
        return at >= 0 && Array.LastIndexOf(header, name) == at
            ? at
            : throw records.Fault(0, $"one column '{Quote.Text(name)}' in the header", at < 0 ? "none" : "several");
    }

    private sealed class Table(CsvRecords records, int target, bool[] isFeature, CsvOptions options)
    {
        private readonly int _columns = records.Count;
        private readonly int _size = isFeature.Count(feature => feature);
        private readonly Pieces<float> _features = new();
        private readonly Pieces<float> _values = new();
        private readonly CsvClasses _classes = new(options.ClassNames);

        public void ReadRecord()
        {
            for (int column = 0; column < Math.Min(_columns, records.Count); column++)
            {
                if (isFeature[column])
                {
                    _features.Add(ReadNumber(column));
                }
                else if (column != target)
                {
                    records.Cell(column);
                }
                else if (options.Target == CsvTarget.Value)
                {
                    _values.Add(ReadNumber(column));
                }
                else
                {
                    _classes.Add(records, column);
                }
            }

            if (records.Count > _columns)
            {
                throw records.Fault(_columns, $"{_columns} cells in the record", "more");
            }

            if (records.Count < _columns)
            {
                throw records.Fault(records.Count - 1, $"{_columns} cells in the record", $"{records.Count}");
            }

            if (_features.Count > Array.MaxLength)
            {
                throw records.Fault(0, $"at most {Array.MaxLength} numbers in the table", "more");
            }
        }

        public Dataset Build(string[] featureNames)
        {
            if (_features.Count == 0)
            {
                throw records.Fault(0, "a record of numbers", "the end of the file");
            }

            float[] features = _features.ToArray();
            if (options.Target == CsvTarget.Value)
            {
                return Dataset.FromFloats(features, [_size], _values.ToArray(), [1], featureNames);
            }

            (int[] labels, int classes, IReadOnlyList<string>? names) = _classes.Build();
            return Dataset.FromFloats(features, [_size], labels, classes, names, featureNames);
        }

        private float ReadNumber(int column)
        {
            ReadOnlySpan<char> cell = records.Cell(column);
            if (cell.IsEmpty)
            {
                throw records.Fault(column, "a number", "an empty cell");
            }

            // .NET takes NUL characters behind a number for part of it.
            bool number = float.TryParse(cell, NumberStyles.Float, CultureInfo.InvariantCulture, out float value) && cell[^1] != '\0';
            if (number && float.IsFinite(value))
            {
                return value;
            }

            records.CheckUtf8(column, cell);
            throw records.Fault(column, "a finite number", $"'{cell[..Math.Min(cell.Length, 2 * Quote.Longest)]}'");
        }
    }
}
