using Spectre.Console;
using Spectre.Console.Rendering;

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

    /// <summary>The whole line as one column: Spectre's own columns know nothing of each other's width, and wrap.</summary>
    private sealed class BarColumn : ProgressColumn
    {
        private static readonly Style Done = new(Color.Yellow);
        private static readonly Style Open = new(Color.Grey);

        private volatile Progress? _progress;

        protected override bool NoWrap => true;

        public void Set(IReadOnlyList<string> texts, TimeSpan left) => _progress = new Progress(texts, left);

        public override IRenderable Render(RenderOptions options, ProgressTask task, TimeSpan deltaTime)
        {
            if (_progress is not { } progress)
            {
                return new Text(task.Description);
            }

            // The last column stays free: some terminals wrap as soon as it is written.
            double share = Math.Min(1, task.Value / Math.Max(1, task.MaxValue - 1));
            (int done, int cells, string tail) = ProgressText.Bar(
                share, progress.Left, progress.Texts, options.ConsoleSize.Width - 1);
            char cell = options.Unicode ? '━' : '-';
            return new Paragraph().Append(new string(cell, done), Done).Append(new string(cell, cells - done), Open).Append(tail);
        }

        private sealed record Progress(IReadOnlyList<string> Texts, TimeSpan Left);
    }
}
