using System.Globalization;
using ScottPlot;
using ScottPlot.TickGenerators;

namespace FastNN.Plots;

/// <summary>What the figures share: colors, lines, ticks and checks.</summary>
internal static class PlotStyle
{
    private const double Density = 0.5;

    private static readonly ScottPlot.Palettes.Category10 Palette = new();

    /// <summary>White to blue, for shares and weights from 0.</summary>
    public static IColormap Blues { get; } = new ScottPlot.Colormaps.CustomInterpolated(
        [Color.FromHex("#f7fbff"), Color.FromHex("#6baed6"), Color.FromHex("#08306b")]);

    /// <summary>Blue below zero, white at zero, red above.</summary>
    public static IColormap Signed { get; } = new ScottPlot.Colormaps.CustomInterpolated(
        [Color.FromHex("#2166ac"), Color.FromHex("#f7f7f7"), Color.FromHex("#b2182b")]);

    public static Color Gray { get; } = Color.FromHex("#888888");

    /// <summary>A font without serifs; the first that the machine has.</summary>
    private static string Font { get; } = FindFont();

    /// <summary>Plots on white paper with few lines, whatever the default style is.</summary>
    public static void Apply(Plot plot)
    {
        plot.Font.Set(Font);
        plot.Grid.MajorLineColor = Colors.Black.WithAlpha(0.1);
        plot.Axes.Title.Label.FontSize = 16;
        foreach (IAxis axis in (IAxis[])[plot.Axes.Bottom, plot.Axes.Left])
        {
            (axis.Label.Bold, axis.Label.FontSize) = (false, 14);
            Thin(axis);
        }
    }

    /// <summary>A scale of colors beside a plot.</summary>
    public static void ColorBar(Plot plot, ScottPlot.Plottables.Heatmap map) => Thin(plot.Add.ColorBar(map).Axis);

    public static Color ColorOf(int series) => Palette.GetColor(series);

    public static void Line(Plot plot, double[] x, double[] y, string? name, int series, bool markers = false)
    {
        // A gap rather than a line to nowhere.
        (double[] xs, double[] ys) = Finite(x, y);
        if (xs.Length == 0)
        {
            return;
        }

        ScottPlot.Plottables.Scatter line = plot.Add.Scatter(xs, ys);
        line.Color = ColorOf(series);
        line.LineWidth = 2;
        line.MarkerSize = markers || xs.Length == 1 ? 6 : 0;
        if (name is not null)
        {
            line.LegendText = name;
        }
    }

    public static void Reference(Plot plot, double x1, double y1, double x2, double y2)
    {
        ScottPlot.Plottables.LinePlot line = plot.Add.Line(x1, y1, x2, y2);
        line.Color = Gray;
        line.LineWidth = 1;
        line.MarkerSize = 0;
    }

    public static void Titles(Plot plot, string title, string x, string y)
    {
        plot.Title(title);
        plot.XLabel(x);
        plot.YLabel(y);
    }

    /// <summary>Axes from 0 to 1 of the same length, with a little room for lines at the edge.</summary>
    public static void UnitSquare(Plot plot)
    {
        plot.Axes.SetLimits(-0.02, 1.02, -0.02, 1.02);
        plot.Axes.SquareUnits();
        foreach (IAxis axis in (IAxis[])[plot.Axes.Bottom, plot.Axes.Left])
        {
            axis.SetTicks([0, 0.2, 0.4, 0.6, 0.8, 1], ["0", "0.2", "0.4", "0.6", "0.8", "1"]);
        }
    }

    public static void WholeNumbers(IAxis axis) => axis.TickGenerator =
        new NumericAutomatic { IntegerTicksOnly = true, TickDensity = Density };

    /// <summary>Ticks at powers of ten, for an axis of decimal logarithms.</summary>
    public static void PowersOfTen(IAxis axis) => axis.TickGenerator = new NumericAutomatic
    {
        IntegerTicksOnly = true,
        LabelFormatter = exponent => string.Create(CultureInfo.InvariantCulture, $"1e{exponent:0}"),
    };

    public static void NoTicks(Plot plot)
    {
        plot.HideGrid();
        plot.Axes.Bottom.SetTicks([], []);
        plot.Axes.Left.SetTicks([], []);
        plot.Axes.FrameWidth(0);
    }

    /// <summary>One label for each column or row, turned where they do not fit beside each other.</summary>
    /// <param name="axis">The axis.</param>
    /// <param name="names">The labels.</param>
    /// <param name="pixels">About how long the axis is; null for rows, which are labelled from the top.</param>
    public static void Labels(IAxis axis, IReadOnlyList<string> names, int? pixels = null)
    {
        // More labels than fit are thinned out evenly.
        int every = (names.Count + 39) / 40;
        int[] shown = [.. Enumerable.Range(0, names.Count).Where(i => i % every == 0)];
        axis.SetTicks(
            [.. shown.Select(i => (double)(pixels is null ? names.Count - 1 - i : i))], [.. shown.Select(i => Short(names[i]))]);
        axis.MajorTickStyle.Length = 0;
        int longest = names.Max(name => Short(name).Length);
        if (pixels is { } room && (longest + 1) * 8 * shown.Length > room)
        {
            axis.TickLabelStyle.Rotation = -45;
            axis.TickLabelStyle.Alignment = Alignment.MiddleRight;
            axis.MinimumSize(36 + (longest * 5));
        }
    }

    public static string Number(double value) => value.ToString("0.####", CultureInfo.InvariantCulture);

    /// <summary>Rejects what no axis can show.</summary>
    public static void RequireFinite(ReadOnlySpan<float> values, string name)
    {
        foreach (float value in values)
        {
            if (!float.IsFinite(value))
            {
                throw new ArgumentException(
                    string.Create(CultureInfo.InvariantCulture, $"{name}: expected finite numbers, got {value}."), nameof(values));
            }
        }
    }

    /// <summary>Fewer ticks and no minor ones.</summary>
    private static void Thin(IAxis axis) => axis.TickGenerator = new NumericAutomatic
    {
        TickDensity = Density,
        MinorTickGenerator = new LogMinorTickGenerator { Divisions = 1 },
    };

    private static string FindFont()
    {
        var families = SkiaSharp.SKFontManager.Default.FontFamilies.ToHashSet(StringComparer.OrdinalIgnoreCase);
        string[] wanted = ["Open Sans", "Noto Sans", "Segoe UI", "Helvetica Neue", "Arial", "Liberation Sans", "DejaVu Sans"];
        return wanted.FirstOrDefault(families.Contains) ?? Fonts.Default;
    }

    private static void MinimumSize(this IAxis axis, float pixels)
    {
        if (axis is IPanel panel)
        {
            panel.MinimumSize = Math.Min(pixels, 120);
        }
    }

    private static string Short(string name) => name.Length <= 18 ? name : name[..17] + "\u2026";

    private static (double[] X, double[] Y) Finite(double[] x, double[] y)
    {
        int[] kept = [.. Enumerable.Range(0, x.Length).Where(i => double.IsFinite(x[i]) && double.IsFinite(y[i]))];
        return ([.. kept.Select(i => x[i])], [.. kept.Select(i => y[i])]);
    }
}
