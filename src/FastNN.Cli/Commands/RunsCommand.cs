using System.CommandLine;
using System.Globalization;
using FastNN.Cli.Reports;
using FastNN.Formats;

namespace FastNN.Cli.Commands;

/// <summary>`fastnn runs`</summary>
internal static class RunsCommand
{
    private static readonly string[] Header = ["run", "recipe", "seed", "state", "reached", "wanted", "seconds", "started (UTC)"];

    public static Command Create(CommandContext context)
    {
        var folder = new Option<string>("--out")
        {
            Description = "The folder that holds the folders of runs; the present one by default.",
            HelpName = "DIR",
            DefaultValueFactory = _ => ".",
        };
        var recipe = new Option<string?>("--recipe")
        {
            Description = "Only runs of this recipe.",
            HelpName = "RECIPE",
        };
        var html = new Option<string?>("--html")
        {
            Description = "Write a page with the runs' losses in one chart for each recipe.",
            HelpName = "FILE",
        };
        var command = new Command("runs", "List and compare the runs that are kept under a folder.") { folder, recipe, html };
        command.SetAction(result =>
        {
            string path = result.GetValue(folder)!;
            if (!Directory.Exists(path))
            {
                throw new CliException($"--out {path}: there is no such folder");
            }

            string? wanted = result.GetValue(recipe);
            IReadOnlyList<KeptRun> runs =
            [
                .. KeptRun.Find(path, line => Failure.Report(context.Error, line))
                    .Where(run => wanted is null || run.Recipe == wanted),
            ];
            Write(context.Output, path, runs);
            if (result.GetValue(html) is { } file)
            {
                byte[] page = ToHtml(runs);
                AtomicFile.Write(file, stream => stream.Write(page));
                context.Output.WriteLine($"page: {file}");
            }

            return 0;
        });
        return command;
    }

    private static void Write(TextWriter output, string folder, IReadOnlyList<KeptRun> runs)
    {
        if (runs.Count == 0)
        {
            output.WriteLine($"no runs in {folder}; `fastnn train RECIPE --out DIR` keeps one");
            return;
        }

        string[][] rows = [Header, .. runs.Select(Cells)];
        int[] widths = [.. Enumerable.Range(0, Header.Length).Select(column => rows.Max(row => row[column].Length))];
        foreach (string[] row in rows)
        {
            output.WriteLine(string.Join("  ", row.Select((cell, column) =>
                column is 2 or 5 or 6 ? cell.PadLeft(widths[column]) : cell.PadRight(widths[column]))).TrimEnd());
        }
    }

    private static string[] Cells(KeptRun run) =>
    [
        Printable(run.Name), Printable(run.Recipe) + (run.IsQuick ? " (quick)" : ""),
        run.Seed?.ToString(CultureInfo.InvariantCulture) ?? "", run.State,
        run.Value is { } value ? $"{Printable(run.GoalName ?? "")} {RunReport.Number(value)}" : "",
        run.Wanted is { } wanted ? RunReport.Number(wanted) : "", run.Seconds?.ToString("F1", CultureInfo.InvariantCulture) ?? "",
        run.Started?.ToUniversalTime().ToString("yyyy-MM-dd HH:mm", CultureInfo.InvariantCulture) ?? "",
    ];

    /// <summary>Names of folders may hold characters that move a terminal's cursor.</summary>
    private static string Printable(string text) => string.Concat(text.Select(c => char.IsControl(c) ? '?' : c));

    private static byte[] ToHtml(IReadOnlyList<KeptRun> runs)
    {
        using var page = new HtmlPage("Runs");
        page.Element("h1", "Runs").Open("div", ("class", "scroll")).Open("table", ("class", "texts")).Open("tr");
        foreach (string name in Header)
        {
            page.Element("th", name);
        }

        page.Close();
        foreach (KeptRun run in runs)
        {
            page.Open("tr");
            foreach (string cell in Cells(run))
            {
                page.Element("td", cell);
            }

            page.Close();
        }

        page.Close().Close().Element("h2", "Losses").Element(
            "p", "The running mean over a fiftieth of a run's steps.", ("class", "soft")).Open("div", ("class", "grid"));
        foreach (IGrouping<string, KeptRun> recipe in runs.Where(run => run.Losses.Count > 0).GroupBy(run => run.Recipe))
        {
            LineChart.Write(page, recipe.Key, "step", [.. recipe.Select((run, i) =>
                new ChartLine(run.Name, ChartLines.RunningMean(run.Losses), i))]);
        }

        return page.Close().ToBytes();
    }
}
