using System.Globalization;
using System.Numerics.Tensors;
using System.Text;

namespace FastNN;

/// <summary>
/// How far the probabilities of predictions can be trusted: predictions are put into bins of equal width by the probability of
/// the class they name, and in each bin that probability is compared with how often it was right (the reliability diagram of
/// Guo, Pleiss, Sun and Weinberger, "On calibration of modern neural networks", 2017). Not safe for concurrent use.
/// </summary>
public sealed class Calibration
{
    private readonly long[] _counts;
    private readonly long[] _correct;
    private readonly double[] _confidence;

    /// <summary>A measure of nothing yet.</summary>
    /// <param name="bins">The number of bins, 1 to 10,000; default 15.</param>
    /// <exception cref="ArgumentOutOfRangeException">The number of bins is out of range.</exception>
    public Calibration(int bins = 15)
    {
        if (bins is < 1 or > 10_000)
        {
            throw new ArgumentOutOfRangeException(nameof(bins), bins, "Calibration: expected 1 to 10,000 bins.");
        }

        (_counts, _correct, _confidence) = (new long[bins], new long[bins], new double[bins]);
    }

    /// <summary>Predictions counted.</summary>
    public long Total => _counts.Sum();

    /// <summary>
    /// The expected calibration error (Naeini, Cooper and Hauskrecht, 2015): the mean over predictions of the distance between
    /// probability and accuracy of their bin, 0 to 1; 0 if nothing was counted.
    /// </summary>
    public double ExpectedError
    {
        get
        {
            double sum = 0;
            for (int bin = 0; bin < _counts.Length; bin++)
            {
                sum += Math.Abs(_correct[bin] - _confidence[bin]);
            }

            return Total == 0 ? 0 : sum / Total;
        }
    }

    /// <summary>The bins, from the lowest probabilities to the highest.</summary>
    public IReadOnlyList<CalibrationBin> Bins => [.. Enumerable.Range(0, _counts.Length).Select(Bin)];

    /// <summary>Counts predictions.</summary>
    /// <param name="probabilities">A probability for each class, one prediction after the other.</param>
    /// <param name="labels">The class that each prediction should have named.</param>
    /// <exception cref="ArgumentException">The probabilities are not the same number for each label, are not in 0..1, or a label
    /// is out of range.</exception>
    public void Add(ReadOnlySpan<float> probabilities, ReadOnlySpan<int> labels)
    {
        int classes = ClassesOf(probabilities, labels, nameof(Calibration));
        foreach (float probability in probabilities)
        {
            // A sum of shares may be a rounding above 1.
            if (probability is not (>= 0 and <= 1.0001f))
            {
                throw new ArgumentException(
                    $"Calibration: expected probabilities from 0 to 1, got {probability}.", nameof(probabilities));
            }
        }

        for (int i = 0; i < labels.Length; i++)
        {
            ReadOnlySpan<float> row = probabilities.Slice(i * classes, classes);
            int named = TensorPrimitives.IndexOfMax(row);
            int bin = Math.Clamp((int)(row[named] * _counts.Length), 0, _counts.Length - 1);
            _counts[bin]++;
            _correct[bin] += named == labels[i] ? 1 : 0;
            _confidence[bin] += row[named];
        }
    }

