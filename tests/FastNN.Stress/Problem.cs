using System.Runtime.InteropServices;
using FastNN.Data;

namespace FastNN.Stress;

/// <summary>
/// A small network with one batch that it is trained on again and again, so that the loss of step k depends on k alone.
/// </summary>
internal sealed class Problem
{
    /// <summary>Steps that the oracle knows.</summary>
    public const int Steps = 48;

    public const int Epochs = 5;

    private readonly Func<Layer[]> _layers;
    private readonly Func<Optimizer> _optimizer;
    private readonly Shape _example;
    private readonly Loss _loss;
    private readonly float[] _targets;
    private readonly int[] _labels;
    private readonly Dictionary<int, int> _stepOfLoss = [];

    private Problem(
        string name, Shape example, int outputs, int batch, Loss loss, Func<Optimizer> optimizer, Func<Layer[]> layers)
    {
        (Name, _example, Outputs, Batch, _loss, _optimizer, _layers) = (name, example, outputs, batch, loss, optimizer, layers);
        var random = new Random(11);
        X = Draw(random, batch * (int)example.Count);
        _labels = [.. Enumerable.Range(0, batch).Select(_ => random.Next(outputs))];
        _targets = [.. Draw(random, batch * outputs).Select(value => (value + 1) / 2)];
    }

    public static IReadOnlyList<Problem> All { get; } =
    [
        new("mlp", new Shape(33), 4, 13, Loss.SparseCrossEntropy, () => new Adam(0.01f), () =>
            [new Dense(33, Activation.ReLU), new Dense(7, Activation.Tanh), new Dense(4)]),
        new("dropout", new Shape(17), 3, 31, Loss.SparseCrossEntropy, () => new Sgd(0.05f, momentum: 0.9f), () =>
            [new Dense(64, Activation.ReLU), new Dropout(0.25f), new Dense(3)]),
        new("cnn", new Shape(9, 8, 2), 4, 7, Loss.SparseCrossEntropy, () => new AdamW(0.01f), () =>
            [new Conv2D(5, 3, Activation.ReLU), new MaxPool2D(2), new Flatten(), new Dense(4)]),
        new("probability", new Shape(13), 1, 33, Loss.BinaryCrossEntropy, () => new Adam(0.01f), () =>
            [new Dense(17, Activation.Sigmoid), new Dense(1, Activation.Sigmoid)]),
        // Large enough for several threads to share its products.
        new("wide", new Shape(129), 10, 64, Loss.MeanSquaredError, () => new Sgd(0.01f), () =>
            [new Dense(513, Activation.LeakyReLU), new Dense(10)]),
    ];

    public string Name { get; }

    public int Batch { get; }

    public int Outputs { get; }

    public float[] X { get; }

    /// <summary>The loss of each step, trained alone.</summary>
    public float[] Losses { get; } = new float[Steps];

    /// <summary>What the model says of the batch after so many steps.</summary>
    public float[][] Predictions { get; } = new float[Steps + 1][];

    /// <summary>The same of the first example alone.</summary>
    public float[][] FirstPredictions { get; } = new float[Steps + 1][];

    /// <summary>The losses of <see cref="Fit"/>, epoch after epoch, alone.</summary>
    public double[] FitLosses { get; private set; } = [];

    public Sequential Build()
    {
        var model = new Sequential(_layers());
        model.Build(_example, seed: 7);
        return model;
    }

    /// <summary>The model with a parameter that has no values, so that a first training step fails half way.</summary>
    public Layer BuildUnfinished()
    {
        var model = new Unfinished(_layers());
        model.Build(_example, seed: 7);
        model.AddLate();
        return model;
    }

    public Trainer Train(Layer model, Device device) => new(model, device, _loss, _optimizer(), seed: 7);

    public float Step(Trainer trainer) => _loss.ClassIndices ? trainer.TrainBatch(X, _labels) : trainer.TrainBatch(X, _targets);

    /// <summary>Epochs of two batches, the second smaller where the batch is odd; the losses of each.</summary>
    public double[] Fit(Trainer trainer, int epochs) =>
        [.. trainer.Fit(Data(), epochs, (Batch + 1) / 2).Epochs.Select(epoch => epoch.Loss)];

    public Dataset Data() => _loss.ClassIndices
        ? Dataset.FromFloats(X, [.. _example.ToArray()], _labels, Outputs)
        : Dataset.FromFloats(X, [.. _example.ToArray()], _targets, [Outputs]);

    /// <summary>Finds the truth: everything once, with nothing else going on.</summary>
    public void Solve(Device device)
    {
        using (Trainer fitted = Train(Build(), device))
        {
            FitLosses = Fit(fitted, Epochs);
        }

        Sequential model = Build();
        using Trainer trainer = Train(model, device);
        for (int step = 0; step <= Steps; step++)
        {
            using (Predictor predictor = model.CreatePredictor(device))
            {
                (Predictions[step], FirstPredictions[step]) = (Predict(predictor, Batch), Predict(predictor, 1));
            }

            if (step < Steps)
            {
                Losses[step] = Step(trainer);
                if (!_stepOfLoss.TryAdd(BitConverter.SingleToInt32Bits(Losses[step]), step))
                {
                    throw new InvalidOperationException(
                        $"{Name}: two steps have the same loss, so the loss does not tell the step.");
                }
            }
        }
    }

    public float[] Predict(Predictor predictor, int count)
    {
        var y = new float[count * Outputs];
        predictor.Predict(X.AsSpan(0, X.Length / Batch * count), y);
        return y;
    }

    /// <summary>Which step has this loss, to the bit; -1 for none.</summary>
    public int StepOf(float loss) => _stepOfLoss.GetValueOrDefault(BitConverter.SingleToInt32Bits(loss), -1);

    public static bool SameBits(float[] x, float[] y) =>
        MemoryMarshal.AsBytes<float>(x).SequenceEqual(MemoryMarshal.AsBytes<float>(y));

    public override string ToString() => Name;

    private static float[] Draw(Random random, int count) =>
        [.. Enumerable.Range(0, count).Select(_ => (random.NextSingle() * 2) - 1)];

    private sealed class Unfinished : Layer
    {
        private readonly Layer _inner;

        public Unfinished(Layer[] layers) => _inner = AddLayer(new Sequential(layers));

        public void AddLate() => AddParameter("late", new Shape(3), Initializer.Zeros);

        protected override Value Forward(Value x) => _inner.Apply(x);
    }
}
