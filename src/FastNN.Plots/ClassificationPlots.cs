using System.Globalization;
using ScottPlot;

namespace FastNN.Plots;

/// <summary>Figures of how well a classifier does.</summary>
public static class ClassificationPlots
{
    /// <summary>Up to so many classes the counts are written into the cells.</summary>
    private const int MostWrittenClasses = 20;

    /// <summary>
    /// A confusion matrix: a row for each actual class, colored by the share of its examples that were taken for each class, with
    /// the counts in the cells.
    /// </summary>
    /// <param name="confusion">The counts, of at least one example.</param>
    /// <returns>The figure.</returns>
    /// <exception cref="ArgumentException">Nothing was counted.</exception>
    public static Figure Confusion(ConfusionMatrix confusion)
    {
        ArgumentNullException.ThrowIfNull(confusion);
        if (confusion.Total == 0)
        {
            throw new ArgumentException(
                "ClassificationPlots.Confusion: expected at least one example, nothing was counted.", nameof(confusion));
        }

        int classes = confusion.Classes;
        var shares = new double[classes, classes];
        for (int actual = 0; actual < classes; actual++)
        {
            double support = Math.Max(1, confusion.Support(actual));
            for (int predicted = 0; predicted < classes; predicted++)
            {
                shares[actual, predicted] = confusion[actual, predicted] / support;
            }
        }

        var figure = new Figure { Width = 760, Height = 680 };
        Plot plot = figure.Plot;
        ScottPlot.Plottables.Heatmap map = plot.Add.Heatmap(shares);
        (map.Colormap, map.ManualRange) = (PlotStyle.Blues, new ScottPlot.Range(0, 1));
        PlotStyle.ColorBar(plot, map);
        for (int i = 0; i < classes * classes && classes <= MostWrittenClasses; i++)
        {
            (int actual, int predicted) = (i / classes, i % classes);
            if (confusion[actual, predicted] > 0)
            {
                ScottPlot.Plottables.Text text = plot.Add.Text(
                    confusion[actual, predicted].ToString(CultureInfo.InvariantCulture), predicted, classes - 1 - actual);
                text.LabelAlignment = Alignment.MiddleCenter;
                text.LabelFontSize = classes <= 12 ? 12 : 9;
                text.LabelFontColor = shares[actual, predicted] > 0.5 ? Colors.White : Colors.Black;
            }
        }

        PlotStyle.Titles(
            plot, string.Create(CultureInfo.InvariantCulture, $"Confusion, {100 * confusion.Accuracy:0.##} % right"), "predicted",
            "actual");
        plot.HideGrid();
        PlotStyle.Labels(plot.Axes.Bottom, confusion.Names, pixels: 600);
        PlotStyle.Labels(plot.Axes.Left, confusion.Names);
        plot.Axes.SetLimits(-0.5, classes - 0.5, -0.5, classes - 0.5);
        return figure;
    }

    /// <summary>Receiver operating characteristics, with their areas in the legend; the diagonal is chance.</summary>
    /// <param name="curves">One or more curves with names, such as one for each class.</param>
    /// <returns>The figure.</returns>
    /// <exception cref="ArgumentException">There is no curve.</exception>
    public static Figure Roc(params IReadOnlyList<(string Name, RocCurve Curve)> curves)
    {
        RequireCurves(curves, nameof(Roc));
        var figure = new Figure { Width = 680, Height = 640 };
        PlotStyle.Reference(figure.Plot, 0, 0, 1, 1);
        for (int i = 0; i < curves.Count; i++)
        {
            (string name, RocCurve curve) = curves[i];
            PlotStyle.Line(
                figure.Plot, [.. curve.Points.Select(point => point.FalsePositiveRate)],
                [.. curve.Points.Select(point => point.TruePositiveRate)], $"{name}, area {PlotStyle.Number(curve.Area)}", i);
        }

        PlotStyle.Titles(figure.Plot, "ROC", "false positive rate", "true positive rate");
        PlotStyle.UnitSquare(figure.Plot);
        figure.Plot.ShowLegend(Alignment.LowerRight);
        return figure;
    }

