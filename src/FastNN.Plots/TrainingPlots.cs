namespace FastNN.Plots;

/// <summary>Figures of how a training went.</summary>
public static class TrainingPlots
{
    /// <summary>The loss of each epoch, on the training and where there is one on the validation data.</summary>
    /// <param name="epochs">One or more epochs, as <see cref="History.Epochs"/> has them.</param>
    /// <returns>The figure.</returns>
    /// <exception cref="ArgumentException">There is no epoch.</exception>
    public static Figure Loss(IReadOnlyList<EpochResult> epochs) =>
        Epochs(epochs, "Loss", "loss", epoch => epoch.Loss, epoch => epoch.ValidationLoss);

    /// <summary>The accuracy of each epoch.</summary>
    /// <inheritdoc cref="Loss"/>
    /// <exception cref="ArgumentException">There is no epoch, or the epochs have no accuracy.</exception>
    public static Figure Accuracy(IReadOnlyList<EpochResult> epochs) =>
        Epochs(epochs, "Accuracy", "accuracy", epoch => epoch.Accuracy, epoch => epoch.ValidationAccuracy);

    /// <summary>A metric of each epoch.</summary>
    /// <param name="epochs">One or more epochs.</param>
    /// <param name="name">The name of a metric that <see cref="Trainer.Fit"/> was given.</param>
    /// <returns>The figure.</returns>
    /// <exception cref="ArgumentException">There is no epoch, or the epochs do not have this metric.</exception>
    public static Figure Metric(IReadOnlyList<EpochResult> epochs, string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        return Epochs(
            epochs, name, name, epoch => ValueOf(epoch.Metrics, name), epoch => ValueOf(epoch.ValidationMetrics, name));
    }

    /// <summary>The loss of every step, faint, and its running mean.</summary>
    /// <param name="losses">One or more losses in the order of the steps; those that are not finite leave a gap.</param>
    /// <param name="window">Steps of the running mean; default a fiftieth of all.</param>
    /// <returns>The figure.</returns>
    /// <exception cref="ArgumentException">There is no finite loss.</exception>
    /// <exception cref="ArgumentOutOfRangeException">The window is not positive.</exception>
    public static Figure Steps(IReadOnlyList<float> losses, int? window = null)
    {
        ArgumentNullException.ThrowIfNull(losses);
        if (window is { } given)
        {
            ArgumentOutOfRangeException.ThrowIfNegativeOrZero(given, nameof(window));
        }

        if (!losses.Any(float.IsFinite))
        {
            throw new ArgumentException(
                $"TrainingPlots.Steps: expected at least one finite loss, got {losses.Count} that are not.", nameof(losses));
        }

        var figure = new Figure { Height = 450 };
        double[] steps = [.. Enumerable.Range(1, losses.Count).Select(step => (double)step)];
        double[] values = [.. losses.Select(loss => (double)loss)];
        PlotStyle.Line(figure.Plot, steps, values, "loss", 0);
        foreach (ScottPlot.Plottables.Scatter line in figure.Plot.GetPlottables<ScottPlot.Plottables.Scatter>())
        {
            (line.Color, line.LineWidth) = (line.Color.WithAlpha(0.3), 1);
        }

        PlotStyle.Line(figure.Plot, steps, RunningMean(values, window ?? Math.Max(1, values.Length / 50)), "running mean", 0);
        PlotStyle.Titles(figure.Plot, "Loss", "step", "loss");
        PlotStyle.WholeNumbers(figure.Plot.Axes.Bottom);
        figure.Plot.ShowLegend(ScottPlot.Alignment.UpperRight);
        return figure;
    }

