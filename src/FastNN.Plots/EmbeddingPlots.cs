using FastNN.Explain;
using ScottPlot;

namespace FastNN.Plots;

/// <summary>Figures of examples as points of a plane.</summary>
public static class EmbeddingPlots
{
    /// <summary>Points, colored by class.</summary>
    /// <param name="points">[N, 2], finite.</param>
    /// <param name="labels">The class of each point, [N]; null (default) for one color.</param>
    /// <param name="names">The classes' names in the order of their indices; null (default) for numbers.</param>
    /// <returns>The figure.</returns>
    /// <exception cref="ArgumentException">There are not two finite numbers for each of one or more points, or not a label of
    /// the named classes for each.</exception>
    public static Figure Points(
        ReadOnlySpan<float> points, IReadOnlyList<int>? labels = null, IReadOnlyList<string>? names = null) =>
        Draw(points, labels, names, "Embedding", "", "");

    /// <summary>The first two principal components of examples.</summary>
    /// <param name="data">Examples, such as a layer's outputs, [N, width], finite.</param>
    /// <param name="width">Numbers of an example, at least 2.</param>
    /// <param name="labels">The class of each example, [N]; null (default) for one color.</param>
    /// <param name="names">The classes' names; null (default) for numbers.</param>
    /// <returns>The figure.</returns>
    /// <exception cref="ArgumentException">As for <see cref="PrincipalComponents.Fit"/> and <see cref="Points"/>.</exception>
    public static Figure Principal(
        ReadOnlySpan<float> data, int width, IReadOnlyList<int>? labels = null, IReadOnlyList<string>? names = null)
    {
        var components = PrincipalComponents.Fit(data, width, 2);
        return Draw(
            components.Transform(data), labels, names, "Principal components", Axis(0), Axis(1));

        string Axis(int index) => string.Create(
            System.Globalization.CultureInfo.InvariantCulture,
            $"component {index + 1} ({100 * components.VarianceShares[index]:0.#} % of the variance)");
    }

    /// <summary>Examples by <see cref="TSne"/>.</summary>
    /// <param name="data">Examples, such as a layer's outputs, [N, width], finite.</param>
    /// <param name="width">Numbers of an example.</param>
    /// <param name="labels">The class of each example, [N]; null (default) for one color.</param>
    /// <param name="names">The classes' names; null (default) for numbers.</param>
    /// <param name="options">Default: those of <see cref="TSneOptions"/>.</param>
    /// <returns>The figure.</returns>
    /// <exception cref="ArgumentException">As for <see cref="TSne.Embed"/> and <see cref="Points"/>.</exception>
    public static Figure Neighbors(
        ReadOnlySpan<float> data, int width, IReadOnlyList<int>? labels = null, IReadOnlyList<string>? names = null,
        TSneOptions? options = null) =>
        Draw(TSne.Embed(data, width, options), labels, names, "t-SNE", "", "");

    private static Figure Draw(
        ReadOnlySpan<float> points, IReadOnlyList<int>? labels, IReadOnlyList<string>? names, string title, string x, string y)
    {
        int count = points.Length / 2;
        if (count == 0 || points.Length % 2 != 0 || (labels is not null && labels.Count != count))
        {
            throw new ArgumentException(
                $"EmbeddingPlots: expected two numbers for each of one or more points and a label for each, got {points.Length} numbers and {labels?.Count ?? count} labels.",
                nameof(points));
        }

        PlotStyle.RequireFinite(points, "EmbeddingPlots");
        int classes = names?.Count ?? (labels is null ? 1 : labels.Max() + 1);
        foreach (int label in labels ?? [])
        {
            if ((uint)label >= (uint)classes)
            {
                throw new ArgumentException(
                    $"EmbeddingPlots: label {label} is out of range 0..{classes - 1}.", nameof(labels));
            }
        }

        var figure = new Figure { Width = 800, Height = 700 };
        for (int label = 0; label < classes; label++)
        {
            var (xs, ys) = (new List<double>(), new List<double>());
            for (int i = 0; i < count; i++)
            {
                if (labels is null || labels[i] == label)
                {
                    xs.Add(points[2 * i]);
                    ys.Add(points[(2 * i) + 1]);
                }
            }

            if (xs.Count > 0)
            {
                ScottPlot.Plottables.Scatter series = figure.Plot.Add.ScatterPoints(xs.ToArray(), ys.ToArray());
                (series.Color, series.MarkerSize) = (PlotStyle.ColorOf(label).WithAlpha(0.75), count > 500 ? 5 : 7);
                series.LegendText = names?[label] ?? label.ToString(System.Globalization.CultureInfo.InvariantCulture);
            }
        }

        PlotStyle.Titles(figure.Plot, title, x, y);
        if (labels is not null && classes <= 30)
        {
            figure.Plot.ShowLegend(Edge.Right);
        }

        return figure;
    }
}
