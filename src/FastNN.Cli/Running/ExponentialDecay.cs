namespace FastNN.Cli.Running;

/// <summary>
/// Lowers the learning rate by a factor from epoch to epoch (PyTorch's ExponentialLR), so that the last epochs settle: at a
/// constant rate the accuracy of whichever epoch happens to be the last swings by some tenths of a percent.
/// </summary>
internal sealed class ExponentialDecay(float learningRate, float factor) : Callback
{
    public override void OnEpochBegin(Trainer trainer, int epoch) =>
        trainer.Optimizer.LearningRate = learningRate * MathF.Pow(factor, epoch - 1);
}
