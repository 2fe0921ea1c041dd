using System.Globalization;
using System.Text;

namespace FastNN;

/// <summary>
/// How often examples of each class were taken for each class: rows are the actual classes, columns the predicted ones, as in
/// scikit-learn's confusion_matrix. Not safe for concurrent use.
/// </summary>
public sealed class ConfusionMatrix
{
    private readonly long[] _counts;
    private readonly string[] _names;

    /// <summary>A matrix of zeros whose classes are named "0", "1", ...</summary>
    /// <param name="classes">The number of classes, at least 1.</param>
    /// <exception cref="ArgumentOutOfRangeException">The number of classes is not in 1..46340.</exception>
    public ConfusionMatrix(int classes)
        : this(Numbered(classes))
    {
    }

    /// <summary>A matrix of zeros.</summary>
    /// <param name="names">The classes' names in the order of their indices, at least one.</param>
    /// <exception cref="ArgumentOutOfRangeException">The number of classes is not in 1..46340.</exception>
    public ConfusionMatrix(IReadOnlyList<string> names)
    {
        CheckClasses(names.Count);
        _names = [.. names];
        _counts = new long[_names.Length * _names.Length];
    }

    /// <summary>The number of classes.</summary>
    public int Classes => _names.Length;

    /// <summary>The classes' names.</summary>
    public IReadOnlyList<string> Names => _names;

    /// <summary>How many examples were counted.</summary>
    public long Total { get; private set; }

    /// <summary>How many of them were predicted right.</summary>
    public long Correct { get; private set; }

    /// <summary>The share predicted right, from 0 to 1; 0 if nothing was counted.</summary>
    public double Accuracy => Total == 0 ? 0 : (double)Correct / Total;

    /// <summary>How many examples of one class were taken for another.</summary>
    /// <param name="actual">The class they belong to.</param>
    /// <param name="predicted">The class they were taken for.</param>
    /// <exception cref="InvalidDatasetException">A class is out of range.</exception>
    public long this[int actual, int predicted] => _counts[Index(actual, predicted)];

    /// <summary>How many examples belong to a class: the sum of its row.</summary>
    /// <param name="actual">The class.</param>
    /// <returns>The class's support.</returns>
    /// <exception cref="InvalidDatasetException">A class is out of range.</exception>
    public long Support(int actual)
    {
        long sum = 0;
        for (int predicted = 0; predicted < Classes; predicted++)
        {
            sum += this[actual, predicted];
        }

        return sum;
    }

    /// <summary>How many examples were taken for a class: the sum of its column.</summary>
    /// <param name="predicted">The class.</param>
    /// <returns>The number of predictions.</returns>
    /// <exception cref="InvalidDatasetException">A class is out of range.</exception>
    public long Predicted(int predicted)
    {
        long sum = 0;
        for (int actual = 0; actual < Classes; actual++)
        {
            sum += this[actual, predicted];
        }

        return sum;
    }

    /// <summary>Counts one example.</summary>
    /// <param name="actual">The class it belongs to.</param>
    /// <param name="predicted">The class it was taken for.</param>
    /// <exception cref="InvalidDatasetException">A class is out of range; nothing is counted.</exception>
    public void Add(int actual, int predicted) => Add(actual, predicted, 1);

    /// <summary>
    /// Counts examples by the greatest of each row's scores; the first of equal ones wins, as in NumPy's argmax.
    /// </summary>
    /// <param name="actual">The class of each example.</param>
    /// <param name="scores">Logits or probabilities, one row of <see cref="Classes"/> numbers per example.</param>
    /// <exception cref="ShapeException">The scores are not one row per example.</exception>
    /// <exception cref="InvalidDatasetException">A class is out of range, or a score is NaN; the examples before it are
    /// counted.</exception>
    public void AddScores(ReadOnlySpan<int> actual, ReadOnlySpan<float> scores)
    {
        if (scores.Length != (long)actual.Length * Classes)
        {
            throw new ShapeException(
                $"ConfusionMatrix: {scores.Length} scores given for {actual.Length} examples of {Classes} classes.");
        }

        for (int i = 0; i < actual.Length; i++)
        {
            Add(actual[i], ArgMax(scores.Slice(i * Classes, Classes), i));
        }
    }

