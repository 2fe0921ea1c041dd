using FastNN.Cli.Recipes;

namespace FastNN.Cli.Running;

/// <summary>A run under way, as a recipe's training sees it.</summary>
internal sealed record TrainingJob(
    Trainer Trainer, RecipeData Data, int Epochs, int Batch, ulong Seed, IReadOnlyList<Callback> Callbacks, RunRecorder Recorder,
    CancellationToken Cancellation)
{
    /// <summary>Whether this run evaluates its test data after every epoch, whatever the recipe does.</summary>
    public bool TestsEveryEpoch { get; init; }

    /// <summary>For explicit loops: tells the callbacks that training begins, or goes on.</summary>
    public void Begin()
    {
        for (int i = 0; i < Callbacks.Count; i++)
        {
            Callbacks[i].OnTrainBegin(Trainer);
        }
    }

    /// <summary>
    /// For explicit loops: tells the callbacks that an epoch begins, or goes on where an interrupted run stopped.
    /// </summary>
    public void BeginEpoch(int epoch, int done)
    {
        for (int i = 0; i < Callbacks.Count && done == 0; i++)
        {
            Callbacks[i].OnEpochBegin(Trainer, epoch);
        }
    }

    /// <summary>For explicit loops: tells the callbacks of a step, and stops where the user asked for it.</summary>
    public void EndBatch(in BatchResult result)
    {
        for (int i = 0; i < Callbacks.Count; i++)
        {
            Callbacks[i].OnBatchEnd(Trainer, result);
        }

        Cancellation.ThrowIfCancellationRequested();
    }

    /// <summary>For explicit loops: tells the callbacks of an epoch.</summary>
    public void EndEpoch(EpochResult result)
    {
        for (int i = 0; i < Callbacks.Count; i++)
        {
            Callbacks[i].OnEpochEnd(Trainer, result);
        }
    }
}
