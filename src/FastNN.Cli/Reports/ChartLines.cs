namespace FastNN.Cli.Reports;

/// <summary>Losses as lines of a chart.</summary>
internal static class ChartLines
{
    /// <summary>The loss of every step, faint, and its running mean over a fiftieth of them.</summary>
    public static IReadOnlyList<ChartLine> OfLosses(IReadOnlyList<float> losses)
    {
        IReadOnlyList<(double Step, double Loss)> steps = Steps(losses);
        return [new ChartLine("", steps, 0, IsFaint: true), new ChartLine("running mean", RunningMean(steps), 0)];
    }

    /// <summary>Losses with their steps, from 1.</summary>
    public static IReadOnlyList<(double Step, double Loss)> Steps(IReadOnlyList<float> losses) =>
        [.. losses.Select((loss, step) => (step + 1.0, (double)loss))];

    /// <summary>The mean of each loss and those just before it: a fiftieth of all.</summary>
    public static IReadOnlyList<(double X, double Y)> RunningMean(IReadOnlyList<(double Step, double Loss)> losses)
    {
        int window = Math.Max(1, losses.Count / 50);
        var means = new (double, double)[losses.Count];
        double sum = 0;
        int finite = 0;
        for (int i = 0; i < losses.Count; i++)
        {
            Count(losses[i].Loss, 1);
            if (i >= window)
            {
                Count(losses[i - window].Loss, -1);
            }

            means[i] = (losses[i].Step, finite > 0 ? sum / finite : double.NaN);
        }

        return means;

        void Count(double loss, int sign)
        {
            if (double.IsFinite(loss))
            {
                sum += sign * loss;
                finite += sign;
            }
        }
    }
}
