using System.Buffers;

namespace FastNN;

/// <summary>
/// Writes training for TensorBoard (<c>tensorboard --logdir runs</c>): the loss of each step, and after each epoch loss,
/// accuracy, metrics, learning rate and seconds. What is computed on validation data has the same tags in the folder "validation"
/// within the run's, so that TensorBoard draws both into one chart. Steps are the updates made so far. A resumed run is
/// continued, without what earlier files say of steps that it computes again.
/// </summary>
/// <remarks>The files are closed at the end of training. Dispose the log as well, for training that fails or is
/// cancelled.</remarks>
/// <param name="folder">The run's own folder, such as "runs/first", made if it is missing.</param>
public sealed class TensorBoardLog(string folder) : Callback, IDisposable
{
    private TensorBoardWriter? _validation;
    private long? _purgeStep;

    /// <summary>Steps between two losses and learning rates that are written; default 1. 0 for those of epochs alone.</summary>
    /// <exception cref="ArgumentOutOfRangeException">It is negative.</exception>
    public int Every
    {
        get;
        init
        {
            ArgumentOutOfRangeException.ThrowIfNegative(value);
            field = value;
        }
    } = 1;

    /// <summary>Whether the distribution of each parameter is written after each epoch; default false. They are copied from the
    /// device for it.</summary>
    public bool WithWeights { get; init; }

    /// <summary>Whether the distribution of each trained parameter's gradient in the epoch's last update is written; default
    /// false. They are copied from the device for it.</summary>
    public bool WithGradients { get; init; }

    /// <summary>Whether the model's graph and summary are written as training begins; default true.</summary>
    public bool WithModel { get; init; } = true;

    /// <summary>What this run was made with, for TensorBoard's table of hyperparameters; default none.</summary>
    public IReadOnlyDictionary<string, Hyperparameter>? Hyperparameters { get; init; }

    /// <summary>
    /// The writer of the run's own file, for images and texts of other callbacks; null before training begins and after it ended.
    /// </summary>
    public TensorBoardWriter? Writer { get; private set; }

    /// <inheritdoc/>
    public override void OnTrainBegin(Trainer trainer)
    {
        Close(hasSucceeded: false);
        _purgeStep = trainer.IsResuming ? trainer.StepCount + 1 : null;
        Writer = new TensorBoardWriter(folder, _purgeStep);
        if (WithModel)
        {
            Writer.AddGraph(trainer.Model);
            Writer.AddText("model", trainer.Model.Summary(SummaryFormat.Markdown), trainer.StepCount);
        }

        if (Hyperparameters is not null)
        {
            Writer.AddHyperparameters(Hyperparameters);
        }
    }

    /// <inheritdoc/>
    public override void OnBatchEnd(Trainer trainer, in BatchResult result)
    {
        if (Every > 0 && (result.Batch + 1) % Every == 0)
        {
            Writer!.AddScalar("step/loss", result.Loss, result.Step);
            Writer.AddScalar("step/learning_rate", trainer.Optimizer.LearningRate, result.Step);
        }
    }

    /// <inheritdoc/>
    public override void OnEpochEnd(Trainer trainer, EpochResult result)
    {
        long step = trainer.StepCount;
        Write(Writer!, step, result.Loss, result.Accuracy, result.Metrics);
        Writer!.AddScalar("epoch/learning_rate", result.LearningRate, step);
        Writer.AddScalar("epoch/seconds", result.Duration.TotalSeconds, step);
        Writer.AddScalar("epoch/number", result.Epoch, step);
        if (result.ValidationLoss is { } loss)
        {
            _validation ??= new TensorBoardWriter(Path.Combine(folder, "validation"), _purgeStep);
            Write(_validation, step, loss, result.ValidationAccuracy, result.ValidationMetrics);
        }

        if (WithWeights || WithGradients)
        {
            WriteHistograms(trainer, step);
        }
    }

    /// <inheritdoc/>
    public override void OnTrainEnd(Trainer trainer, History history) => Close(hasSucceeded: true);

    /// <summary>Closes the files of training that did not reach its end.</summary>
    /// <exception cref="IOException">Something could not be written, and no call has said so yet.</exception>
    public void Dispose() => Close(hasSucceeded: false);

    private static void Write(TensorBoardWriter writer, long step, double loss, double? accuracy, MetricValues metrics)
    {
        writer.AddScalar("epoch/loss", loss, step);
        if (accuracy is { } share)
        {
            writer.AddScalar("epoch/accuracy", share, step);
        }

        foreach (string name in metrics.Names)
        {
            writer.AddScalar($"epoch/{name}", metrics[name], step);
        }
    }

    private void WriteHistograms(Trainer trainer, long step)
    {
        foreach ((string name, Parameter parameter) in trainer.Model.NamedParameters)
        {
            float[] rented = ArrayPool<float>.Shared.Rent((int)parameter.Count);
            Span<float> values = rented.AsSpan(0, (int)parameter.Count);
            if (WithWeights)
            {
                parameter.Read(values);
                Writer!.AddHistogram($"weights/{name}", values, step);
            }

            if (WithGradients && parameter.IsTrainable && !parameter.IsBuffer)
            {
                trainer.ReadGradient(parameter, values);
                Writer!.AddHistogram($"gradients/{name}", values, step);
            }

            ArrayPool<float>.Shared.Return(rented);
        }
    }

    private void Close(bool hasSucceeded)
    {
        (TensorBoardWriter? writer, TensorBoardWriter? validation) = (Writer, _validation);
        (Writer, _validation) = (null, null);
        try
        {
            if (Hyperparameters is not null)
            {
                writer?.EndRun(hasSucceeded);
            }
        }
        finally
        {
            try
            {
                writer?.Dispose();
            }
            finally
            {
                validation?.Dispose();
            }
        }
    }
}
