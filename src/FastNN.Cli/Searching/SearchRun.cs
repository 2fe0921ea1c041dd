using System.Globalization;
using System.Text;
using FastNN.Cli.Commands;
using FastNN.Cli.Running;
using FastNN.Formats;
using FastNN.Search;

namespace FastNN.Cli.Searching;

/// <summary>A search under way: several trials at a time, each a process, all kept in a journal.</summary>
internal sealed class SearchRun(SearchSettings settings, CommandContext context)
{
    private static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(50);

    public int Run()
    {
        if (settings.Plots is { } plots)
        {
            Outputs.CheckFile("--plots", plots);
        }

        using var journal = new StudyJournal(settings.Journal, settings.Recipe.Name);
        var study = new Study(
            settings.Space, settings.Sampler,
            settings.Recipe.Goal.AtMost ? SearchDirection.Minimize : SearchDirection.Maximize, settings.Pruner, journal,
            settings.Seed);
        int before = study.Trials.Count;
        context.Output.WriteLine(
            $"{settings.Recipe.Name}: searching {string.Join(", ", settings.Space.Parameters.Select(parameter => parameter.Name))}; {Judged}; journal {settings.Journal}{(before > 0 ? $" has {before} trials" : "")}");
        var running = new List<TrialProcess>();
        try
        {
            while (running.Count > 0 || study.Trials.Count < settings.Trials)
            {
                context.Cancellation.ThrowIfCancellationRequested();
                while (running.Count < settings.Parallel && study.Trials.Count < settings.Trials)
                {
                    running.Add(new TrialProcess(settings, study.Ask()));
                }

                Thread.Sleep(Poll);
                foreach (TrialProcess process in running.ToArray())
                {
                    if (Follow(study, process))
                    {
                        running.Remove(process);
                        process.Dispose();
                    }
                }
            }
        }
        catch (OperationCanceledException)
        {
            Draw(study);
            Failure.Report(
                context.Error,
                $"interrupted; the same command goes on with the {study.Trials.Count(trial => trial.State == TrialState.Complete)} complete trials of {settings.Journal}");
            return Failure.Interrupted;
        }
        finally
        {
            running.ForEach(process => process.Dispose());
        }

        Draw(study);
        return Report(study);
    }

    private void Draw(Study study)
    {
        if (settings.Plots is { } path)
        {
            string html = study.ToHtml($"fastnn search {settings.Recipe.Name}", Judged);
            AtomicFile.Write(path, stream => stream.Write(Encoding.UTF8.GetBytes(html)));
            context.Output.WriteLine($"plots: {path}");
        }
    }

    /// <summary>What trials are judged by.</summary>
    private string Judged => settings.Recipe.Goal.Name.Replace("test ", "held-out ", StringComparison.Ordinal);

    /// <returns>Whether the trial has ended.</returns>
    private bool Follow(Study study, TrialProcess process)
    {
        // Before the reports are read: what a process wrote before it ended is all there.
        bool exited = process.HasExited;
        bool goesOn = process.ReportEpochs();
        if (!exited && goesOn)
        {
            return false;
        }

        if (!goesOn)
        {
            process.Kill();
            study.Tell(process.Trial, TrialState.Pruned);
        }
        else if (process.Outcome() is { } value)
        {
            study.Tell(process.Trial, value);
        }
        else
        {
            study.Tell(process.Trial, TrialState.Failed);
        }

        Write(study, process);
        return true;
    }

    private void Write(Study study, TrialProcess process)
    {
        Trial trial = process.Trial;
        string values = string.Join(
            "  ", settings.Space.Parameters.Select(parameter => $"{parameter.Name} {Shown(parameter, trial)}"));
        string came = trial.State switch
        {
            TrialState.Complete => string.Create(CultureInfo.InvariantCulture, $"{trial.Value:F4}"),
            TrialState.Pruned => string.Create(CultureInfo.InvariantCulture, $"pruned after epoch {trial.Reports.Count}"),
            _ => $"failed: {process.Failure}",
        };
        context.Output.WriteLine(
            $"trial {trial.Number + 1,3}/{settings.Trials}  {values}  {came}{(study.Best == trial ? "  best so far" : "")}");
        context.Output.Flush();
    }

    private int Report(Study study)
    {
        if (study.Best is not { } best)
        {
            throw new CliException($"search: none of {study.Trials.Count} trials was completed");
        }

        context.Output.WriteLine();
        context.Output.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"best of {study.Trials.Count(trial => trial.State == TrialState.Complete)} complete trials ({study.Trials.Count(trial => trial.State == TrialState.Pruned)} pruned): {best.Value:F4}"));
        context.Output.WriteLine(
            $"to train with it: fastnn train {settings.Recipe.Name} {string.Join(' ', settings.Space.Parameters.Select(parameter => $"--{parameter.Name} {best.Text(parameter.Name)}"))}");
        return 0;
    }

    private static string Shown(SearchParameter parameter, Trial trial) => parameter is FloatParameter
        ? string.Create(CultureInfo.InvariantCulture, $"{trial.Float(parameter.Name):G4}")
        : trial.Text(parameter.Name);
}
