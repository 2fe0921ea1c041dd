namespace FastNN.Cli.Recipes;

/// <summary>The network of <see cref="MnistCnn"/>, tested after every epoch.</summary>
internal sealed class MnistCnnEpochs : MnistCnn
{
    public override string Name => "mnist-cnn-epochs";

    public override string TrainingDescription =>
        "one-hot cross-entropy, Adam 1e-3 (x0.8 per epoch), batch 64, 10 epochs, digits shifted by up to a pixel, test accuracy after every epoch";

    public override int Batch => 64;

    public override double ValidationSplit => 0;

    public override bool TestsEveryEpoch => true;

    public override IEnumerable<Callback> CreateCallbacks() => [];
}
