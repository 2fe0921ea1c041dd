using System.Globalization;
using System.Text;

namespace FastNN;

/// <summary>One row of a <see cref="ClassificationReport"/>: a class, or an average over classes.</summary>
public sealed record ClassMetrics
{
    /// <summary>The class's name, or "macro avg" or "weighted avg".</summary>
    public string Name { get; init; } = "";

    /// <summary>Share of the examples predicted to be of this class that belong to it.</summary>
    public double Precision { get; init; }

    /// <summary>Share of the examples of this class that were predicted to be of it.</summary>
    public double Recall { get; init; }

    /// <summary>The harmonic mean of precision and recall.</summary>
    public double F1 { get; init; }

    /// <summary>How many examples belong to this class.</summary>
    public long Support { get; init; }
}

/// <summary>
/// Precision, recall, F1 and support per class with their averages, as scikit-learn's classification_report gives them: a
/// quotient without denominator counts as 0, the macro average weighs classes alike, the weighted one by their support.
/// </summary>
public sealed class ClassificationReport
{
    private readonly ClassMetrics[] _classes;

    /// <summary>The report of a confusion matrix as it stands; later counts do not change it.</summary>
    /// <param name="confusion">The counts.</param>
    public ClassificationReport(ConfusionMatrix confusion)
    {
        _classes = new ClassMetrics[confusion.Classes];
        for (int i = 0; i < _classes.Length; i++)
        {
            long support = confusion.Support(i);
            double precision = Ratio(confusion[i, i], confusion.Predicted(i));
            double recall = Ratio(confusion[i, i], support);
            double f1 = Ratio(2 * precision * recall, precision + recall);
            _classes[i] = new ClassMetrics
            {
                Name = confusion.Names[i],
                Precision = precision,
                Recall = recall,
                F1 = f1,
                Support = support
            };
        }

        Total = confusion.Total;
        Accuracy = confusion.Accuracy;
        MacroAverage = Average("macro avg", _ => 1);
        WeightedAverage = Average("weighted avg", metrics => metrics.Support);
    }

    /// <summary>The classes in the order of their indices.</summary>
    public IReadOnlyList<ClassMetrics> Classes => _classes;

    /// <summary>The mean over the classes.</summary>
    public ClassMetrics MacroAverage { get; }

    /// <summary>The mean over the classes, each weighted by its support.</summary>
    public ClassMetrics WeightedAverage { get; }

    /// <summary>The share of all examples predicted right.</summary>
    public double Accuracy { get; }

    /// <summary>The number of examples.</summary>
    public long Total { get; }

    /// <summary>The report as text, with two digits behind the point, laid out as scikit-learn does.</summary>
    public override string ToString() => ToString(2);

    /// <summary>The report as text.</summary>
    /// <param name="digits">Digits behind the point, 0 to 15.</param>
    /// <returns>Lines without a trailing line end.</returns>
    /// <exception cref="ArgumentOutOfRangeException">The number of digits is out of range.</exception>
    public string ToString(int digits)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(digits);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(digits, 15);
        int width = Math.Max(_classes.Max(metrics => metrics.Name.Length), WeightedAverage.Name.Length);
        string Number(double value) =>
            value.ToString("F" + digits.ToString(CultureInfo.InvariantCulture), CultureInfo.InvariantCulture);

        var text = new StringBuilder();
        AppendRow(text, width, "", "precision", "recall", "f1-score", "support");
        text.Append('\n');
        foreach (ClassMetrics metrics in _classes)
        {
            Append(metrics);
        }

        text.Append('\n');
        AppendRow(text, width, "accuracy", "", "", Number(Accuracy), Total.ToString(CultureInfo.InvariantCulture));
        Append(MacroAverage);
        Append(WeightedAverage);
        return text.ToString().TrimEnd('\n');

        void Append(ClassMetrics metrics) => AppendRow(
            text, width, metrics.Name, Number(metrics.Precision), Number(metrics.Recall), Number(metrics.F1),
            metrics.Support.ToString(CultureInfo.InvariantCulture));
    }

    private static void AppendRow(StringBuilder text, int width, string name, params ReadOnlySpan<string> cells)
    {
        text.Append(name.PadLeft(width)).Append(' ');
        foreach (string cell in cells)
        {
            text.Append(' ').Append(cell.PadLeft(9));
        }

        text.Append('\n');
    }

    private static double Ratio(double numerator, double denominator) => denominator == 0 ? 0 : numerator / denominator;

    private ClassMetrics Average(string name, Func<ClassMetrics, double> weight)
    {
        double sum = _classes.Sum(weight);
        double Mean(Func<ClassMetrics, double> value) => Ratio(_classes.Sum(metrics => weight(metrics) * value(metrics)), sum);

        return new ClassMetrics
        {
            Name = name,
            Precision = Mean(m => m.Precision),
            Recall = Mean(m => m.Recall),
            F1 = Mean(m => m.F1),
            Support = Total,
        };
    }
}
