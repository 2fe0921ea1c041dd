using Spectre.Console;

namespace FastNN.Cli.Running;

/// <summary>Progress for people: a bar per epoch with loss, accuracy and speed, below the lines of the epochs done.</summary>
internal sealed class LiveDisplay(RunSettings settings, IAnsiConsole console) : Display(settings, TimeSpan.FromMilliseconds(100))
{
    private readonly BarColumn _bar = new();
    private ProgressTask? _task;

    // Read anew for each line, because people resize their windows.
    protected override int Width => console.Profile.Width;

    public override void Line(string text) => console.WriteLine(text);

    public override void Around(Action training)
    {
        console.Progress().AutoClear(true).Columns(_bar).Start(context =>
        {
            _task = context.AddTask("first step: planning", maxValue: 1);
            training();
        });
        _task = null;
    }

    protected override void Show(in BatchResult result, IReadOnlyList<string> texts, TimeSpan left)
    {
        if (_task is { } task)
        {
            _bar.Set(texts, left);
            // A task that reached its maximum would be finished, and finished tasks are not drawn again.
            task.MaxValue = result.Batches + 1;
            task.Value = result.Batch + 1;
            task.Description = texts[0];
        }
    }
}
