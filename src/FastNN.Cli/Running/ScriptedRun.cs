using System.Diagnostics;
using System.Globalization;
using FastNN.Cli.Commands;
using FastNN.Cli.Recipes;
using FastNN.Cli.Reports;
using Spectre.Console;

namespace FastNN.Cli.Running;

/// <summary>One `fastnn train` of a recipe that is a program of its own.</summary>
internal sealed class ScriptedRun(ScriptedRecipe recipe, CommandContext context)
{
    public required ulong Seed { get; init; }

    public required int? Threads { get; init; }

    public required string Device { get; init; }

    public required string? Data { get; init; }

    public required bool Quick { get; init; }

    public required string? Out { get; init; }

    /// <summary>Whether an earlier run in <see cref="Out"/> may be deleted.</summary>
    public required bool Overwrite { get; init; }

    public required string? Json { get; init; }

    /// <summary>The folder for TensorBoard's event files, or null.</summary>
    public string? TensorBoard { get; init; }

    private TextWriter Output => Json == Outputs.StandardOutput ? context.Error : context.Output;

    public int Run()
    {
        if (Json is not null)
        {
            Outputs.CheckJson(Json);
        }

        string[] earlier = TensorBoard is { } path ? TensorBoardFolder.EarlierRun(path, resumes: false, Overwrite) : [];
        using RunFolder? folder = RunFolder.Open(Out, [.. recipe.Files, RunSettings.ResultName], Overwrite);
        using Device device = Devices.Open(Device, Threads, Output.WriteLine);
        var display = new ScriptDisplay(Output, context.IsTerminal && Output == context.Output ? AnsiConsole.Console : null);
        display.Line($"{recipe.Name}: {recipe.Network}");
        display.Line(string.Create(CultureInfo.InvariantCulture, $"{device.Description}, seed {Seed}{(Quick ? ", quick" : "")}"));
        TensorBoardFolder.Delete(earlier);
        using TensorBoardWriter? board = OpenBoard(device);
        folder?.DeleteEarlierRun();
        using ProgressFile? progress = Out is null ? null : new ProgressFile(Out, continues: false);
        progress?.Begin(recipe.Name, Seed, Quick, epochs: null, step: 0);
        var run = new ScriptRun(recipe, device, display, Out, context.Cancellation)
        {
            Progress = progress,
            Seed = Seed,
            Quick = Quick,
            Data = Data,
            Board = board,
        };
        var watch = Stopwatch.StartNew();
        double value = 0;
        try
        {
            display.Around(() => value = recipe.Run(run));
        }
        catch (Exception exception) when (exception is OperationCanceledException
            || (exception is IOException && context.Cancellation.IsCancellationRequested))
        {
            progress?.End("interrupted", "interrupted");
            Failure.Report(context.Error, $"interrupted; {recipe.Name} begins anew, it keeps no checkpoint");
            return Failure.Interrupted;
        }

        board?.EndRun();
        Finish(run, device, value, watch.Elapsed);
        return 0;
    }

    private TensorBoardWriter? OpenBoard(Device device)
    {
        if (TensorBoard is not { } path)
        {
            return null;
        }

        var board = new TensorBoardWriter(path);
        board.AddText("recipe", $"{recipe.Network}\n\n{recipe.TrainingDescription}", step: 0);
        board.AddHyperparameters(new Dictionary<string, Hyperparameter>
        {
            ["recipe"] = recipe.Name,
            ["seed"] = Seed,
            ["quick"] = Quick,
            ["device"] = device.Kind,
        });
        return board;
    }

    private void Finish(ScriptRun run, Device device, double value, TimeSpan time)
    {
        Outcome outcome = (Quick ? recipe.QuickGoal : recipe.Goal).Judge(value);
        if (!run.Conditions.All(condition => condition.Passed))
        {
            outcome = outcome with { Passed = false };
        }

        Output.WriteLine();
        Output.WriteLine(outcome.ToString());
        Output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"took {time.TotalSeconds:F1} s"));
        if (Out is not null && run.Files.Count > 0)
        {
            Output.WriteLine($"kept in {Out}: {string.Join(", ", run.Files.Keys)}");
        }

        var result = new ScriptResult
        {
            Recipe = recipe.Name,
            Device = device.Kind,
            Threads = device.Threads,
            Seed = Seed,
            Quick = Quick,
            Seconds = time.TotalSeconds,
            Outcome = outcome,
            Conditions = run.Conditions,
            Figures = run.Figures,
            Losses = run.Losses,
            Files = run.Files,
        };
        foreach (string? path in (string?[])[Json, Out is null ? null : Path.Combine(Out, RunSettings.ResultName)])
        {
            if (path is not null)
            {
                Outputs.WriteJson(path, context.Output, result, ResultJson.Default.ScriptResult);
            }
        }

        if (Out is not null)
        {
            Report(run, device, outcome, time).Save(Out);
            run.Progress!.End(outcome.Passed ? "passed" : "missed", outcome.ToString());
        }
    }

    private RunReport Report(ScriptRun run, Device device, Outcome outcome, TimeSpan time) => new()
    {
        Recipe = recipe,
        Outcome = outcome,
        Conditions = run.Conditions,
        Tiles =
        [
            ("seconds", RunReport.Number(Math.Round(time.TotalSeconds, 1))),
            ("steps", RunReport.Number(run.Losses.Values.Sum(losses => losses.Count))),
            ("seed", Seed.ToString(CultureInfo.InvariantCulture)), ("form", Quick ? "quick" : "whole"),
        ],
        Settings =
        [
            ("seed", Seed.ToString(CultureInfo.InvariantCulture)), ("form", Quick ? "--quick" : "whole"),
            ("files", string.Join(", ", run.Files.Select(file => $"{file.Key} (SHA-256 {file.Value})"))),
        ],
        Device = device,
        Losses = run.Losses,
        Figures = run.Figures,
        Pictures =
        [
            .. run.Files.Keys.Where(name => name.EndsWith(".png", StringComparison.Ordinal)).Select(name => new ReportPicture(
                File.ReadAllBytes(Path.Combine(Out!, name)), name, 360)),
        ],
    };
}
