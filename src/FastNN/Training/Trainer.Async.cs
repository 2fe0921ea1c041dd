using FastNN.Data;

namespace FastNN;

public sealed partial class Trainer
{
    /// <summary>Runs <see cref="Fit"/> on a thread of its own, so that a user interface or a server goes on meanwhile.</summary>
    /// <param name="train">The examples to train on; shuffled anew each epoch.</param>
    /// <param name="epochs">Epochs in total, those of a resumed run included; default 1.</param>
    /// <param name="batchSize">Examples per step; default 32.</param>
    /// <param name="validation">Evaluated after each epoch, or null.</param>
    /// <param name="validationSplit">Without validation data, the share of the training data split off for it, in [0, 1); default
    /// 0.</param>
    /// <param name="callbacks">Called in order, on the training thread.</param>
    /// <param name="transform">Changes the training batches: augmentation. Default none.</param>
    /// <param name="accumulate">Batches whose gradients make one update; default 1.</param>
    /// <param name="progress">Gets the numbers of each epoch after all callbacks; a <see cref="Progress{T}"/> reports them on the
    /// thread it was made on. Default none.</param>
    /// <param name="loaderThreads">Threads that prepare batches; default 1.</param>
    /// <param name="cancellationToken">Ends training after the current step; the trainer can then still be saved.</param>
    /// <returns>The epochs' numbers; the task fails as <see cref="Fit"/> throws, and is cancelled by the token.</returns>
    /// <exception cref="ConcurrentUseException">In the task: another thread is using this trainer.</exception>
    public Task<History> FitAsync(
        Dataset train, int epochs = 1, int batchSize = 32, Dataset? validation = null, double validationSplit = 0,
        IReadOnlyList<Callback>? callbacks = null, IBatchTransform? transform = null, int accumulate = 1,
        IProgress<EpochResult>? progress = null, int loaderThreads = 1,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(train);
        IReadOnlyList<Callback> all = progress is null
            ? callbacks ?? []
            : [.. callbacks ?? [], Callback.OnEpochEnd(progress.Report)];
        return Task.Factory.StartNew(
            () => Fit(
                train, epochs, batchSize, validation, validationSplit, callbacks: all, transform: transform,
                accumulate: accumulate, loaderThreads: loaderThreads, cancellationToken: cancellationToken),
            cancellationToken, TaskCreationOptions.LongRunning, TaskScheduler.Default);
    }
}