    /// <summary>
    /// Counts examples of two classes by one probability each: class 1 where it exceeds the threshold, else class 0.
    /// </summary>
    /// <param name="actual">The class of each example, 0 or 1.</param>
    /// <param name="probabilities">The probability of class 1 of each example, as a sigmoid gives it.</param>
    /// <param name="threshold">Default 0.5, which itself counts as class 0 (Keras).</param>
    /// <exception cref="ShapeException">The lengths differ, or there are not two classes.</exception>
    /// <exception cref="InvalidDatasetException">A class is out of range, or a probability is NaN; the examples before it are
    /// counted.</exception>
    public void AddProbabilities(ReadOnlySpan<int> actual, ReadOnlySpan<float> probabilities, float threshold = 0.5f)
    {
        if (Classes != 2 || probabilities.Length != actual.Length)
        {
            throw new ShapeException(
                $"ConfusionMatrix: {probabilities.Length} probabilities given for {actual.Length} examples of {Classes} classes; "
                + "one each and two classes are expected.");
        }

        for (int i = 0; i < actual.Length; i++)
        {
            float probability = probabilities[i];
            Add(actual[i], float.IsNaN(probability) ? throw NotANumber(i) : probability > threshold ? 1 : 0);
        }
    }

    /// <summary>Adds another matrix's counts, such as those of another batch.</summary>
    /// <param name="other">A matrix of as many classes.</param>
    /// <exception cref="ShapeException">The numbers of classes differ.</exception>
    public void Add(ConfusionMatrix other)
    {
        if (other.Classes != Classes)
        {
            throw new ShapeException($"ConfusionMatrix: {other.Classes} classes cannot be added to {Classes}.");
        }

        for (int i = 0; i < _counts.Length; i++)
        {
            _counts[i] += other._counts[i];
        }

        Total += other.Total;
        Correct += other.Correct;
    }

    /// <summary>The matrix as a table: a row per actual class, a column per predicted one.</summary>
    public override string ToString()
    {
        int label = Math.Max(_names.Max(name => name.Length), "actual".Length);
        var widths = new int[Classes];
        for (int column = 0; column < Classes; column++)
        {
            widths[column] = _names[column].Length;
            for (int row = 0; row < Classes; row++)
            {
                widths[column] = Math.Max(widths[column], Text(row, column).Length);
            }
        }

        var table = new StringBuilder();
        table.Append("actual".PadRight(label)).Append("  predicted\n").Append(' ', label);
        AppendRow(table, widths, column => _names[column]);
        for (int row = 0; row < Classes; row++)
        {
            int actual = row;
            table.Append(_names[row].PadRight(label));
            AppendRow(table, widths, column => Text(actual, column));
        }

        return table.ToString().TrimEnd('\n');
    }

    internal void Add(int actual, int predicted, long count)
    {
        _counts[Index(actual, predicted)] += count;
        Total += count;
        Correct += actual == predicted ? count : 0;
    }

    /// <summary>The index of the greatest score; the first of equal ones.</summary>
    internal static int ArgMax(ReadOnlySpan<float> scores, int example)
    {
        int best = 0;
        for (int i = 0; i < scores.Length; i++)
        {
            if (float.IsNaN(scores[i]))
            {
                throw NotANumber(example);
            }

            best = scores[i] > scores[best] ? i : best;
        }

        return best;
    }

    internal static InvalidDatasetException NotANumber(int example) => new($"Metrics: a score of example {example} is NaN.");

    private static void AppendRow(StringBuilder table, int[] widths, Func<int, string> cell)
    {
        for (int column = 0; column < widths.Length; column++)
        {
            table.Append("  ").Append(cell(column).PadLeft(widths[column]));
        }

        table.Append('\n');
    }

    private static string[] Numbered(int classes)
    {
        CheckClasses(classes);
        return [.. Enumerable.Range(0, classes).Select(i => i.ToString(CultureInfo.InvariantCulture))];
    }

    private static void CheckClasses(int classes)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(classes);
        // Its square must be an array length.
        ArgumentOutOfRangeException.ThrowIfGreaterThan(classes, 46340);
    }

    private string Text(int row, int column) => this[row, column].ToString(CultureInfo.InvariantCulture);

    private int Index(int actual, int predicted)
    {
        Check(actual, "actual");
        Check(predicted, "predicted");
        return (actual * Classes) + predicted;
    }

    private void Check(int label, string what)
    {
        if ((uint)label >= (uint)Classes)
        {
            throw new InvalidDatasetException($"ConfusionMatrix: {what} class {label} is out of range 0..{Classes - 1}.");
        }
    }
}
