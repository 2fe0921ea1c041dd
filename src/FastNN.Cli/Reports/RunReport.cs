using System.Globalization;
using FastNN.Cli.Recipes;
using FastNN.Formats;

namespace FastNN.Cli.Reports;

/// <summary>
/// What a run was and how it went, as one HTML file: curves, classes, confusion, mistakes, time, memory, settings and machine.
/// </summary>
internal sealed class RunReport
{
    public const string Name = "report.html";

    private const int MostClassesInMatrix = 20;
    private const int MostConfusions = 25;
    private const int MostOperators = 25;

    /// <summary>Bytes of pictures; a picture that does not fit is named.</summary>
    private const int PictureBudget = 150_000;

    public required Recipe Recipe { get; init; }

    public required Outcome Outcome { get; init; }

    /// <summary>What else the run had to reach.</summary>
    public IReadOnlyList<Outcome> Conditions { get; init; } = [];

    /// <summary>The few numbers that come first.</summary>
    public required IReadOnlyList<(string Name, string Value)> Tiles { get; init; }

    public required IReadOnlyList<(string Name, string Value)> Settings { get; init; }

    public required Device Device { get; init; }

    /// <summary>The losses of every step by phase; a phase without a name is the whole training.</summary>
    public required IReadOnlyDictionary<string, IReadOnlyList<float>> Losses { get; init; }

    public EpochLog? Epochs { get; init; }

    /// <summary>What the examples held out are called.</summary>
    public string Held { get; init; } = "validation";

    public IReadOnlyDictionary<string, double> Figures { get; init; } = new Dictionary<string, double>();

    public ConfusionMatrix? Confusion { get; init; }

    public IReadOnlyList<ReportPicture> Mistakes { get; init; } = [];

    public SessionProfile? Profile { get; init; }

    /// <summary>Examples of each pass of <see cref="Profile"/>.</summary>
    public int ProfileBatch { get; init; }

    public MemoryPlan? Plan { get; init; }

    /// <summary>Pictures that the run kept.</summary>
    public IReadOnlyList<ReportPicture> Pictures { get; init; } = [];

    /// <summary>Writes the file; it appears whole or not at all.</summary>
    public void Save(string folder)
    {
        byte[] page = ToHtml();
        AtomicFile.Write(Path.Combine(folder, Name), stream => stream.Write(page));
    }

    /// <summary>The bytes of the file.</summary>
    public byte[] ToHtml()
    {
        using var page = new HtmlPage($"{Recipe.Name}: {Outcome.Name} {Number(Outcome.Value)}");
        page.Element("h1", Recipe.Name).Element("p", Recipe.Network, ("class", "soft"));
        WriteOutcome(page, Outcome);
        foreach (Outcome condition in Conditions)
        {
            WriteOutcome(page, condition);
        }

        page.Open("div", ("class", "tiles"));
        foreach ((string name, string value) in Tiles)
        {
            page.Open("div", ("class", "tile")).Element("b", value).Element("span", name).Close();
        }

        page.Close();
        WriteCurves(page);
        WriteFigures(page);
        WriteClasses(page);
        WriteConfusion(page);
        WritePictures(page, "Worst mistakes", "Test images whose actual class seemed least probable.", Mistakes);
        WritePictures(page, "Pictures", null, Pictures);
        WriteProfile(page);
        WritePlan(page);
        page.Element("h2", "Settings").Facts([
            ("data", Recipe.DataDescription), ("training", Recipe.TrainingDescription), .. Settings]);
        page.Element("h2", "Machine").Facts(Machine.Facts(Device));
        return page.ToBytes();
    }

    internal static string Number(double value) => value.ToString(
        Math.Abs(value) is >= 1e6 or (< 1e-3 and > 0) ? "0.###e0" : "#,0.####", CultureInfo.InvariantCulture);

    private static void WriteOutcome(HtmlPage page, Outcome outcome) => page.Open("p")
        .Element("span", outcome.Passed ? "\u2713 passed" : "\u2717 missed", ("class", outcome.Passed ? "passed" : "missed"))
        .Text($"  {outcome.Name} {Number(outcome.Value)}, wanted {outcome.Bound} {Number(outcome.Wanted)}").Close();

    private void WriteCurves(HtmlPage page)
    {
        page.Element("h2", "Curves").Open("div", ("class", "grid"));
        foreach ((string phase, IReadOnlyList<float> losses) in Losses)
        {
            string title = phase.Length == 0 ? "Loss by step" : $"Loss by step, {phase}";
            LineChart.Write(page, title, "step", ChartLines.OfLosses(losses));
        }

        foreach ((string title, IReadOnlyList<ChartLine> lines) in Epochs?.Charts(Held) ?? [])
        {
            LineChart.Write(page, title, "epoch", lines);
        }

        page.Close();
    }

    private void WriteFigures(HtmlPage page)
    {
        if (Figures.Count > 0)
        {
            page.Element("h2", "Figures").Facts(Figures.Select(figure => (figure.Key, Number(figure.Value))));
        }
    }

    private void WriteClasses(HtmlPage page)
    {
        if (Confusion is null)
        {
            return;
        }

        var report = new ClassificationReport(Confusion);
        page.Element("h2", "Classes").Open("div", ("class", "scroll")).Open("table");
        WriteRow(page, "th", "class", "precision", "recall", "F1", "examples");
        foreach (ClassMetrics row in (IEnumerable<ClassMetrics>)[.. report.Classes, report.MacroAverage, report.WeightedAverage])
        {
            WriteRow(
                page, "td", row.Name, Text($"{row.Precision:F4}"), Text($"{row.Recall:F4}"), Text($"{row.F1:F4}"),
                Text($"{row.Support:N0}"));
        }

        page.Close().Close();
    }

