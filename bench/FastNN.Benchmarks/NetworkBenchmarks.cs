using BenchmarkDotNet.Attributes;
using FastNN.Kernels;
using FastNN.Layers;
using FastNN.Losses;
using FastNN.Optimizers;
using FastNN.Tensors;
using FastNN.Training;

namespace FastNN.Benchmarks;

/// <summary>A network of the recipes with its batch.</summary>
public sealed record Network(string Title, int Batch) : Work($"{Title} b{Batch}", Examples: Batch)
{
    public Shape Example => Title == "lenet-rgb" ? new Shape(32, 32, 3) : new Shape(28, 28, 1);

    public Layer CreateModel() => Title switch
    {
        "mnist-mlp" => new Sequential(new Flatten(), new Dense(64, Activation.ReLU), new Dense(10)),
        "mnist-cnn" => new Sequential(
            new Conv2D(32, 3, Activation.ReLU), new MaxPool2D(2), new Conv2D(64, 3, Activation.ReLU), new MaxPool2D(2),
            new Flatten(), new Dense(64, Activation.ReLU), new Dense(10)),
        "mnist-cnn-small" => new Sequential(
            new Conv2D(32, 3, Activation.ReLU), new MaxPool2D(2), new Flatten(), new Dense(128, Activation.ReLU), new Dense(10)),
        _ => new Sequential(
            new Conv2D(6, 5, Activation.ReLU), new MaxPool2D(2), new Conv2D(16, 5, Activation.ReLU), new MaxPool2D(2),
            new Flatten(), new Dense(120, Activation.ReLU), new Dense(84, Activation.ReLU), new Dense(10)),
    };

    public Optimizer CreateOptimizer() => Title == "lenet-rgb" ? new Sgd(1e-9f, momentum: 0.9f) : new Adam(1e-9f);
}

/// <summary>Whole training steps, and single predictions.</summary>
public class NetworkBenchmarks : IDisposable
{
    private Device? _device;
    private Trainer? _trainer;
    private Predictor? _predictor;
    private float[] _images = [];
    private int[] _labels = [];
    private float[] _scores = [];

    public static IEnumerable<Network> Cases => [new("mnist-mlp", 32), new("mnist-cnn", 128), new("mnist-cnn-small", 32), new("lenet-rgb", 4)];

    [ParamsSource(nameof(Cases))]
    public Network Case { get; set; } = null!;

    /// <summary>Processor threads.</summary>
    [Params(1, 2)]
    public int Threads { get; set; }

    [GlobalSetup]
    public void Setup()
    {
        _device = Device.Cpu(Threads);
        Layer model = Case.CreateModel();
        model.Build(Case.Example);
        _predictor = model.Compile(_device);
        _trainer = new Trainer(model, _device, Loss.SparseCrossEntropy, Case.CreateOptimizer());
        _images = new float[Case.Example.Count * Case.Batch];
        Philox.FillUniform(_images, seed: 1, Philox.Stream(RandomUse.Data));
        _labels = [.. Enumerable.Range(0, Case.Batch).Select(i => i % 10)];
        _scores = new float[10];
    }

    [GlobalCleanup]
    public void Dispose()
    {
        _trainer?.Dispose();
        _predictor?.Dispose();
        _device?.Dispose();
        GC.SuppressFinalize(this);
    }

    [Benchmark]
    public float TrainingStep() => _trainer!.Step(_images, _labels);

    /// <summary>One example; the rate counts examples too.</summary>
    [Benchmark]
    public float PredictOne()
    {
        _predictor!.Predict(_images.AsSpan(0, (int)Case.Example.Count), _scores);
        return _scores[0];
    }
}
