using System.Globalization;

namespace FastNN;

/// <summary>How a binary classifier treats one group.</summary>
/// <param name="Count">Examples of the group.</param>
/// <param name="Selected">The share that is predicted positive.</param>
/// <param name="TruePositive">Of the positive examples, the share predicted positive; NaN where there are none.</param>
/// <param name="FalsePositive">Of the negative examples, the share predicted positive; NaN where there are none.</param>
/// <param name="Accuracy">The share that is predicted right.</param>
public sealed record GroupRates(int Count, double Selected, double TruePositive, double FalsePositive, double Accuracy);

/// <summary>
/// Whether a binary classifier treats groups alike: demographic parity (equal shares predicted positive; Calders et al., 2009)
/// and equalized odds (equal rates among the positive and among the negative; Hardt et al., 2016), as Fairlearn measures them.
/// </summary>
public sealed class FairnessReport
{
    private readonly SortedDictionary<int, GroupRates> _groups = [];

    /// <summary>Compares predictions with what was true, by group.</summary>
    /// <param name="predicted">Whether each example is predicted positive.</param>
    /// <param name="actual">Whether it is.</param>
    /// <param name="groups">The group that it belongs to, any numbers.</param>
    /// <exception cref="ArgumentException">The lengths differ, or there is no example.</exception>
    public FairnessReport(ReadOnlySpan<bool> predicted, ReadOnlySpan<bool> actual, ReadOnlySpan<int> groups)
    {
        if (predicted.Length == 0 || predicted.Length != actual.Length || predicted.Length != groups.Length)
        {
            throw new ArgumentException(
                $"FairnessReport: expected as many predictions as truths and groups, one or more, got {predicted.Length}, {actual.Length} and {groups.Length}.");
        }

        foreach (int group in new HashSet<int>(groups.ToArray()))
        {
            // Counts by prediction and truth.
            var counts = new int[2, 2];
            for (int i = 0; i < groups.Length; i++)
            {
                if (groups[i] == group)
                {
                    counts[predicted[i] ? 1 : 0, actual[i] ? 1 : 0]++;
                }
            }

            int count = counts[0, 0] + counts[0, 1] + counts[1, 0] + counts[1, 1];
            _groups.Add(group, new GroupRates(
                count, (double)(counts[1, 0] + counts[1, 1]) / count, Share(counts[1, 1], counts[0, 1]),
                Share(counts[1, 0], counts[0, 0]), (double)(counts[0, 0] + counts[1, 1]) / count));
        }
    }

    /// <summary>The rates of each group.</summary>
    public IReadOnlyDictionary<int, GroupRates> Groups => _groups;

    /// <summary>The share of all examples that is predicted right.</summary>
    public double Accuracy =>
        _groups.Values.Sum(group => group.Count * group.Accuracy) / _groups.Values.Sum(group => group.Count);

    /// <summary>The largest share predicted positive less the smallest; 0 is parity.</summary>
    public double DemographicParityDifference => Spread(group => group.Selected);

    /// <summary>The larger spread of the true and the false positive rates; 0 is equal odds.</summary>
    public double EqualizedOddsDifference => Math.Max(Spread(group => group.TruePositive), Spread(group => group.FalsePositive));

    /// <summary>
    /// Weights under which group and class are independent (Kamiran and Calders, 2012): of each pair the frequency that it would
    /// have if they were, over the one that it has. Their mean is 1.
    /// </summary>
    /// <param name="actual">The class of each training example.</param>
    /// <param name="groups">The group of each.</param>
    /// <returns>A weight for each.</returns>
    /// <exception cref="ArgumentException">The lengths differ.</exception>
    public static float[] Reweigh(ReadOnlySpan<bool> actual, ReadOnlySpan<int> groups)
    {
        if (actual.Length != groups.Length)
        {
            throw new ArgumentException(
                $"FairnessReport: expected as many classes as groups, got {actual.Length} and {groups.Length}.", nameof(groups));
        }

        var ofGroup = new Dictionary<int, int>();
        var ofPair = new Dictionary<(bool, int), int>();
        int positive = 0;
        for (int i = 0; i < actual.Length; i++)
        {
            positive += actual[i] ? 1 : 0;
            ofGroup[groups[i]] = ofGroup.GetValueOrDefault(groups[i]) + 1;
            ofPair[(actual[i], groups[i])] = ofPair.GetValueOrDefault((actual[i], groups[i])) + 1;
        }

        var weights = new float[actual.Length];
        for (int i = 0; i < weights.Length; i++)
        {
            double ofClass = actual[i] ? positive : actual.Length - positive;
            weights[i] = (float)(ofClass * ofGroup[groups[i]] / actual.Length / ofPair[(actual[i], groups[i])]);
        }

        return weights;
    }

    /// <summary>A line for each group.</summary>
    public override string ToString() => string.Join('\n', _groups.Select(pair => string.Create(
        CultureInfo.InvariantCulture,
        $"group {pair.Key}: {pair.Value.Count} examples, {100 * pair.Value.Selected:F1} % selected, accuracy {100 * pair.Value.Accuracy:F1} %")));

    private static double Share(int part, int rest) => part + rest == 0 ? double.NaN : (double)part / (part + rest);

    /// <summary>Groups without a rate say nothing.</summary>
    private double Spread(Func<GroupRates, double> rate)
    {
        double[] rates = [.. _groups.Values.Select(rate).Where(double.IsFinite)];
        return rates.Length == 0 ? 0 : rates.Max() - rates.Min();
    }
}
