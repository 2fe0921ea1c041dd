using Spectre.Console;
using Spectre.Console.Rendering;

namespace FastNN.Cli.Running;

/// <summary>The whole line as one column: Spectre's own columns know nothing of each other's width, and wrap.</summary>
internal sealed class BarColumn : ProgressColumn
{
    private static readonly Style Done = new(Color.Yellow);
    private static readonly Style Open = new(Color.Grey);

    private volatile Progress? _progress;

    protected override bool NoWrap => true;

    public void Set(IReadOnlyList<string> texts, TimeSpan left) => _progress = new Progress(texts, left);

    public void Clear() => _progress = null;

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
