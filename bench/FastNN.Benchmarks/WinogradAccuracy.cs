using System.Globalization;
using FastNN.Data;

namespace FastNN.Benchmarks;

/// <summary>
/// Whether networks that train with Winograd's algorithm end as accurate as those that train with direct sums: a convolutional
/// network whose 3x3 convolutions have 64 and 128 channels, trained on MNIST's first 10 000 digits with either, from the same
/// weights on the same batches, and counted on the 10 000 test digits.
/// </summary>
internal static class WinogradAccuracy
{
    public const string Command = "winograd-accuracy";

    private const int Digits = 10_000;

    private const int BatchSize = 64;

    private const int Epochs = 2;

    public static void Run()
    {
        DatasetSplit mnist = Mnist.Load();
        Dataset train = mnist.Train.Take(Digits);
        Console.WriteLine($"MNIST, {Digits} digits, {Epochs} epochs of batches of {BatchSize}; test accuracy and loss");
        foreach (ulong seed in (ulong[])[1, 2, 3])
        {
            string direct = Train(train, mnist.Test, seed, allowWinograd: false);
            string winograd = Train(train, mnist.Test, seed, allowWinograd: true);
            Console.WriteLine($"seed {seed}: direct {direct}, Winograd {winograd}");
        }
    }

    private static string Train(Dataset train, Dataset test, ulong seed, bool allowWinograd)
    {
        using Device device = Device.Cpu(0, new CpuOptions { AllowWinograd = allowWinograd });
        var model = new Sequential(
            new Conv2D(64, 5, Activation.ReLU) { Stride = 2, Padding = Padding2D.Same },
            new Conv2D(64, 3, Activation.ReLU) { Padding = Padding2D.Same },
            new Conv2D(128, 3, Activation.ReLU) { Padding = Padding2D.Same },
            new MaxPool2D(2),
            new Conv2D(128, 3, Activation.ReLU) { Padding = Padding2D.Same },
            new Flatten(),
            new Dense(10));
        using var trainer = new Trainer(model, device, Loss.SparseCrossEntropy, new Adam(1e-3f), seed: seed);
        trainer.Fit(train, Epochs, BatchSize);
        Evaluation result = trainer.Evaluate(test);
        return string.Create(CultureInfo.InvariantCulture, $"{result.Accuracy:0.0000} ({result.Loss:0.0000})");
    }
}
