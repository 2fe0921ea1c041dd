namespace FastNN.Testing;

/// <summary>A network with what it is trained with.</summary>
/// <param name="Classes">Classes of the output, 1 for a probability.</param>
internal sealed record Network(
    string Name, Shape Example, int Classes, int Batch, Loss Loss, Func<Optimizer> Optimizer, Func<Layer[]> Layers)
{
    /// <summary>A fresh model with first values.</summary>
    public Sequential Build(ulong seed = 1)
    {
        var model = new Sequential(Layers());
        model.Build(Example, seed);
        return model;
    }

    public override string ToString() => Name;
}

/// <summary>The six networks that the recipes train, at the recipes' batch sizes.</summary>
internal static class Networks
{
    private static readonly Shape Digit = new(28, 28, 1);

    public static IEnumerable<Network> All { get; } =
    [
        new("breast-cancer-mlp", new Shape(30), 1, 32, Loss.BinaryCrossEntropy, () => new Adam(), () =>
            [new Dense(64, Activation.ReLU), new Dense(64, Activation.ReLU), new Dense(1, Activation.Sigmoid)]),
        new("mnist-mlp", Digit, 10, 32, Loss.SparseCrossEntropy, () => new Adam(), () =>
            [new Flatten(), new Dense(64, Activation.ReLU), new Dense(10)]),
        new("mnist-cnn", Digit, 10, 128, Loss.CrossEntropy, () => new Adam(), Convolutions),
        new("mnist-cnn-small", Digit, 10, 32, Loss.SparseCrossEntropy, () => new Adam(), () =>
            [
                new Conv2D(32, 3, Activation.ReLU), new MaxPool2D(2), new Flatten(), new Dense(128, Activation.ReLU),
                new Dense(10)]),
        new("lenet-rgb", new Shape(32, 32, 3), 10, 4, Loss.SparseCrossEntropy, () => new Sgd(1e-3f, momentum: 0.9f), () =>
            [
                new Conv2D(6, 5, Activation.ReLU), new MaxPool2D(2), new Conv2D(16, 5, Activation.ReLU), new MaxPool2D(2),
                new Flatten(),
                new Dense(120, Activation.ReLU), new Dense(84, Activation.ReLU), new Dense(10),
            ]),
        new("mnist-cnn-epochs", Digit, 10, 64, Loss.CrossEntropy, () => new Adam(), Convolutions),
    ];

    private static Layer[] Convolutions() =>
    [
        new Conv2D(32, 3, Activation.ReLU), new MaxPool2D(2), new Conv2D(64, 3, Activation.ReLU), new MaxPool2D(2), new Flatten(),
        new Dense(64, Activation.ReLU), new Dense(10),
    ];
}
