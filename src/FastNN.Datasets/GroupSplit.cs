using FastNN.Tensors;

namespace FastNN.Data;

/// <summary>
/// Divides examples into parts so that what belongs together, such as copies of one text, is in one part, and every part has the
/// classes in about the same shares.
/// </summary>
public static class GroupSplit
{
    /// <summary>
    /// Takes the groups one after the other, large ones first and equally large ones in a random order, and puts each where its
    /// classes are missing most.
    /// </summary>
    /// <param name="groups">For each example the number of its group, of any kind.</param>
    /// <param name="labels">For each example its class, 0 or more.</param>
    /// <param name="shares">The parts' shares of the examples, positive; they are divided by their sum.</param>
    /// <param name="seed">What the order is drawn from.</param>
    /// <returns>For each example the number of its part.</returns>
    /// <exception cref="ArgumentException">Groups and labels are not equally many, there are no parts, a share is not positive
    /// and finite, or a label is negative.</exception>
    public static int[] Of(
        IReadOnlyList<int> groups, IReadOnlyList<int> labels, IReadOnlyList<double> shares, ulong seed = 0)
    {
        ArgumentNullException.ThrowIfNull(groups);
        ArgumentNullException.ThrowIfNull(labels);
        ArgumentNullException.ThrowIfNull(shares);
        if (groups.Count != labels.Count || labels.Any(label => label < 0))
        {
            throw new ArgumentException(
                $"GroupSplit: expected a group and a class of at least 0 for each example, got {groups.Count} groups and "
                + $"{labels.Count} labels from {labels.DefaultIfEmpty().Min()} on.");
        }

        if (shares.Count == 0 || shares.Any(share => !(share > 0 && double.IsFinite(share))))
        {
            throw new ArgumentException(
                $"GroupSplit: expected positive shares, got {string.Join(", ", shares)}.", nameof(shares));
        }

        int[] order = [.. Enumerable.Range(0, groups.Count)];
        Philox.Shuffle(order, seed, Philox.Stream(RandomUse.Split));
        int[][] members = [
            .. order.GroupBy(example => groups[example]).Select(group => group.ToArray())
                .OrderByDescending(group => group.Length)];
        int classes = labels.Count == 0 ? 0 : labels.Max() + 1;
        double sum = shares.Sum();
        var missing = new double[shares.Count, classes];
        var wanted = new double[shares.Count, classes];
        foreach (int label in labels)
        {
            for (int part = 0; part < shares.Count; part++)
            {
                wanted[part, label] = missing[part, label] += shares[part] / sum;
            }
        }

        var parts = new int[groups.Count];
        foreach (int[] group in members)
        {
            int best = 0;
            double most = double.NegativeInfinity;
            for (int part = 0; part < shares.Count; part++)
            {
                double need = group.Sum(example => missing[part, labels[example]] / wanted[part, labels[example]]);
                (best, most) = need > most ? (part, need) : (best, most);
            }

            foreach (int example in group)
            {
                parts[example] = best;
                missing[best, labels[example]]--;
            }
        }

        return parts;
    }
}