    /// <summary>
    /// The temperature T that makes softmax(logits / T) fit best: that of the least cross-entropy (Guo et al., 2017). Above 1
    /// where a network is too sure. Accuracy does not change with it.
    /// </summary>
    /// <param name="logits">A score for each class, one example after the other; examples that training did not see.</param>
    /// <param name="labels">The class of each example.</param>
    /// <returns>From 0.05 to 20.</returns>
    /// <exception cref="ArgumentException">The logits are not the same number for each label, are not finite, or a label is out
    /// of range.</exception>
    public static float FitTemperature(ReadOnlySpan<float> logits, ReadOnlySpan<int> labels)
    {
        int classes = ClassesOf(logits, labels, "Calibration.FitTemperature");
        foreach (float logit in logits)
        {
            if (!float.IsFinite(logit))
            {
                throw new ArgumentException(
                    $"Calibration.FitTemperature: expected finite logits, got {logit}.", nameof(logits));
            }
        }

        // The cross-entropy is convex in 1 / T, so that its slope changes its sign once.
        double low = 1 / 20.0, high = 1 / 0.05;
        for (int step = 0; step < 60; step++)
        {
            double middle = Math.Sqrt(low * high);
            (low, high) = Slope(logits, labels, classes, middle) < 0 ? (middle, high) : (low, middle);
        }

        return (float)(1 / Math.Sqrt(low * high));
    }

    /// <summary>The reliability diagram as text: for each bin that has predictions a row with a bar of its accuracy, and a mark
    /// where its probability stands.</summary>
    public override string ToString()
    {
        const int Width = 40;
        var text = new StringBuilder("probability    predictions  accuracy\n");
        foreach (CalibrationBin bin in Bins.Where(bin => bin.Count > 0))
        {
            char[] bar = [.. Enumerable.Repeat('#', (int)Math.Round(bin.Accuracy * Width)), .. Enumerable.Repeat(' ', Width + 1)];
            bar[(int)Math.Round(bin.Confidence * Width)] = '|';
            text.Append(CultureInfo.InvariantCulture, $"{bin.Low:0.00} to {bin.High:0.00}  {bin.Count,12:N0}  {bin.Accuracy,8:0.000}  ")
                .Append(new string(bar).TrimEnd()).Append('\n');
        }

        return text.Append(CultureInfo.InvariantCulture, $"expected calibration error {ExpectedError:0.0000}").ToString();
    }

    /// <summary>The derivative of the cross-entropy by 1 / T: what is expected of the logits less what the labels have.</summary>
    private static double Slope(ReadOnlySpan<float> logits, ReadOnlySpan<int> labels, int classes, double scale)
    {
        double slope = 0;
        for (int i = 0; i < labels.Length; i++)
        {
            ReadOnlySpan<float> row = logits.Slice(i * classes, classes);
            double highest = TensorPrimitives.Max(row), sum = 0, weighted = 0;
            foreach (float logit in row)
            {
                double weight = Math.Exp((logit - highest) * scale);
                sum += weight;
                weighted += weight * logit;
            }

            slope += (weighted / sum) - row[labels[i]];
        }

        return slope;
    }

    private static int ClassesOf(ReadOnlySpan<float> values, ReadOnlySpan<int> labels, string name)
    {
        if (labels.Length == 0 || values.Length == 0 || values.Length % labels.Length != 0)
        {
            throw new ArgumentException(
                $"{name}: expected at least one label and as many values for each, got {values.Length} values and {labels.Length} labels.",
                nameof(values));
        }

        int classes = values.Length / labels.Length;
        foreach (int label in labels)
        {
            if ((uint)label >= (uint)classes)
            {
                throw new ArgumentException($"{name}: label {label} is out of range 0..{classes - 1}.", nameof(labels));
            }
        }

        return classes;
    }

    private CalibrationBin Bin(int bin)
    {
        double count = _counts[bin];
        return new CalibrationBin(
            (double)bin / _counts.Length, (bin + 1.0) / _counts.Length, _counts[bin],
            count == 0 ? double.NaN : _confidence[bin] / count, count == 0 ? double.NaN : _correct[bin] / count);
    }
}

/// <summary>Predictions of about one probability.</summary>
/// <param name="Low">The least probability of the bin.</param>
/// <param name="High">The probability at which the next bin begins.</param>
/// <param name="Count">Predictions in it.</param>
/// <param name="Confidence">The mean of their probabilities; NaN without predictions.</param>
/// <param name="Accuracy">The share that was right; NaN without predictions.</param>
public readonly record struct CalibrationBin(double Low, double High, long Count, double Confidence, double Accuracy);
