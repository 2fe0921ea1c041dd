namespace FastNN.Cli.Running;

/// <summary>Saves the whole run after every epoch, so that not even a power cut costs more than one. The last of the callbacks, to keep what the others decided.</summary>
internal sealed class CheckpointSaver(string path, IReadOnlyList<Callback> callbacks) : Callback
{
    public override void OnEpochEnd(Trainer trainer, EpochResult result) => trainer.SaveCheckpoint(path, callbacks);
}
