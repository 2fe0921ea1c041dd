using System.Diagnostics;
using Spectre.Console;

namespace FastNN.Cli.Running;

/// <summary>Shows a scripted run's progress: a bar that moves on terminals, a line every few seconds elsewhere.</summary>
internal sealed class ScriptDisplay(TextWriter output, IAnsiConsole? console)
{
    private readonly TimeSpan _interval = console is null ? TimeSpan.FromSeconds(5) : TimeSpan.FromMilliseconds(100);
    private readonly BarColumn _bar = new();
    private ProgressTask? _task;
    private long _shown = Stopwatch.GetTimestamp();

    /// <summary>Whether enough time has passed for the next step to be shown.</summary>
    public bool WantsStep => Stopwatch.GetElapsedTime(_shown) >= _interval;

    public void Line(string text)
    {
        if (console is not null)
        {
            console.WriteLine(text);
            return;
        }

        output.WriteLine(text);
        output.Flush();
    }

    /// <summary>Runs everything with the display around it.</summary>
    public void Around(Action run)
    {
        if (console is null)
        {
            run();
            return;
        }

        console.Progress().AutoClear(true).Columns(_bar).Start(context =>
        {
            _task = context.AddTask("", maxValue: 1);
            run();
        });
        _task = null;
    }

    /// <param name="share">What of the phase is done, from 0 to 1.</param>
    /// <param name="left">What the rest will take.</param>
    /// <param name="texts">From the longest to the shortest.</param>
    public void Step(double share, TimeSpan left, IReadOnlyList<string> texts)
    {
        _shown = Stopwatch.GetTimestamp();
        if (_task is { } task)
        {
            _bar.Set(texts, left);
            // A task that reached its maximum would be finished, and finished tasks are not drawn again.
            task.MaxValue = 1001;
            task.Value = Math.Round(share * 1000);
            task.Description = texts[0];
        }
        else if (console is null && share < 1)
        {
            Line($"  {texts[0]}");
        }
    }

    /// <summary>Nothing is under way.</summary>
    public void EndPhase() => _bar.Clear();
}
