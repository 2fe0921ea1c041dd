namespace FastNN.Cli.Checks;

/// <summary>
/// The networks of selftest, by family: every operator, loss and optimizer at odd sizes, with every variant of a kernel that a
/// shape chooses. What the test suite proves against references in double and PyTorch's golden numbers, these prove to hold on
/// this machine's devices.
/// </summary>
internal static class SelfChecks
{
    public static IReadOnlyList<SelfCheck> All { get; } =
    [
        .. Elementwise(), .. Products(), .. Convolutions(), .. Pooling(), .. Shaping(), .. Softmaxes(), .. Losses(),
        .. Optimizers(), .. Networks(),
    ];

    private static IEnumerable<SelfCheck> Elementwise()
    {
        Activation[] activations =
            [Activation.ReLU, Activation.LeakyReLU, Activation.Sigmoid, Activation.Tanh, Activation.Gelu, Activation.GeluTanh];
        foreach (Activation activation in activations)
        {
            yield return new("activations", $"{activation} of 33", [33], 7, () => [Op(x => x.Activate(activation))]);
            yield return new("activations", $"{activation} of 4096", [4096], 3, () => [Op(x => x.Activate(activation))]);
        }

        yield return new("elementwise", "x + x", [17], 5, () => [Op(x => x + x)]);
        yield return new("elementwise", "x * x", [129], 3, () => [Op(x => x * x)]);
        yield return new("elementwise", "a row", [31, 13], 3, () => [Op(x => x * x.Graph.Constant(Ramp(13), [13]))]);
        yield return new("elementwise", "a column", [31, 13], 3, () => [Op(x => x + x.Graph.Constant(Ramp(31), [31, 1]))]);
        yield return new("dropout", "half of 1000", [1000], 3, () => [Op(x => x.Dropout(0.5f))]);
        yield return new("dropout", "a quarter of 7 x 5", [7, 5], 3, () => [Op(x => x.Dropout(0.25f))]);
    }

    private static IEnumerable<SelfCheck> Products()
    {
        foreach ((int batch, int from, int to) in ((int, int, int)[])[
            (1, 1, 1), (3, 7, 13), (17, 33, 31), (64, 129, 65), (128, 512, 256)])
        {
            yield return new("dense", $"[{batch},{from}] by [{from},{to}]", [from], batch, () => [new Dense(to)]);
            yield return new(
                "dense", $"[{batch},{from}] by [{from},{to}], ReLU", [from], batch, () => [new Dense(to, Activation.ReLU)]);
        }

        yield return new("dense", "without bias", [19], 9, () => [new Dense(11) { UseBias = false }]);
        yield return new(
            "dense", "penalty", [19], 9, () => [new Dense(11) { WeightRegularizer = Regularizer.L1L2(1e-2f, 1e-2f) }]);
    }

    private static IEnumerable<SelfCheck> Convolutions()
    {
        SelfCheck Of(string name, Shape image, Func<Conv2D> layer, int batch = 3) =>
            new("conv2d", name, image, batch, () => [layer()]);
        yield return Of("1 x 1", [7, 5, 6], () => new Conv2D(4, 1));
        yield return Of("3 x 3 of 1 channel", [9, 7, 1], () => new Conv2D(5, 3));
        yield return Of("3 x 3 of 3 channels, ReLU", [9, 7, 3], () => new Conv2D(8, 3, Activation.ReLU));
        yield return Of(
            "3 x 3 of 32 channels, same", [13, 13, 32], () => new Conv2D(64, 3) { Padding = Padding2D.Same }, batch: 8);
        yield return Of("2 x 2, same, which pads one end", [8, 7, 4], () => new Conv2D(4, 2) { Padding = Padding2D.Same });
        yield return Of("5 x 3, stride 2", [11, 9, 3], () => new Conv2D(4, (5, 3)) { Stride = (2, 2) });
        yield return Of("3 x 3, dilation 2", [11, 9, 3], () => new Conv2D(4, 3) { Dilation = (2, 2) });
        yield return Of("3 x 3, 2 groups", [7, 7, 6], () => new Conv2D(4, 3) { Groups = 2 });
        yield return Of("3 x 3, depthwise", [9, 9, 8], () => new Conv2D(8, 3) { Groups = 8 });
        yield return Of("3 x 3, depthwise of 5", [9, 9, 5], () => new Conv2D(5, 3) { Groups = 5 });
    }

