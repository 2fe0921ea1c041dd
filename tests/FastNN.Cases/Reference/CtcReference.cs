namespace FastNN.Testing;

/// <summary>Connectionist temporal classification in double, by the sum over all alignments: tables of probabilities.</summary>
internal static class CtcReference
{
    /// <summary>The losses of the examples, then reduced.</summary>
    public static double[] Forward(
        double[] x, (int Steps, int Batch, int Classes) sizes, double[] targets, double[] inputLengths, double[] targetLengths,
        int blank, Reduction reduction, bool zeroInfinity)
    {
        int longest = targets.Length / sizes.Batch;
        var losses = new double[sizes.Batch];
        for (int n = 0; n < sizes.Batch; n++)
        {
            int[] labels = [.. targets.Skip(n * longest).Take((int)targetLengths[n]).Select(value => (int)value)];
            double probability = Probability(
                (step, k) => Math.Exp(x[(((step * sizes.Batch) + n) * sizes.Classes) + k]), (int)inputLengths[n], labels, blank);
            losses[n] = probability == 0 && zeroInfinity ? 0 : -Math.Log(probability);
        }

        return reduction == Reduction.Mean
            ? [losses.Select((loss, n) => loss / Math.Max(1, targetLengths[n])).Average()]
            : Reduce.Forward(reduction, losses);
    }

    /// <summary>The same by trying every path: a path's labels are what remains without repetitions and then without
    /// blanks.</summary>
    public static double ByPaths(Func<int, int, double> p, int steps, int classes, int[] labels, int blank)
    {
        double total = 0;
        var path = new int[steps];
        Walk(0, 1);
        return total;

        void Walk(int step, double probability)
        {
            if (step == steps)
            {
                int[] kept = [.. path.Where((k, i) => k != blank && (i == 0 || path[i - 1] != k))];
                total += kept.SequenceEqual(labels) ? probability : 0;
                return;
            }

            for (int k = 0; k < classes; k++)
            {
                path[step] = k;
                Walk(step + 1, probability * p(step, k));
            }
        }
    }

    public static double Probability(Func<int, int, double> p, int steps, int[] labels, int blank)
    {
        int[] states = [blank, .. labels.SelectMany(label => new[] { label, blank })];
        if (steps == 0)
        {
            return labels.Length == 0 ? 1 : 0;
        }

        double[] ways = [.. states.Select((k, s) => s < 2 ? p(0, k) : 0)];
        for (int step = 1; step < steps; step++)
        {
            double[] before = ways;
            ways = [.. states.Select((k, s) => p(step, k) * (before[s] + (s > 0 ? before[s - 1] : 0)
                + (s > 1 && k != blank && k != states[s - 2] ? before[s - 2] : 0)))];
        }

        return ways[^1] + (ways.Length > 1 ? ways[^2] : 0);
    }
}
