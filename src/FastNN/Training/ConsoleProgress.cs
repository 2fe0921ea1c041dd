using System.Globalization;

namespace FastNN;

/// <summary>Writes a line per epoch, and on request one every so many steps, to the console or another writer.</summary>
public sealed class ConsoleProgress : Callback
{
    private readonly TextWriter _writer;
    private readonly int _every;

    /// <summary>A line per epoch: "epoch 3: loss 0.1234, accuracy 97.12 %, 1.5 s".</summary>
    /// <param name="writer">Where it goes; null for the console.</param>
    /// <param name="every">Also a line every so many steps, for long epochs; default 0, none.</param>
    /// <exception cref="ArgumentOutOfRangeException">The number of steps is negative.</exception>
    public ConsoleProgress(TextWriter? writer = null, int every = 0)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(every);
        (_writer, _every) = (writer ?? Console.Out, every);
    }

    /// <inheritdoc/>
    public override void OnBatchEnd(Trainer trainer, in BatchResult result)
    {
        if (_every > 0 && (result.Batch + 1) % _every == 0)
        {
            string accuracy = double.IsNaN(result.Accuracy)
                ? ""
                : string.Create(CultureInfo.InvariantCulture, $", accuracy {100 * result.Accuracy:F2} %");
            _writer.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"epoch {result.Epoch}, step {result.Batch + 1} of {result.Batches}: loss {result.MeanLoss:F4}{accuracy}"));
        }
    }

    /// <inheritdoc/>
    public override void OnEpochEnd(Trainer trainer, EpochResult result) => _writer.WriteLine(result);
}