    private static IEnumerable<SelfCheck> Pooling()
    {
        foreach (int channels in (int[])[3, 8, 32])
        {
            yield return new(
                "pooling", $"largest, {channels} channels", [8, 6, channels], 3, () => [Op(x => x.MaxPool2D((2, 2)))]);
            yield return new(
                "pooling", $"largest, overlapping, {channels} channels", [9, 7, channels], 3,
                () => [Op(x => x.MaxPool2D((3, 3), (2, 2)))]);
            yield return new("pooling", $"mean, {channels} channels", [9, 7, channels], 3, () => [Op(x => x.AvgPool2D((3, 2)))]);
            yield return new(
                "pooling", $"mean of all, {channels} channels", [5, 7, channels], 3, () => [Op(x => x.GlobalAvgPool2D())]);
        }
    }

    private static IEnumerable<SelfCheck> Shaping()
    {
        yield return new("shaping", "flatten", [3, 5, 7], 3, () => [Op(x => x.Flatten()), new Dense(3)]);
        yield return new("shaping", "concat of features", [13], 5, () => [Op(x => Operators.Concat(1, x, x.Sigmoid(), x * x))]);
        yield return new("shaping", "concat of rows", [7, 4], 5, () => [Op(x => Operators.Concat(1, x, x.Tanh()))]);
    }

    private static IEnumerable<SelfCheck> Softmaxes()
    {
        foreach (int classes in (int[])[2, 10, 33, 1000])
        {
            yield return new("softmax", $"of {classes}", [classes], 7, () => [Op(x => x.Softmax())]);
            yield return new("softmax", $"log, of {classes}", [classes], 7, () => [Op(x => x.LogSoftmax())]);
        }

        yield return new("softmax", "down columns", [17, 5], 3, () => [Op(x => x.Softmax(1))]);
    }

    private static IEnumerable<SelfCheck> Losses()
    {
        foreach (int classes in (int[])[2, 10, 129])
        {
            yield return new("losses", $"cross-entropy of {classes} classes", [9], 33,
                () => [new Dense(classes)])
            { Loss = Loss.SparseCrossEntropy };
            yield return new("losses", $"cross-entropy of {classes} probabilities", [9], 17,
                () => [new Dense(classes)])
            { Loss = Loss.CrossEntropy };
        }

        yield return new("losses", "binary cross-entropy", [9], 33,
            () => [new Dense(1, Activation.Sigmoid)])
        { Loss = Loss.BinaryCrossEntropy };
        yield return new("losses", "binary cross-entropy of logits", [9], 33,
            () => [new Dense(1)])
        { Loss = Loss.BinaryCrossEntropyWithLogits };
        yield return new("losses", "mean squared error", [9], 1025, () => [new Dense(3)]);
    }

    private static IEnumerable<SelfCheck> Optimizers()
    {
        SelfCheck Of(string name, Func<Optimizer> optimizer) =>
            new("optimizers", name, [33], 7, () => [new Dense(17, Activation.Tanh)]) { Optimizer = optimizer };
        yield return Of("SGD", () => new Sgd(0.1f));
        yield return Of("SGD with momentum", () => new Sgd(0.1f, momentum: 0.9f, weightDecay: 0.01f));
        yield return Of("SGD of Nesterov", () => new Sgd(0.1f, momentum: 0.9f, nesterov: true));
        yield return Of("Adam", () => new Adam(0.01f));
        yield return Of("Adam, AMSGrad", () => new Adam(0.01f, amsGrad: true));
        yield return Of("AdamW", () => new AdamW(0.01f));
    }

    private static IEnumerable<SelfCheck> Networks()
    {
        yield return new("networks", "a perceptron", [784], 32, () => [new Dense(64, Activation.ReLU), new Dense(10)])
        {
            Loss = Loss.SparseCrossEntropy,
            Optimizer = () => new Adam(1e-3f),
        };
        yield return new("networks", "a convolutional network", [28, 28, 1], 16, () =>
        [
            new Conv2D(32, 3, Activation.ReLU), new MaxPool2D(2), new Conv2D(64, 3, Activation.ReLU), new MaxPool2D(2),
            new Flatten(),
            new Dense(64, Activation.ReLU), new Dense(10),
        ])
        {
            Loss = Loss.SparseCrossEntropy,
            Optimizer = () => new Sgd(0.05f, momentum: 0.9f),
        };
    }

    private static Function Op(Func<Value, Value> forward) => new(forward);

    private static float[] Ramp(int count) => [.. Enumerable.Range(1, count).Select(i => i / (float)count)];

    /// <summary>A layer that is a function.</summary>
    private sealed class Function(Func<Value, Value> forward) : Layer
    {
        protected override Value Forward(Value x) => forward(x);
    }
}