    /// <summary>Precision over recall, with the average precisions in the legend; thin lines are the precision of
    /// chance.</summary>
    /// <param name="curves">One or more curves with names, such as one for each class.</param>
    /// <returns>The figure.</returns>
    /// <exception cref="ArgumentException">There is no curve.</exception>
    public static Figure PrecisionRecall(params IReadOnlyList<(string Name, PrecisionRecallCurve Curve)> curves)
    {
        RequireCurves(curves, nameof(PrecisionRecall));
        var figure = new Figure { Width = 680, Height = 640 };
        for (int i = 0; i < curves.Count; i++)
        {
            (string name, PrecisionRecallCurve curve) = curves[i];
            PlotStyle.Reference(figure.Plot, 0, curve.PositiveShare, 1, curve.PositiveShare);

            // Precision holds from one recall down to the one before.
            (List<double> recall, List<double> precision) = ([0], [curve.Points[0].Precision]);
            foreach (PrecisionRecallPoint point in curve.Points)
            {
                recall.AddRange(recall[^1], point.Recall);
                precision.AddRange(point.Precision, point.Precision);
            }

            PlotStyle.Line(
                figure.Plot, [.. recall], [.. precision],
                $"{name}, average precision {PlotStyle.Number(curve.AveragePrecision)}", i);
        }

        PlotStyle.Titles(figure.Plot, "Precision and recall", "recall", "precision");
        PlotStyle.UnitSquare(figure.Plot);
        figure.Plot.ShowLegend(Alignment.LowerLeft);
        return figure;
    }

    /// <summary>
    /// A reliability diagram: how often predictions are right, by the probability that they claim; beside it how many there are.
    /// </summary>
    /// <param name="calibration">The bins, of at least one prediction.</param>
    /// <returns>The figure, of two panels.</returns>
    /// <exception cref="ArgumentException">Nothing was counted.</exception>
    public static Figure Reliability(Calibration calibration)
    {
        ArgumentNullException.ThrowIfNull(calibration);
        if (calibration.Total == 0)
        {
            throw new ArgumentException(
                "ClassificationPlots.Reliability: expected at least one prediction, nothing was counted.", nameof(calibration));
        }

        var figure = new Figure(panels: 2, columns: 2) { Width = 1000, Height = 500 };
        CalibrationBin[] bins = [.. calibration.Bins.Where(bin => bin.Count > 0)];
        Plot diagram = figure.Panels[0], counts = figure.Panels[1];
        diagram.Add.Bars(Bars(bins, bin => bin.Accuracy));
        PlotStyle.Reference(diagram, 0, 0, 1, 1);
        ScottPlot.Plottables.Scatter means = diagram.Add.ScatterPoints(
            bins.Select(bin => bin.Confidence).ToArray(), bins.Select(bin => bin.Accuracy).ToArray());
        (means.Color, means.MarkerSize) = (PlotStyle.ColorOf(3), 7);
        PlotStyle.Titles(
            diagram, string.Create(
                CultureInfo.InvariantCulture, $"Reliability, expected calibration error {calibration.ExpectedError:0.0000}"),
            "probability", "accuracy");
        PlotStyle.UnitSquare(diagram);
        counts.Add.Bars(Bars(bins, bin => (double)bin.Count / calibration.Total));
        PlotStyle.Titles(
            counts, string.Create(CultureInfo.InvariantCulture, $"{calibration.Total:N0} predictions"), "probability", "share");
        counts.Axes.SetLimitsX(-0.02, 1.02);
        counts.Axes.Margins(bottom: 0);
        return figure;
    }

    private static List<Bar> Bars(IEnumerable<CalibrationBin> bins, Func<CalibrationBin, double> value) =>
        [.. bins.Select(bin => new Bar
        {
            Position = (bin.Low + bin.High) / 2,
            Size = bin.High - bin.Low,
            Value = value(bin),
            FillColor = PlotStyle.ColorOf(0).WithAlpha(0.6),
            LineColor = Colors.White,
        })];

    private static void RequireCurves<T>(IReadOnlyList<T> curves, string name)
    {
        ArgumentNullException.ThrowIfNull(curves);
        if (curves.Count == 0)
        {
            throw new ArgumentException($"ClassificationPlots.{name}: expected at least one curve, got none.", nameof(curves));
        }
    }
}
