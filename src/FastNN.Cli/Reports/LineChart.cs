using System.Globalization;
using System.Text;

namespace FastNN.Cli.Reports;

/// <summary>A line of a chart.</summary>
/// <param name="Name">What the legend calls it; empty for none.</param>
/// <param name="Points">By rising X. Where Y is not finite there is a gap.</param>
/// <param name="Color">A number of a color.</param>
/// <param name="IsFaint">Drawn thin and pale, as a background to others.</param>
internal sealed record ChartLine(string Name, IReadOnlyList<(double X, double Y)> Points, int Color, bool IsFaint = false);

/// <summary>A chart of lines, as a drawing within a page: a few kilobytes that are sharp at any size.</summary>
internal static class LineChart
{
    /// <summary>Points of a line at most: more do not show.</summary>
    private const int MostPoints = 320;
    private const double Width = 480, Height = 270, Left = 52, Right = 18, Top = 10, Bottom = 36;

    public static void Write(HtmlPage page, string title, string axis, IReadOnlyList<ChartLine> lines)
    {
        (double X, double Y)[] all = [.. lines.SelectMany(line => line.Points).Where(IsFinite)];
        if (all.Length == 0)
        {
            return;
        }

        page.Open("div", ("class", "card")).Element("h3", title);
        WriteLegend(page, lines);
        (double low, double high) = Range(all.Min(point => point.Y), all.Max(point => point.Y));
        double first = all.Min(point => point.X), last = all.Max(point => point.X);
        last = last > first ? last : first + 1;
        page.Open(
            "svg", ("viewBox", Text($"0 0 {Width} {Height}")), ("role", "img"), ("aria-label", $"{title} over {axis}"));
        WriteAxes(page, axis, first, last, low, high);
        foreach (ChartLine line in lines)
        {
            foreach (string points in Runs(
                Thin(line.Points),
                x => Left + ((x - first) / (last - first) * (Width - Left - Right)),
                y => Top + ((high - y) / (high - low) * (Height - Top - Bottom))))
            {
                page.Empty(
                    "polyline",
                    ("class", Text($"curve s{line.Color % PageFiles.Colors}{(line.IsFaint ? " faint" : "")}")),
                    ("points", points));
            }
        }

        page.Close().Close();
    }

    /// <summary>Whole numbers of steps or round parts of a range, five or so.</summary>
    internal static IReadOnlyList<double> Ticks(double low, double high, bool whole = false)
    {
        double rough = (high - low) / 5, power = Math.Pow(10, Math.Floor(Math.Log10(rough)));
        double[] steps = [power, 2 * power, 5 * power, 10 * power];
        double step = steps.First(size => size >= rough * 0.999);
        step = whole ? Math.Max(1, step) : step;
        var ticks = new List<double>();
        for (double number = Math.Ceiling(low / step); number * step <= high + (step * 1e-9); number++)
        {
            ticks.Add(number * step);
        }

        return ticks;
    }

    private static void WriteLegend(HtmlPage page, IReadOnlyList<ChartLine> lines)
    {
        page.Open("div", ("class", "legend"));
        foreach (ChartLine line in lines)
        {
            (double X, double Y)[] finite = [.. line.Points.Where(IsFinite)];
            if (line.Name.Length > 0 && finite.Length > 0)
            {
                page.Open("span").Element("span", "\u25CF", ("class", Text($"s{line.Color % PageFiles.Colors}")), ("style", "margin:0"))
                    .Text(Text($" {line.Name} {finite[^1].Y:0.####}")).Close();
            }
        }

        page.Close();
    }

