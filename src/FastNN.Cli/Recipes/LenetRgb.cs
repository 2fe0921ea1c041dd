using FastNN.Data;

namespace FastNN.Cli.Recipes;

/// <summary>LeNet on small color images, as in PyTorch's CIFAR-10 tutorial.</summary>
internal sealed class LenetRgb : SupervisedRecipe
{
    public override string Name => "lenet-rgb";

    public override string Network =>
        "Conv 6 5x5 ReLU, MaxPool 2, Conv 16 5x5 ReLU, MaxPool 2, Flatten, Dense 120 ReLU, Dense 84 ReLU, Dense 10";

    public override string DataDescription =>
        "CIFAR-10 where --data names its binary files, else color MNIST (digits on random colors, 32x32x3)";

    public override string TrainingDescription => "sparse cross-entropy, SGD 1e-3 with momentum 0.9, batch 4, 5 epochs";

    public override Goal Goal => new("test accuracy", 0.97);

    public override Goal QuickGoal => new("test accuracy", 0.50);

    public override int Epochs => 5;

    public override int Batch => 4;

    public override Shape ExampleShape => new(32, 32, 3);

    public override Loss Loss => Loss.SparseCrossEntropy;

    public override Layer CreateModel() => new Sequential(
        new Conv2D(6, 5, Activation.ReLU) { WeightInitializer = Initializer.HeUniform },
        new MaxPool2D(2),
        new Conv2D(16, 5, Activation.ReLU) { WeightInitializer = Initializer.HeUniform },
        new MaxPool2D(2),
        new Flatten(),
        new Dense(120, Activation.ReLU) { WeightInitializer = Initializer.HeUniform },
        new Dense(84, Activation.ReLU) { WeightInitializer = Initializer.HeUniform },
        new Dense(10));

    public override Optimizer CreateOptimizer(float learningRate, int steps) => new Sgd(learningRate, momentum: 0.9f);

    public override RecipeData Load(string? source, Action<string> progress)
    {
        bool cifar = source is not null && Cifar10.IsPresent(source);
        DatasetSplit images = cifar ? Cifar10.Load(source!) : ColorMnist.Load(folder: source, progress: progress);
        string description = cifar
            ? "CIFAR-10"
            : "color MNIST (digits on random colors, generated; --data with the CIFAR-10 binaries trains on those)";
        return new RecipeData(Centred(images.Train), Centred(images.Test), description);
    }

    private static Dataset Centred(Dataset images) => images.Rescale(2, -1);
}
