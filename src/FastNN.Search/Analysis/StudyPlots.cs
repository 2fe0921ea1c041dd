using System.Globalization;
using System.Text;

namespace FastNN.Search;

/// <summary>
/// A search as a page to look at: how it went, what mattered, and where good values lie. One file of HTML with drawings in it, no
/// scripts, nothing from elsewhere.
/// </summary>
public static class StudyPlots
{
    private const int BestShown = 10;

    private const string Style =
        """
        :root { color-scheme: light dark; --mark: #1f6fb2; --best: #c8402f; --quiet: #8a8a8a; }
        body { font: 15px/1.45 system-ui, sans-serif; max-width: 1320px; margin: 1.5em auto; padding: 0 1em; }
        h1 { font-size: 1.4em; } h2 { font-size: 1.1em; margin: 1.6em 0 .3em; } p { margin: .3em 0; max-width: 62em; }
        .charts { display: grid; grid-template-columns: repeat(auto-fit, minmax(420px, 1fr)); gap: 1em; }
        svg { width: 100%; max-width: 640px; height: auto; } svg text { fill: currentColor; font-size: 12px; }
        svg .axis { font-weight: 600; } .grid { stroke: currentColor; opacity: .15; }
        .complete { fill: var(--mark); } .pruned { fill: none; stroke: var(--quiet); stroke-width: 1.5; }
        .best { fill: var(--best); }
        polyline { fill: none; stroke-width: 1.5; } .sofar { stroke: var(--best); } .curve { stroke: var(--mark); opacity: .35; }
        .stopped { stroke: var(--quiet); opacity: .5; } .together { fill: var(--quiet); }
        table { border-collapse: collapse; }
        td, th { padding: .2em .9em .2em 0; text-align: left; font-variant-numeric: tabular-nums; }
        """;

    /// <summary>
    /// The page: the values of all trials in their order with the best so far; the importance of the parameters
    /// (<see cref="StudyAnalysis.Importance"/>); for each parameter the values of the trials over it; the values reported on the
    /// way, where there are any; and the best trials.
    /// </summary>
    /// <param name="study">The search.</param>
    /// <param name="title">What was searched; escaped.</param>
    /// <param name="value">What trials are told: "loss" for example; default "value".</param>
    /// <returns>HTML.</returns>
    public static string ToHtml(this Study study, string title, string value = "value")
    {
        ArgumentNullException.ThrowIfNull(study);
        ArgumentNullException.ThrowIfNull(title);
        ArgumentNullException.ThrowIfNull(value);
        Trial[] complete = StudyAnalysis.Completed(study);
        Trial[] pruned =
        [
            .. study.Trials.Where(trial => trial.State == TrialState.Pruned && trial.Value is { } last && double.IsFinite(last)),
        ];
        var html = new StringBuilder();
        html.Append(
            CultureInfo.InvariantCulture,
            $"<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>{SvgChart.Escape(title)}</title>\n<style>\n{Style}\n</style></head><body>\n<h1>{SvgChart.Escape(title)}</h1>\n<p>{complete.Length} complete trials, {study.Trials.Count(trial => trial.State == TrialState.Pruned)} pruned, {study.Trials.Count(trial => trial.State == TrialState.Failed)} failed; {(study.Direction == SearchDirection.Minimize ? "small" : "large")} values are good.</p>\n");
        if (complete.Length > 0)
        {
            ChartAxis values = ChartAxis.Around(value, [.. complete.Concat(pruned).Select(trial => trial.Value!.Value)]);
            html.Append("<div class=\"charts\">\n<section>").Append(History(study, complete, pruned, values));
            html.Append("</section>\n<section>").Append(Importance(study)).Append("</section>\n</div>\n");
            html.Append("<h2>Values over each parameter</h2>\n<p>Later trials are darker, the best is red.</p>\n");
            html.Append("<div class=\"charts\">\n");
            foreach (SearchParameter parameter in study.Space.Parameters)
            {
                html.Append(Slice(study, parameter, complete, values));
            }

            html.Append("</div>\n").Append(Curves(study, value)).Append(Table(study, complete, value));
        }

        return html.Append("</body></html>\n").ToString();
    }

    private static string History(Study study, Trial[] complete, Trial[] pruned, ChartAxis values)
    {
        var chart = new SvgChart(ChartAxis.OfNumbers("trial", 1, Math.Max(2, study.Trials.Count)), values);
        var bestSoFar = new List<(double, double)>();
        double best = double.NaN;
        foreach (Trial trial in complete)
        {
            double now = double.IsNaN(best) || study.Cost(trial.Value!.Value) < study.Cost(best) ? trial.Value!.Value : best;
            if (!double.IsNaN(best))
            {
                bestSoFar.Add((trial.Number + 1, best));
            }

            bestSoFar.Add((trial.Number + 1, now));
            best = now;
        }

        bestSoFar.Add((study.Trials.Count, best));
        chart.Line(bestSoFar, "sofar", "best so far");
        Dots(study, chart, pruned, "pruned", trial => trial.Number + 1, _ => 1);
        Dots(study, chart, complete, "complete", trial => trial.Number + 1, _ => 1);
        return $"<h2>Trials in their order</h2>\n<p>The line is the best so far{(pruned.Length > 0 ? "; rings are the last reports of pruned trials" : "")}.</p>\n{chart.ToSvg()}";
    }

