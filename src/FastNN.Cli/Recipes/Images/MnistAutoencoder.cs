using FastNN.Data;
using FastNN.Formats;

namespace FastNN.Cli.Recipes;

/// <summary>An autoencoder: 784 gray levels through 32 numbers and back.</summary>
internal sealed class MnistAutoencoder : MnistRecipe
{
    public override string Name => "mnist-autoencoder";

    public override string Network =>
        "Dense 256 ReLU, Dense 32, Dense 256 ReLU, Dense 784 sigmoid: a code of 32 numbers in between";

    public override string TrainingDescription =>
        "mean squared error between image and reconstruction, AdamW one-cycle 3e-3, batch 128, 6 epochs";

    public override Goal Goal => new("test reconstruction error", 0.010, AtMost: true);

    public override Goal QuickGoal => new("test reconstruction error", 0.045, AtMost: true);

    public override int Epochs => 6;

    public override int Batch => 128;

    public override float LearningRate => 3e-3f;

    public override (int Epochs, int Limit) Quick => (3, 12_800);

    public override Loss Loss => Loss.MeanSquaredError;

    public override Layer CreateModel() => new Sequential(
        new Flatten(),
        new Dense(256, Activation.ReLU) { WeightInitializer = Initializer.HeUniform },
        new Dense(32),
        new Dense(256, Activation.ReLU) { WeightInitializer = Initializer.HeUniform },
        new Dense(784, Activation.Sigmoid),
        new Reshape([28, 28, 1]));

    public override Optimizer CreateOptimizer(float learningRate, int steps) =>
        new AdamW(weightDecay: 1e-4f) { Schedule = Schedule.OneCycle(learningRate, steps) };

    public override RecipeData Load(string? source, Action<string> progress)
    {
        DatasetSplit digits = Mnist.Load(source, progress);
        return new RecipeData(
            digits.Train.FeaturesAsTargets(), digits.Test.FeaturesAsTargets(), source is null ? "MNIST" : $"digits of {source}");
    }

    public override double Measure(Evaluation test) => test.Loss;

    /// <summary>Fifty test digits, five rows of ten, each with its reconstruction below it.</summary>
    public override byte[] Draw(Trainer trainer, Dataset test)
    {
        const int Columns = 10, Rows = 5, Row = Columns * 28 * 28;
        test = test.Take(Columns * Rows);
        float[] digits = test.Features(), rebuilt = trainer.Predict(test);
        float[] images =
        [
            .. Enumerable.Range(0, Rows).SelectMany(
                row => new[] { digits, rebuilt }.SelectMany(half => half[(row * Row)..((row + 1) * Row)])),
        ];
        return new ImageGrid { Columns = Columns }.Encode(images, [2 * Columns * Rows, 28, 28]);
    }
}
