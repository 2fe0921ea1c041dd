using System.Globalization;
using System.Text;
using FastNN.Formats;

namespace FastNN.Data;

/// <summary>Tables of numbers and categories with one target column, in CSV (RFC 4180, UTF-8).</summary>
/// <remarks>
/// Limits: 65,536 columns, also after categories became columns, and as many classes, cells of 32,767 characters, records of
/// 4,194,304. Beyond the dataset's own arrays loading allocates at most twice the size of the text, 256 bytes per column and
/// class, and a megabyte.
/// </remarks>
public static class CsvDataset
{
    /// <summary>
    /// Loads a table. Every column but the target and the ignored ones is a feature: a number, or a category that becomes columns
    /// of its own.
    /// </summary>
    /// <param name="path">The file; a regular one.</param>
    /// <param name="options">How it is read; null for a comma, a header and classes in the last column.</param>
    /// <exception cref="FileFormatException">A cell is empty, no number, NaN or infinite, a record has too many or too few
    /// cells, quotes are wrong, a class is unknown, there is no record, or a limit is exceeded; names line and
    /// column.</exception>
    /// <exception cref="ArgumentException">The options contradict themselves.</exception>
    /// <exception cref="IOException">The file does not exist or is not a regular file, or it cannot be read.</exception>
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
        using var text = new StreamReader(
            stream, Encoding.UTF8, detectEncodingFromByteOrderMarks: true, bufferSize: 1 << 14, leaveOpen: true);
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
        var table = new Table(records, target, isFeature, FindCategories(records, first, isFeature, options), options);
        if (!options.HasHeader)
        {
            table.ReadRecord();
        }

        while (records.Read())
        {
            table.ReadRecord();
        }

