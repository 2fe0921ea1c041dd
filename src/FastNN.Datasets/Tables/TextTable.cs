using System.Globalization;
using System.Text;

namespace FastNN.Data;

/// <summary>Tables in CSV whose columns are known and whose cells are not all numbers.</summary>
internal static class TextTable
{
    /// <summary>Reads the rows behind a header.</summary>
    /// <param name="content">The file's content.</param>
    /// <param name="path">What messages call it.</param>
    /// <param name="header">The names of the columns.</param>
    /// <param name="make">Makes something of the present record.</param>
    /// <exception cref="FileFormatException">The header is another, a record has too many or too few cells, quotes are wrong, or
    /// there is no record.</exception>
    public static List<T> Read<T>(byte[] content, string path, string[] header, Func<CsvRecords, T> make)
    {
        using var text = new StreamReader(new MemoryStream(content), Encoding.UTF8);
        using var records = new CsvRecords(text, path, new CsvOptions());
        if (!records.Read() || !Enumerable.Range(0, records.Count).Select(records.Text).SequenceEqual(header))
        {
            throw records.Fault(
                0, $"the header {string.Join(',', header)}", records.Count == 0 ? "the end of the file" : "another");
        }

        var rows = new List<T>();
        while (records.Read())
        {
            if (records.Count != header.Length)
            {
                throw records.Fault(
                    Math.Min(records.Count, header.Length) - 1, $"{header.Length} cells in the record", $"{records.Count}");
            }

            rows.Add(make(records));
        }

        return rows.Count > 0 ? rows : throw records.Fault(0, "a record", "the end of the file");
    }

    /// <summary>A cell with a whole number in a range.</summary>
    /// <exception cref="FileFormatException">It holds something else.</exception>
    public static long Whole(this CsvRecords records, int column, long least, long most) =>
        long.TryParse(records.Cell(column), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out long value)
        && value >= least && value <= most
            ? value
            : throw records.Fault(column, $"a whole number from {least} to {most}", $"'{records.Cell(column)}'");

    /// <summary>A cell with a finite number.</summary>
    /// <exception cref="FileFormatException">It holds something else.</exception>
    public static float Number(this CsvRecords records, int column) =>
        float.TryParse(records.Cell(column), NumberStyles.Float, CultureInfo.InvariantCulture, out float value)
        && float.IsFinite(value)
            ? value
            : throw records.Fault(column, "a finite number", $"'{records.Cell(column)}'");
}
