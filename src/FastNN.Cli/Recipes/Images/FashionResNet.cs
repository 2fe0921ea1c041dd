using FastNN.Data;

namespace FastNN.Cli.Recipes;

/// <summary>A small residual network (He et al., 2016) with what gets most out of few epochs.</summary>
internal sealed class FashionResNet : SupervisedRecipe
{
    public override string Name => "fashion-resnet";

    public override string Network =>
        "Conv 16 3x3, residual blocks of two Conv 3x3 with batch norm: one of 16, two of 32, two of 64 channels, average pooling, Dense 10";

    public override string DataDescription => "Fashion-MNIST, 60,000 articles of 28x28 to train and 10,000 to test";

    public override string TrainingDescription =>
        "sparse cross-entropy with label smoothing 0.1, SGD with Nesterov momentum 0.9, one cycle up to 0.2, weight decay 5e-4, batch 128, 12 epochs; crops, flips, erasing";

    public override Goal Goal => new("test accuracy", 0.93);

    public override Goal QuickGoal => new("test accuracy", 0.60);

    public override int Epochs => 12;

    public override int Batch => 128;

    public override float LearningRate => 0.2f;

    public override (int Epochs, int Limit) Quick => (2, 2560);

    public override Shape ExampleShape => new(28, 28, 1);

    public override Loss Loss => new CrossEntropyLoss { ClassIndices = true, LabelSmoothing = 0.1f };

    public override Layer CreateModel()
    {
        Symbol image = FastNN.Model.Input("image", ExampleShape);
        Symbol x = Relu(Convolution(image, 16, 1, "stem"));
        x = Block(x, 16, 1, "block1");
        x = Block(Block(x, 32, 2, "block2"), 32, 1, "block3");
        x = Block(Block(x, 64, 2, "block4"), 64, 1, "block5");
        return new FastNN.Model(image, new Dense(10) { Name = "classes" }.Apply(new GlobalAvgPool2D().Apply(x)));
    }

    public override Optimizer CreateOptimizer(float learningRate, int steps) =>
        new Sgd(learningRate, momentum: 0.9f, nesterov: true, weightDecay: 5e-4f)
        {
            Schedule = Schedule.OneCycle(learningRate, Math.Max(steps, 2)),
        };

    public override IBatchTransform CreateTransform() => new Compose(
        new RandomCrop(28) { Padding = 2 }, new RandomHorizontalFlip(), new RandomErasing(p: 0.25) { Scale = (0.02, 0.2) });

    public override RecipeData Load(string? source, Action<string> progress)
    {
        DatasetSplit articles = FashionMnist.Load(source, progress);
        return new RecipeData(
            articles.Train, articles.Test, source is null ? "Fashion-MNIST" : $"articles of {source}");
    }

    private static Symbol Block(Symbol x, int channels, int stride, string name)
    {
        Symbol y = Relu(Convolution(x, channels, stride, $"{name}_1"));
        y = Convolution(y, channels, 1, $"{name}_2");
        return Relu(y + (stride == 1 ? x : Convolution(x, channels, stride, $"{name}_skip", kernel: 1)));
    }

    private static Symbol Convolution(Symbol x, int channels, int stride, string name, int kernel = 3)
    {
        var filter = new Conv2D(channels, kernel)
        {
            Name = name,
            Stride = stride,
            Padding = kernel / 2,
            UseBias = false,
            WeightInitializer = Initializer.HeNormal,
        };
        return new BatchNorm2D { Name = $"{name}_norm" }.Apply(filter.Apply(x));
    }

    private static Symbol Relu(Symbol x) => new ActivationLayer(Activation.ReLU).Apply(x);
}