        return table.Build(first);
    }

    private static void Check(CsvOptions options)
    {
        char separator = options.Separator;
        if (separator is not '\t' and (< ' ' or > '~') || char.IsLetterOrDigit(separator) || separator is '"' or '.' or '-'
            or '+')
        {
            throw new ArgumentException(
                $"CsvOptions: expected a separator such as a comma, got U+{(int)separator:X4}", nameof(options));
        }

        ArgumentOutOfRangeException.ThrowIfNegative(options.SkipLines, nameof(options));
        if (options.TargetName is not null && !options.HasHeader)
        {
            throw new ArgumentException(
                $"the target column is named '{options.TargetName}', but the table has no header", nameof(options));
        }

        if (options.Ignore is null || (options.Ignore.Count > 0 && !options.HasHeader))
        {
            throw new ArgumentException("columns to ignore are named, but the table has no header", nameof(options));
        }

        if (options.Categories is null || (options.Categories.Count > 0 && !options.HasHeader))
        {
            throw new ArgumentException("columns of categories are named, but the table has no header", nameof(options));
        }

        if (options.CategoryValues?.Keys.FirstOrDefault(name => !options.Categories.Contains(name)) is { } stray)
        {
            throw new ArgumentException(
                $"categories are given for column '{Quote.Text(stray)}', which is not among Categories", nameof(options));
        }

        if (options.MissingTexts is null || options.MissingTexts.Contains(null) || !float.IsFinite(options.MissingValue))
        {
            throw new ArgumentException("expected texts and a finite number for missing cells", nameof(options));
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
            throw records.Fault(
                0, "a target column and at least one other", $"one column (is '{options.Separator}' the separator?)");
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

        return isFeature.Contains(true)
            ? isFeature
            : throw records.Fault(0, "a feature besides the target and the ignored columns", "none");
    }

    private static CsvCategories?[] FindCategories(CsvRecords records, string[] header, bool[] isFeature, CsvOptions options)
    {
        var categories = new CsvCategories?[isFeature.Length];
        foreach (string name in options.Categories)
        {
            int column = FindColumn(records, header, name);
            if (!isFeature[column] || categories[column] is not null)
            {
                throw new ArgumentException(
                    $"column '{Quote.Text(name)}' holds no feature, or is named twice among the categories", nameof(options));
            }

            categories[column] = new CsvCategories(
                name, options.CategoryValues?.GetValueOrDefault(name), options.UnknownCategory == CsvUnknownCategory.OwnColumn);
        }

        return categories;
    }

    private static int FindColumn(CsvRecords records, string[] header, string name)
    {
        int at = Array.IndexOf(header, name);
        return at >= 0 && Array.LastIndexOf(header, name) == at
            ? at
            : throw records.Fault(0, $"one column '{Quote.Text(name)}' in the header", at < 0 ? "none" : "several");
    }

    private sealed class Table(CsvRecords records, int target, bool[] isFeature, CsvCategories?[] categories, CsvOptions options)
    {
        private readonly int _columns = records.Count;
        private readonly int _size = isFeature.Count(feature => feature);
        private readonly Pieces<float> _features = new();
        private readonly Pieces<float> _values = new();
        private readonly CsvClasses _classes = new(options.ClassNames);
        private bool _isAnyMissing;

        public void ReadRecord()
        {
            for (int column = 0; column < Math.Min(_columns, records.Count); column++)
            {
                if (isFeature[column])
                {
                    // Until the end a category is its index, and a missing number is NaN, which no cell can be.
                    _features.Add(categories[column]?.Read(records, column) ?? ReadFeature(column));
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

        public Dataset Build(string[] header)
        {
            if (_features.Count == 0)
            {
                throw records.Fault(0, "a record of numbers", "the end of the file");
            }

            CsvCategories?[] columns = [.. categories.Where((_, column) => isFeature[column])];
            string[] names = [.. header.Where((_, column) => isFeature[column])];
            float[] features = _features.ToArray();
            if (_isAnyMissing)
            {
                FillMissing(features, columns, names);
            }

            if (Array.Exists(columns, column => column is not null))
            {
                features = Expand(features, columns);
                names = [.. names.SelectMany((name, i) => columns[i]?.Names ?? [name])];
            }

            int size = columns.Sum(column => column?.Width ?? 1);
            if (options.Target == CsvTarget.Value)
            {
                return Dataset.FromFloats(features, [size], _values.ToArray(), [1], names);
            }

            (int[] labels, int classes, IReadOnlyList<string>? classNames) = _classes.Build();
            return Dataset.FromFloats(features, [size], labels, classes, classNames, names);
        }

        /// <summary>Puts numbers where they are missing.</summary>
        private void FillMissing(float[] features, CsvCategories?[] columns, string[] names)
        {
            for (int column = 0; column < _size; column++)
            {
                if (columns[column] is not null)
                {
                    continue;
                }

                float fill = options.Missing == CsvMissing.Constant ? options.MissingValue : Mean(features, column, names);
                for (int at = column; at < features.Length; at += _size)
                {
                    features[at] = float.IsNaN(features[at]) ? fill : features[at];
                }
            }
        }

        private float Mean(float[] features, int column, string[] names)
        {
            double sum = 0;
            long count = 0;
            for (int at = column; at < features.Length; at += _size)
            {
                if (!float.IsNaN(features[at]))
                {
                    sum += features[at];
                    count++;
                }
            }

            string name = names.Length > column ? $"column '{Quote.Text(names[column])}'" : $"feature column {column}";
            return count > 0
                ? (float)(sum / count)
                : throw records.Fault(0, $"a number in {name}, for the mean of the others to stand for missing ones", "none");
        }

        /// <summary>Puts one column per category in place of each column of categories.</summary>
        private float[] Expand(float[] features, CsvCategories?[] columns)
        {
            int wide = columns.Sum(column => column?.Width ?? 1), rows = features.Length / _size;
            if (wide > CsvLimits.MaxColumns || (long)wide * rows > Array.MaxLength)
            {
                throw records.Fault(
                    0, $"at most {CsvLimits.MaxColumns} columns and {Array.MaxLength} numbers with a column per category",
                    $"{wide} columns, {(long)wide * rows} numbers");
            }

            int[]?[] places = Array.ConvertAll(columns, column => column?.Places());
            var expanded = new float[wide * rows];
            for (int row = 0; row < rows; row++)
            {
                int at = row * wide;
                for (int column = 0; column < _size; column++)
                {
                    float value = features[(row * _size) + column];
                    if (places[column] is not { } place)
                    {
                        expanded[at++] = value;
                        continue;
                    }

                    expanded[at + (value == CsvCategories.Unknown ? place[^1] : place[(int)value])] = 1;
                    at += columns[column]!.Width;
                }
            }

            return expanded;
        }

        private float ReadFeature(int column)
        {
            if (options.Missing != CsvMissing.Error)
            {
                ReadOnlySpan<char> cell = records.Cell(column).Trim();
                foreach (string text in options.MissingTexts)
                {
                    if (cell.SequenceEqual(text))
                    {
                        _isAnyMissing = true;
                        return float.NaN;
                    }
                }
            }

            return ReadNumber(column);
        }

        private float ReadNumber(int column)
        {
            ReadOnlySpan<char> cell = records.Cell(column);
            if (cell.IsEmpty)
            {
                throw records.Fault(column, "a number", "an empty cell");
            }

            // .NET takes NUL characters behind a number for part of it.
            bool number = float.TryParse(cell, NumberStyles.Float, CultureInfo.InvariantCulture, out float value)
                && cell[^1] != '\0';
            if (number && float.IsFinite(value))
            {
                return value;
            }

            records.CheckUtf8(column, cell);
            throw records.Fault(column, "a finite number", $"'{cell[..Math.Min(cell.Length, 2 * Quote.Longest)]}'");
        }
    }
}