    private void WriteConfusion(HtmlPage page)
    {
        if (Confusion is not { Total: > 0 } confusion)
        {
            return;
        }

        page.Element("h2", "Confusion");
        if (confusion.Classes > MostClassesInMatrix)
        {
            WriteConfusions(page, confusion);
            return;
        }

        page.Element("p", "Rows are the actual classes, columns the predicted ones.", ("class", "soft"))
            .Open("div", ("class", "scroll")).Open("table", ("class", "confusion"));
        WriteRow(page, "th", ["", .. confusion.Names]);
        for (int actual = 0; actual < confusion.Classes; actual++)
        {
            double support = Math.Max(1, confusion.Support(actual));
            page.Open("tr").Element("th", confusion.Names[actual]);
            for (int predicted = 0; predicted < confusion.Classes; predicted++)
            {
                long count = confusion[actual, predicted];
                // Half the color at most, so that the number can be read on it. Few mistakes show through a square root.
                double heat = 60 * Math.Sqrt(count / support);
                page.Element(
                    "td", count == 0 ? "" : Text($"{count:N0}"),
                    ("style", Text($"background:color-mix(in srgb, var(--heat) {heat:0}%, transparent)")));
            }

            page.Close();
        }

        page.Close().Close();
    }

    private static void WriteConfusions(HtmlPage page, ConfusionMatrix confusion)
    {
        page.Open("div", ("class", "scroll")).Open("table");
        WriteRow(page, "th", "actual", "predicted", "examples", "share of the class");
        IEnumerable<(int Actual, int Predicted, long Count)> pairs =
            from actual in Enumerable.Range(0, confusion.Classes)
            from predicted in Enumerable.Range(0, confusion.Classes)
            where actual != predicted && confusion[actual, predicted] > 0
            orderby confusion[actual, predicted] descending
            select (actual, predicted, confusion[actual, predicted]);
        foreach ((int actual, int predicted, long count) in pairs.Take(MostConfusions))
        {
            WriteRow(
                page, "td", confusion.Names[actual], confusion.Names[predicted], Text($"{count:N0}"),
                Text($"{100.0 * count / confusion.Support(actual):0.0} %"));
        }

        page.Close().Close();
    }

    private static void WritePictures(HtmlPage page, string title, string? note, IReadOnlyList<ReportPicture> pictures)
    {
        if (pictures.Count == 0)
        {
            return;
        }

        page.Element("h2", title);
        if (note is not null)
        {
            page.Element("p", note, ("class", "soft"));
        }

        page.Open("div", ("class", "pictures"));
        int budget = PictureBudget;
        var left = new List<string>();
        foreach (ReportPicture picture in pictures)
        {
            if (picture.Png.Length * 4 / 3 > budget)
            {
                left.Add(picture.Caption);
                continue;
            }

            budget -= picture.Png.Length * 4 / 3;
            page.Picture(picture.Png, picture.Caption, picture.Width);
        }

        page.Close();
        if (left.Count > 0)
        {
            page.Element("p", $"Too large for this page: {string.Join(", ", left)}.", ("class", "soft"));
        }
    }

    private void WriteProfile(HtmlPage page)
    {
        if (Profile is not { Rows.Count: > 0 } profile)
        {
            return;
        }

        page.Element("h2", "Time by operator")
            .Element(
                "p", Text($"Forward passes of {ProfileBatch} examples, measured after the training. Only arithmetic counts as FLOP."),
                ("class", "soft"))
            .Open("div", ("class", "scroll")).Open("table");
        WriteRow(page, "th", "operator", "share", "", "\u00B5s a call", "GFLOP/s", "GB/s", "shapes");
        foreach (ProfileRow row in profile.Rows.Take(MostOperators))
        {
            page.Open("tr").Element("td", row.Operator).Element("td", Text($"{100 * row.Share:0.0} %"))
                .Open("td", ("class", "left"))
                .Element("span", "", ("class", "bar"), ("style", Text($"width:{Math.Max(1, 90 * row.Share):0}px"))).Close()
                .Element("td", Text($"{row.Time.TotalMicroseconds / Math.Max(1, row.Calls):N1}"))
                .Element("td", Text($"{row.Gigaflops:N2}")).Element("td", Text($"{row.GigabytesPerSecond:N2}"))
                .Element("td", row.Shapes, ("class", "wide")).Close();
        }

        page.Close().Close();
    }

    private void WritePlan(HtmlPage page)
    {
        if (Plan is not { } plan)
        {
            return;
        }

        page.Element("h2", "Memory of a training step").Element(
            "p",
            Text($"{plan.Buffers.Count} buffers share {MemoryPicture.Bytes(plan.PeakBytes)}; no plan can have fewer than ")
            + $"{MemoryPicture.Bytes(plan.LowerBoundBytes)}. Parameters, their gradients and the optimizer's state are apart.",
            ("class", "soft")).Open("div", ("class", "card scroll memory"));
        MemoryPicture.Write(page, plan);
        page.Close();
    }

    private static void WriteRow(HtmlPage page, string cell, params ReadOnlySpan<string> texts)
    {
        page.Open("tr");
        foreach (string text in texts)
        {
            page.Element(cell, text);
        }

        page.Close();
    }

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
