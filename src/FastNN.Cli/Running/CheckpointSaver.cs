namespace FastNN.Cli.Running;

/// <summary>
/// Saves the whole run after every epoch, so that a power cut costs one epoch at most. It is the last callback, so that it saves
/// what the others decided.
/// </summary>
internal sealed class CheckpointSaver(string path, IReadOnlyList<Callback> callbacks) : Callback
{
    public override void OnEpochEnd(Trainer trainer, EpochResult result) => trainer.SaveCheckpoint(path, callbacks);
}
