namespace FastNN.Cli.Running;

/// <summary>Progress for files and pipes: whole lines, a few per minute.</summary>
internal sealed class PlainDisplay(RunSettings settings, TextWriter output) : Display(settings, TimeSpan.FromSeconds(5))
{
    public override void Line(string text)
    {
        output.WriteLine(text);
        output.Flush();
    }

    public override void Around(Action training) => training();

    protected override void Show(in BatchResult result, IReadOnlyList<string> texts, TimeSpan left)
    {
        // The epoch's own line follows at once.
        if (result.Batch + 1 < result.Batches)
        {
            Line($"  {texts[0]}  ({result.Batch + 1}/{result.Batches} steps)");
        }
    }
}