    private static void WriteAxes(HtmlPage page, string axis, double first, double last, double low, double high)
    {
        foreach (double tick in Ticks(low, high))
        {
            double y = Top + ((high - tick) / (high - low) * (Height - Top - Bottom));
            page.Empty(
                "line", ("class", "axis"), ("x1", Text($"{Left}")), ("x2", Text($"{Width - Right}")), ("y1", Text($"{y:0.#}")),
                ("y2", Text($"{y:0.#}")));
            page.Element(
                "text", Label(tick), ("x", Text($"{Left - 6}")), ("y", Text($"{y + 4:0.#}")), ("text-anchor", "end"));
        }

        foreach (double tick in Ticks(first, last, whole: true))
        {
            double x = Left + ((tick - first) / (last - first) * (Width - Left - Right));
            page.Element(
                "text", Label(tick), ("x", Text($"{x:0.#}")), ("y", Text($"{Height - Bottom + 16}")), ("text-anchor", "middle"));
        }

        page.Element("text", axis, ("x", Text($"{Width - Right}")), ("y", Text($"{Height - 3}")), ("text-anchor", "end"));
    }

    /// <summary>A margin around the values, and a range where there is none.</summary>
    private static (double Low, double High) Range(double low, double high)
    {
        double margin = high > low ? (high - low) * 0.05 : low == 0 ? 0.5 : Math.Abs(low) * 0.1;
        // What is never negative, such as a loss, has no axis below zero.
        return (low >= 0 && low - margin < 0 ? 0 : low - margin, high + margin);
    }

    /// <summary>The least and the greatest of so many points in a row, so that no peak is lost.</summary>
    private static IReadOnlyList<(double X, double Y)> Thin(IReadOnlyList<(double X, double Y)> points)
    {
        if (points.Count <= MostPoints)
        {
            return points;
        }

        var kept = new List<(double, double)>();
        int buckets = MostPoints / 2;
        for (int bucket = 0; bucket < buckets; bucket++)
        {
            int from = (int)((long)bucket * points.Count / buckets), to = (int)((bucket + 1L) * points.Count / buckets);
            int least = from, most = from;
            for (int i = from; i < to; i++)
            {
                // A comparison with NaN is false, so a gap stays where all of them are gaps.
                least = points[i].Y < points[least].Y || !double.IsFinite(points[least].Y) ? i : least;
                most = points[i].Y > points[most].Y || !double.IsFinite(points[most].Y) ? i : most;
            }

            kept.Add(points[Math.Min(least, most)]);
            kept.Add(points[Math.Max(least, most)]);
        }

        return kept;
    }

    /// <summary>The points of each stretch without a gap.</summary>
    private static IEnumerable<string> Runs(
        IReadOnlyList<(double X, double Y)> points, Func<double, double> x, Func<double, double> y)
    {
        var run = new StringBuilder();
        int count = 0;
        foreach ((double X, double Y) point in points)
        {
            if (IsFinite(point))
            {
                run.Append(CultureInfo.InvariantCulture, $"{x(point.X):0.#},{y(point.Y):0.#} ");
                count++;
            }
            else if (count > 0)
            {
                yield return Line(run, count);
                run.Clear();
                count = 0;
            }
        }

        if (count > 0)
        {
            yield return Line(run, count);
        }
    }

    /// <summary>A single point is drawn as a short line.</summary>
    private static string Line(StringBuilder run, int count)
    {
        string text = run.ToString().TrimEnd();
        if (count > 1)
        {
            return text;
        }

        string[] place = text.Split(',');
        double x = double.Parse(place[0], CultureInfo.InvariantCulture);
        return Text($"{x - 2:0.#},{place[1]} {x + 2:0.#},{place[1]}");
    }

    private static bool IsFinite((double X, double Y) point) => double.IsFinite(point.X) && double.IsFinite(point.Y);

    private static string Label(double tick) => Math.Abs(tick) switch
    {
        0 => "0",
        >= 1e6 => Text($"{tick / 1e6:0.##}M"),
        >= 1e4 => Text($"{tick / 1e3:0.##}k"),
        < 1e-3 => tick.ToString("0.#e0", CultureInfo.InvariantCulture),
        _ => Text($"{tick:0.####}"),
    };

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
