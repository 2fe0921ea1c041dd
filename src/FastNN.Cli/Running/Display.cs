using System.Diagnostics;
using System.Globalization;

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

    public abstract void Line(string text);

    /// <summary>Runs the training with the display around it.</summary>
    public abstract void Around(Action training);

    protected abstract void Show(in BatchResult result, string text);

    public override void OnTrainBegin(Trainer trainer) => Restart();

    public override void OnEpochBegin(Trainer trainer, int epoch) => Restart();

    public override void OnBatchEnd(Trainer trainer, in BatchResult result)
    {
        long now = Stopwatch.GetTimestamp();
        _images += result.Count;
        _rate = _images / Stopwatch.GetElapsedTime(_start, now).TotalSeconds;
        bool last = result.Batch + 1 == result.Batches;
        if (!last && Stopwatch.GetElapsedTime(_shown, now) < _interval)
        {
            return;
        }

        _shown = now;
        Show(result, string.Create(
            CultureInfo.InvariantCulture,
            $"epoch {result.Epoch + 1}/{_settings.Epochs}  loss {result.MeanLoss:F4}{Percent("accuracy", double.IsNaN(result.Accuracy) ? null : result.Accuracy)}  {_rate:N0} images/s"));
    }

    public override void OnEpochEnd(Trainer trainer, EpochResult result)
    {
        string held = _settings.Recipe.TestsEveryEpoch ? "test" : "val";
        string loss = result.ValidationLoss is { } value ? string.Create(CultureInfo.InvariantCulture, $"  {held} loss {value:F4}") : "";
        Line(string.Create(
            CultureInfo.InvariantCulture,
            $"epoch {result.Epoch + 1,2}/{_settings.Epochs}  loss {result.Loss:F4}{Percent("accuracy", result.Accuracy)}{loss}{Percent($"{held} accuracy", result.ValidationAccuracy)}  {result.Seconds:F1} s  {_rate:N0} images/s"));
    }

    private static string Percent(string name, double? share) =>
        share is { } value ? string.Create(CultureInfo.InvariantCulture, $"  {name} {100 * value:F2} %") : "";

    private void Restart()
    {
        _start = _shown = Stopwatch.GetTimestamp();
        _images = 0;
    }
}