    /// <summary>The loss over the learning rate, on a logarithmic axis, with the rate of its steepest fall.</summary>
    /// <param name="search">A search.</param>
    /// <returns>The figure.</returns>
    public static Figure LearningRates(LearningRateSearch search)
    {
        ArgumentNullException.ThrowIfNull(search);
        var figure = new Figure { Height = 450 };
        double[] rates = [.. search.Steps.Select(step => Math.Log10(step.LearningRate))];
        double[] losses = [.. search.Steps.Select(step => step.Smoothed)];
        PlotStyle.Line(figure.Plot, rates, losses, "smoothed loss", 0);
        if (float.IsFinite(search.Steepest))
        {
            ScottPlot.Plottables.VerticalLine line = figure.Plot.Add.VerticalLine(Math.Log10(search.Steepest));
            (line.Color, line.LineWidth, line.LinePattern) = (PlotStyle.ColorOf(3), 1.5f, ScottPlot.LinePattern.Solid);
            line.LegendText = $"steepest at {search.Steepest.ToString("0.0e0", System.Globalization.CultureInfo.InvariantCulture)}";
        }

        PlotStyle.Titles(figure.Plot, "Learning rates", "learning rate", "loss");
        PlotStyle.PowersOfTen(figure.Plot.Axes.Bottom);

        // Where it diverges, the loss leaves the picture: what is before that counts.
        double low = losses.Where(double.IsFinite).DefaultIfEmpty(0).Min(), first = double.IsFinite(losses[0]) ? losses[0] : low;
        double room = Math.Max(first - low, 1e-3 * Math.Max(1, Math.Abs(low)));
        figure.Plot.Axes.SetLimits(rates[0], rates[^1], low - (0.1 * room), low + (2 * room));
        figure.Plot.ShowLegend(ScottPlot.Alignment.UpperLeft);
        return figure;
    }

    private static Figure Epochs(
        IReadOnlyList<EpochResult> epochs, string title, string axis, Func<EpochResult, double?> training,
        Func<EpochResult, double?> validation)
    {
        ArgumentNullException.ThrowIfNull(epochs);
        if (epochs.Count == 0)
        {
            throw new ArgumentException("TrainingPlots: expected at least one epoch, got none.", nameof(epochs));
        }

        if (epochs.All(epoch => training(epoch) is null && validation(epoch) is null))
        {
            throw new ArgumentException(
                $"TrainingPlots: expected epochs with {axis}, got {epochs.Count} without; they have: {string.Join(", ", Names(epochs[0]))}.",
                nameof(epochs));
        }

        var figure = new Figure { Height = 450 };
        double[] x = [.. epochs.Select(epoch => (double)epoch.Epoch)];
        PlotStyle.Line(figure.Plot, x, [.. epochs.Select(epoch => training(epoch) ?? double.NaN)], "training", 0, markers: true);
        PlotStyle.Line(
            figure.Plot, x, [.. epochs.Select(epoch => validation(epoch) ?? double.NaN)], "validation", 1, markers: true);
        PlotStyle.Titles(figure.Plot, title, "epoch", axis);
        PlotStyle.WholeNumbers(figure.Plot.Axes.Bottom);
        bool falls = (training(epochs[^1]) ?? validation(epochs[^1])) < (training(epochs[0]) ?? validation(epochs[0]));
        figure.Plot.ShowLegend(falls ? ScottPlot.Alignment.UpperRight : ScottPlot.Alignment.LowerRight);
        return figure;
    }

    private static IEnumerable<string> Names(EpochResult epoch) =>
        [.. epoch.Accuracy is null ? Array.Empty<string>() : ["accuracy"], "loss", .. epoch.Metrics.Names];

    private static double? ValueOf(MetricValues values, string name) =>
        values.TryGetValue(name, out double value) ? value : null;

    private static double[] RunningMean(double[] values, int window)
    {
        var means = new double[values.Length];
        for (int i = 0; i < values.Length; i++)
        {
            double[] near = [.. values[Math.Max(0, i + 1 - window)..(i + 1)].Where(double.IsFinite)];
            means[i] = near.Length > 0 ? near.Average() : double.NaN;
        }

        return means;
    }
}
