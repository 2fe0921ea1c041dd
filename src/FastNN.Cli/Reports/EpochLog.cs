using System.Globalization;

namespace FastNN.Cli.Reports;

/// <summary>A log.csv read back: the epochs of the whole run, those before an interruption included.</summary>
internal sealed class EpochLog
{
    private const string Held = "validation_";

    private readonly string[] _names;
    private readonly double[][] _rows;

    private EpochLog(string[] names, double[][] rows) => (_names, _rows) = (names, rows);

    public int Count => _rows.Length;

    /// <summary>Reads what is whole of a file; an empty log where there is none.</summary>
    public static EpochLog Read(string path)
    {
        string[] lines = File.Exists(path) ? File.ReadAllLines(path) : [];
        string[] names = lines.Length > 0 ? lines[0].Split(',') : [];
        double[][] rows =
        [
            .. lines.Skip(1).Select(line => line.Split(',')).Where(cells => cells.Length == names.Length)
                .Select(cells => Array.ConvertAll(cells, Number)),
        ];
        return new EpochLog(names, rows);
    }

    /// <summary>What can be drawn: each value with that of the data held out beside it.</summary>
    /// <param name="held">What those examples are called, such as "validation".</param>
    public IEnumerable<(string Title, IReadOnlyList<ChartLine> Lines)> Charts(string held)
    {
        foreach (string name in _names)
        {
            if (name is "epoch" or "seconds" || name.StartsWith(Held, StringComparison.Ordinal))
            {
                continue;
            }

            ChartLine?[] both = [Line(name, name == "learning_rate" ? "" : "training", 0), Line(Held + name, held, 1)];
            ChartLine[] lines = [.. both.OfType<ChartLine>()];
            if (lines.Length > 0)
            {
                yield return (Title(name), lines);
            }
        }
    }

    private static string Title(string name) => name switch
    {
        "loss" => "Loss by epoch",
        "accuracy" => "Accuracy",
        "learning_rate" => "Learning rate",
        _ => name,
    };

    private ChartLine? Line(string column, string name, int color)
    {
        int at = Array.IndexOf(_names, column), epoch = Array.IndexOf(_names, "epoch");
        return at < 0 || epoch < 0 || !_rows.Any(row => double.IsFinite(row[at]))
            ? null
            : new ChartLine(name, [.. _rows.Select(row => (row[epoch], row[at]))], color);
    }

    private static double Number(string cell) =>
        double.TryParse(cell, NumberStyles.Float, CultureInfo.InvariantCulture, out double value) ? value : double.NaN;
}
