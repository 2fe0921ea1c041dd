using System.Diagnostics;

namespace FastNN.Cli.Running;

/// <summary>Shows a run's progress. One line per epoch is common to all; what moves in between differs.</summary>
internal abstract class Display : Callback
{
    private readonly RunSettings _settings;
    private readonly TimeSpan _interval;
    private long _start;
    private long _shown;
    private long _images;
    private double _rate;

    protected Display(RunSettings settings, TimeSpan interval) => (_settings, _interval) = (settings, interval);

    /// <summary>Columns that a line may take.</summary>
    protected virtual int Width => int.MaxValue;

    public abstract void Line(string text);

    /// <summary>Runs the training with the display around it.</summary>
    public abstract void Around(Action training);

    /// <param name="texts">The step's figures, from the longest text to the shortest.</param>
    /// <param name="left">What the epoch's other steps will take.</param>
    protected abstract void Show(in BatchResult result, IReadOnlyList<string> texts, TimeSpan left);

    public override void OnTrainBegin(Trainer trainer) => Restart();

    public override void OnEpochBegin(Trainer trainer, int epoch) => Restart();

    public override void OnBatchEnd(Trainer trainer, in BatchResult result)
    {
        long now = Stopwatch.GetTimestamp();
        _images += result.Count;
        double seconds = Stopwatch.GetElapsedTime(_start, now).TotalSeconds;
        _rate = _images / seconds;
        bool last = result.Batch + 1 == result.Batches;
        if (!last && Stopwatch.GetElapsedTime(_shown, now) < _interval)
        {
            return;
        }

        _shown = now;
        double left = seconds / _images * result.Count * (result.Batches - result.Batch - 1);
        Show(result, ProgressText.Step(result, _settings.Epochs, _rate), TimeSpan.FromSeconds(left));
    }

    public override void OnEpochEnd(Trainer trainer, EpochResult result) =>
        Line(ProgressText.Epoch(result, _settings.Epochs, _settings.Recipe.TestsEveryEpoch ? "test" : "val", _rate, Width));

    private void Restart()
    {
        _start = _shown = Stopwatch.GetTimestamp();
        _images = 0;
    }
}