    private static string Importance(Study study)
    {
        IReadOnlyList<ParameterImportance> importance = study.Importance();
        if (importance.Count == 0)
        {
            return "<h2>Importance</h2>\n<p>It takes two trials of different values.</p>\n";
        }

        double together = Math.Max(0, 1 - importance.Sum(one => one.Share));
        return "<h2>Importance</h2>\n<p>What share of the variance over the whole space each parameter explains by itself (fANOVA, 64 regression trees), and what only several explain together.</p>\n"
            + SvgChart.Bars(
            [
                .. importance.Select(one => (one.Name, one.Share, "complete")), ("together", together, "together"),
            ]);
    }

    private static string Slice(Study study, SearchParameter parameter, Trial[] complete, ChartAxis values)
    {
        int index = study.Space.IndexOf(parameter.Name);
        var chart = new SvgChart(ChartAxis.Of(parameter), values);
        double last = Math.Max(1, study.Trials.Count - 1);
        Dots(study, chart, complete, "complete", trial => trial.Values[index], trial => trial.Number / last);
        return chart.ToSvg();
    }

    private static void Dots(
        Study study, SvgChart chart, Trial[] trials, string kind, Func<Trial, double> place, Func<Trial, double> strength)
    {
        Trial? best = study.Best;
        foreach (Trial trial in trials)
        {
            bool isBest = trial == best;
            chart.Dot(
                place(trial), trial.Value!.Value, isBest ? "best" : kind, isBest ? 1 : strength(trial), Describe(study, trial));
        }
    }

    private static string Curves(Study study, string value)
    {
        Trial[] reported =
        [
            .. study.Trials.Where(trial => trial.Reports.Count > 0 && trial.Reports.Values.All(double.IsFinite)),
        ];
        if (reported.Length == 0)
        {
            return "";
        }

        var chart = new SvgChart(
            ChartAxis.OfNumbers("step", 1, Math.Max(2, reported.Max(trial => trial.Reports.Keys.Max()))),
            ChartAxis.Around(value, [.. reported.SelectMany(trial => trial.Reports.Values)]));
        foreach (Trial trial in reported.OrderBy(trial => trial == study.Best))
        {
            string kind = trial == study.Best ? "sofar" : trial.State == TrialState.Pruned ? "stopped" : "curve";
            chart.Line(
                trial.Reports.OrderBy(report => report.Key).Select(report => ((double)report.Key, report.Value)), kind,
                Describe(study, trial));
        }

        return $"<h2>Reports on the way</h2>\n<p>The best trial is red, pruned ones are gray.</p>\n{chart.ToSvg()}";
    }

    private static string Table(Study study, Trial[] complete, string value)
    {
        var html = new StringBuilder("<h2>Best trials</h2>\n<table><tr><th>trial</th>");
        html.Append(CultureInfo.InvariantCulture, $"<th>{SvgChart.Escape(value)}</th>");
        foreach (SearchParameter parameter in study.Space.Parameters)
        {
            html.Append(CultureInfo.InvariantCulture, $"<th>{SvgChart.Escape(parameter.Name)}</th>");
        }

        html.Append("</tr>\n");
        foreach (Trial trial in complete.OrderBy(trial => study.Cost(trial.Value!.Value)).Take(BestShown))
        {
            html.Append(CultureInfo.InvariantCulture, $"<tr><td>{trial.Number + 1}</td><td>{trial.Value:G6}</td>");
            foreach (SearchParameter parameter in study.Space.Parameters)
            {
                html.Append(CultureInfo.InvariantCulture, $"<td>{SvgChart.Escape(Shown(parameter, trial))}</td>");
            }

            html.Append("</tr>\n");
        }

        return html.Append("</table>\n").ToString();
    }

    private static string Describe(Study study, Trial trial) => string.Create(
        CultureInfo.InvariantCulture,
        $"trial {trial.Number + 1}: {trial.Value:G6}; {string.Join(", ", study.Space.Parameters.Select(parameter => $"{parameter.Name} {Shown(parameter, trial)}"))}");

    private static string Shown(SearchParameter parameter, Trial trial) => parameter is FloatParameter
        ? trial.Float(parameter.Name).ToString("G4", CultureInfo.InvariantCulture)
        : trial.Text(parameter.Name);
}
