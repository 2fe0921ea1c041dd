using System.Diagnostics;
using System.Globalization;
using FastNN.Cli.Reports;

namespace FastNN.Cli.Running;

/// <summary>A part of a scripted run: counts steps, shows how far it is, and stops where the user asked for it.</summary>
internal sealed class ScriptPhase(
    string name, long steps, ScriptDisplay display, List<float> losses, ProgressFile? progress, TensorBoardWriter? board,
    CancellationToken cancellation) : IDisposable
{
    private readonly long _start = Stopwatch.GetTimestamp();
    private long _done;

    /// <summary>Seconds since it began.</summary>
    public double Seconds => Stopwatch.GetElapsedTime(_start).TotalSeconds;

    /// <summary>A training step is done.</summary>
    public void Step(float loss)
    {
        losses.Add(loss);
        board?.AddScalar($"{name}/loss", loss, losses.Count);
        Step(string.Create(CultureInfo.InvariantCulture, $"loss {loss:F4}"), loss);
    }

    /// <summary>A step is done.</summary>
    /// <param name="text">A few words on where it stands.</param>
    public void Step(string text = "") => Step(text, double.NaN);

    private void Step(string text, double loss)
    {
        cancellation.ThrowIfCancellationRequested();
        _done++;
        progress?.Step(name, _done, steps, loss);
        if (display.WantsStep || _done == steps)
        {
            TimeSpan left = TimeSpan.FromSeconds(Seconds / _done * Math.Max(0, steps - _done));
            string count = string.Create(CultureInfo.InvariantCulture, $"{name} {_done:N0}/{steps:N0}");
            display.Step((double)_done / steps, left, [text.Length == 0 ? count : $"{count}  {text}", count]);
        }
    }

    public void Dispose() => display.EndPhase();
}

/// <summary>Shows what <see cref="Trainer.Fit"/> does as a phase.</summary>
internal sealed class PhaseCallback(
    string name, int epochs, bool lines, ScriptDisplay display, List<float> losses, ProgressFile? progress,
    TensorBoardWriter? board, CancellationToken cancellation) : Callback
{
    private ScriptPhase? _phase;

    public override void OnBatchEnd(Trainer trainer, in BatchResult result)
    {
        // Epochs all have the same batches.
        _phase ??= new ScriptPhase(name, (long)epochs * result.Batches, display, losses, progress, board, cancellation);
        _phase.Step(result.Loss);
    }

    public override void OnTrainBegin(Trainer trainer) =>
        board?.AddText($"{name}/model", trainer.Model.Summary(SummaryFormat.Markdown), step: 0);

    public override void OnEpochEnd(Trainer trainer, EpochResult result)
    {
        if (result.ValidationLoss is { } validation)
        {
            board?.AddScalar($"{name}/validation_loss", validation, losses.Count);
        }

        progress?.Epoch(name, result);
        if (lines)
        {
            display.Line($"{name}: {result}");
        }
    }

    public override void OnTrainEnd(Trainer trainer, History history) => _phase?.Dispose();
}
