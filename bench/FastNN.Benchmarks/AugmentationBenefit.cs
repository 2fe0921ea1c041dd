using System.Diagnostics;
using System.Globalization;
using FastNN.Data;

namespace FastNN.Benchmarks;

/// <summary>
/// What augmentation costs and brings: images per second of a usual pipeline for 32x32 color images on one and two threads of the
/// loader, and the accuracy of mnist-cnn's network trained on the first 500 digits with and without augmentation.
/// </summary>
internal static class AugmentationBenefit
{
    public const string Command = "augmentation";

    private const int Images = 10_000;

    private const int Digits = 500;

    private const int Epochs = 60;

    private const int BatchSize = 128;

    private const int Rounds = 7;

    private static Compose Cifar => new(
        new RandomCrop(32) { Padding = 4 },
        new RandomHorizontalFlip(),
        new ColorJitter(brightness: 0.2, contrast: 0.2, saturation: 0.2, hue: 0.05),
        new RandomErasing());

    private static RandomAffine Handwriting => new(10)
    {
        Translate = (0.08, 0.08),
        Scale = (0.9, 1.1),
        Resampling = Resampling.Bilinear,
    };

    public static void Run()
    {
        RunThroughput();
        RunAccuracy();
    }

    private static void RunThroughput()
    {
        var random = new Random(1);
        var pixels = new byte[Images * 32 * 32 * 3];
        random.NextBytes(pixels);
        Dataset data = Dataset.FromBytes(pixels, [32, 32, 3], new int[Images], ["one"]);
        using var plain = new DataLoader(data, BatchSize, seed: 1);
        using var one = new DataLoader(data, BatchSize, seed: 1, transform: Cifar);
        using var two = new DataLoader(data, BatchSize, seed: 1, transform: Cifar, threads: 2);
        (string Name, DataLoader Loader, List<double> Rates)[] loaders = [
            ("no augmentation", plain, []), ("1 thread", one, []), ("2 threads", two, [])];
        for (int round = 0; round <= Rounds; round++)
        {
            foreach ((_, DataLoader loader, List<double> rates) in loaders)
            {
                var watch = Stopwatch.StartNew();
                loader.StartEpoch(1 + round);
                while (loader.TryNext(out _))
                {
                }

                rates.Add(Images / watch.Elapsed.TotalSeconds);
            }
        }

        Console.WriteLine(
            $"32x32x3, crop with padding 4, flip, color jitter, erasing; median of {Rounds} epochs of {Images} images");
        foreach ((string name, _, List<double> rates) in loaders)
        {
            double median = rates.Skip(1).Order().ElementAt(Rounds / 2);
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{name}: {median:N0} images/s"));
        }
    }

    private static void RunAccuracy()
    {
        DatasetSplit mnist = Mnist.Load();
        Dataset train = mnist.Train.Take(Digits);
        Console.WriteLine($"mnist-cnn's network, {Digits} digits, {Epochs} epochs; test accuracy");
        foreach (ulong seed in (ulong[])[1, 2, 3])
        {
            double plain = Train(train, mnist.Test, seed, null), augmented = Train(train, mnist.Test, seed, Handwriting);
            Console.WriteLine(string.Create(
                CultureInfo.InvariantCulture, $"seed {seed}: without {plain:0.0000}, with {augmented:0.0000}"));
        }
    }

    private static double Train(Dataset train, Dataset test, ulong seed, Augmentation? augmentation)
    {
        using Device device = Device.Cpu();
        var model = new Sequential(
            new Conv2D(32, 3, Activation.ReLU),
            new MaxPool2D(2),
            new Conv2D(64, 3, Activation.ReLU),
            new MaxPool2D(2),
            new Flatten(),
            new Dense(64, Activation.ReLU),
            new Dense(10));
        using var trainer = new Trainer(model, device, Loss.SparseCrossEntropy, new Adam(1e-3f), seed: seed);
        trainer.Fit(train, Epochs, batchSize: 50, transform: augmentation);
        return trainer.Evaluate(test).Accuracy!.Value;
    }
}
