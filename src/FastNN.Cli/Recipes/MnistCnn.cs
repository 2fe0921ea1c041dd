using FastNN.Data;

namespace FastNN.Cli.Recipes;

/// <summary>The usual convolutional network for digits, trained until it stops improving.</summary>
internal class MnistCnn : MnistRecipe
{
    public override string Name => "mnist-cnn";

    public override string Network =>
        "Conv 32 3x3 ReLU, MaxPool 2, Conv 64 3x3 ReLU, MaxPool 2, Flatten, Dense 64 ReLU, Dense 10";

    public override string TrainingDescription =>
        "one-hot cross-entropy, Adam 1e-3 (x0.8 per epoch), batch 128, up to 10 epochs, validation split 0.1, early stopping "
        + "(patience 3, best weights kept), digits shifted by up to a pixel";

    public override Goal Goal => new("test accuracy", 0.990);

    public override Goal QuickGoal => new("test accuracy", 0.85);

    public override int Epochs => 10;

    public override int Batch => 128;

    public override float LearningRateDecay => 0.8f;

    public override double ValidationSplit => 0.1;

    public override Loss Loss => Loss.CrossEntropy;

    public override Layer CreateModel() => new Sequential(
        new Conv2D(32, 3, Activation.ReLU),
        new MaxPool2D(2),
        new Conv2D(64, 3, Activation.ReLU),
        new MaxPool2D(2),
        new Flatten(),
        new Dense(64, Activation.ReLU),
        new Dense(10));

    public override IBatchTransform CreateTransform() => new RandomShift(pixels: 1, background: 0);

    public override IEnumerable<Callback> CreateCallbacks() => [new EarlyStopping(patience: 3, restoreBest: true)];
}
