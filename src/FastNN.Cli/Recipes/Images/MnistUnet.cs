using System.Numerics.Tensors;
using FastNN.Cli.Running;
using FastNN.Data;
using FastNN.Formats;

namespace FastNN.Cli.Recipes;

/// <summary>
/// A U-Net (Ronneberger, Fischer and Brox, 2015) that tells for every pixel of a scene which digit it belongs to, or that it
/// belongs to none.
/// </summary>
internal sealed class MnistUnet : SupervisedRecipe
{
    private const int Side = 40;
    private const int TrainingScenes = 20_000;
    private const int TestScenes = 1_000;
    private const int PixelClasses = 11;

    public override string Name => "mnist-unet";

    public override string Network =>
        "U-Net: Conv 3x3 with batch norm, 16, 32 and 64 channels; down by max pooling, up by transposed Conv 2x2 with skips; Conv 11 1x1";

    public override string DataDescription =>
        "scenes of 40x40 with 2 to 3 MNIST digits of several sizes in clutter, 20,000 of the training and 1,000 of the test digits";

    public override string TrainingDescription =>
        "cross-entropy over the 11 classes of each pixel, AdamW with one cycle up to 1e-2, batch 4, 3 epochs";

    public override Goal Goal => new("test mean IoU", 0.85);

    public override Goal QuickGoal => new("test mean IoU", 0.11);

    public override int Epochs => 3;

    public override int Batch => 4;

    public override float LearningRate => 1e-2f;

    public override (int Epochs, int Limit) Quick => (1, 2400);

    public override Shape ExampleShape => new(Side, Side, 1);

    public override Loss Loss => Loss.CrossEntropy;

    public override IReadOnlyList<Metric> Metrics => [Metric.IoU];

    public override Layer CreateModel()
    {
        Symbol image = FastNN.Model.Input("image", ExampleShape);
        Symbol fine = Convolution(image, 16, "fine");
        Symbol middle = Stage(new MaxPool2D(2).Apply(fine), 32, "middle");
        Symbol coarse = Stage(new MaxPool2D(2).Apply(middle), 64, "coarse");
        middle = Convolution(Symbol.Concat(Up(coarse, 32, "middle_up"), middle), 32, "middle_joined");
        fine = Convolution(Symbol.Concat(Up(middle, 16, "fine_up"), fine), 16, "fine_joined");
        return new FastNN.Model(image, new Conv2D(PixelClasses, 1) { Name = "classes" }.Apply(fine));
    }

    public override Optimizer CreateOptimizer(float learningRate, int steps) =>
        new AdamW(learningRate) { Schedule = Schedule.OneCycle(learningRate, Math.Max(steps, 2)) };

    public override RecipeData Load(string? source, Action<string> progress)
    {
        DatasetSplit digits = Mnist.Load(source, progress);
        return new RecipeData(
            new DigitScenes(digits.Train, part: 0) { Side = Side, Sizes = (16, 22) }.ToSegmentation(TrainingScenes),
            new DigitScenes(digits.Test, part: 1) { Side = Side, Sizes = (16, 22) }.ToSegmentation(TestScenes),
            $"scenes of {(source is null ? "MNIST" : $"digits of {source}")}");
    }

    /// <summary>Without the metric, whose counts of all pairs of classes cost a third of a step.</summary>
    public override void Train(TrainingJob job) => job.Trainer.Fit(
        job.Data.Train, job.Epochs, job.Batch, callbacks: job.Callbacks, cancellationToken: job.Cancellation);

    public override double Measure(Evaluation test) => test.Metrics[Metric.IoU.Name];

    /// <summary>Scenes, below them which pixels belong to which digit, and at the bottom what the network says.</summary>
    public override byte[] Draw(Trainer trainer, Dataset test)
    {
        const int Columns = 10, Pixels = Columns * Side * Side;
        test = test.Take(Columns);
        float[] scenes = test.Features(), classes = new float[Pixels * PixelClasses], images = new float[3 * 3 * Pixels];
        for (int i = 0; i < Columns; i++)
        {
            test.CopyTarget(i, classes.AsSpan(i * test.TargetSize, test.TargetSize));
        }

        Paint(images.AsSpan(0, 3 * Pixels), i => (scenes[i], scenes[i], scenes[i]));
        PaintClasses(images.AsSpan(3 * Pixels, 3 * Pixels), classes);
        PaintClasses(images.AsSpan(6 * Pixels), trainer.Predict(test));
        return new ImageGrid { Columns = Columns, Scale = 2 }.Encode(images, [3 * Columns, Side, Side, 3]);
    }

    /// <summary>Each pixel in the color of the class with the highest score.</summary>
    private static void PaintClasses(Span<float> image, float[] scores) => Paint(
        image, i => DigitColors.OfPixel(TensorPrimitives.IndexOfMax(scores.AsSpan(i * PixelClasses, PixelClasses))));

    private static void Paint(Span<float> image, Func<int, (float Red, float Green, float Blue)> color)
    {
        for (int i = 0; i < image.Length / 3; i++)
        {
            DigitColors.Paint(image, i, color(i));
        }
    }

    private static Symbol Stage(Symbol x, int channels, string name) =>
        Convolution(Convolution(x, channels, $"{name}_1"), channels, $"{name}_2");

    private static Symbol Convolution(Symbol x, int channels, string name)
    {
        var filter = new Conv2D(channels, 3) { Name = name, Padding = Padding2D.Same, UseBias = false };
        return new ActivationLayer(Activation.ReLU).Apply(new BatchNorm2D { Name = $"{name}_norm" }.Apply(filter.Apply(x)));
    }

    private static Symbol Up(Symbol x, int channels, string name) =>
        new ConvTranspose2D(channels, 2, Activation.ReLU) { Name = name, Stride = 2 }.Apply(x);
}
