using BenchmarkDotNet.Attributes;
using FastNN.Tensors;

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

    public float[] CreateImages()
    {
        var images = new float[Example.Count * Batch];
        Philox.FillUniform(images, seed: 1, Philox.Stream(RandomUse.Data));
        return images;
    }

    public Optimizer CreateOptimizer() => Title == "lenet-rgb" ? new Sgd(1e-9f, momentum: 0.9f) : new Adam(1e-9f);
}

/// <summary>Whole training steps.</summary>
public class TrainingBenchmarks : IDisposable
{
    private Device? _device;
    private Trainer? _trainer;
    private float[] _images = [];
    private int[] _labels = [];

    public static IEnumerable<Network> Cases =>
        [new("mnist-mlp", 32), new("mnist-cnn", 128), new("mnist-cnn-small", 32), new("lenet-rgb", 4)];

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
        _trainer = new Trainer(model, _device, Loss.SparseCrossEntropy, Case.CreateOptimizer());
        _images = Case.CreateImages();
        _labels = [.. Enumerable.Range(0, Case.Batch).Select(i => i % 10)];
    }

    [GlobalCleanup]
    public void Dispose()
    {
        _trainer?.Dispose();
        _device?.Dispose();
        GC.SuppressFinalize(this);
    }

    [Benchmark]
    public float Step() => _trainer!.TrainBatch(_images, _labels);
}

/// <summary>Predictions, one by one and in batches.</summary>
public class PredictionBenchmarks : IDisposable
{
    private Device? _device;
    private Predictor? _predictor;
    private float[] _images = [];
    private float[] _scores = [];

    public static IEnumerable<Network> Cases =>
        from title in (string[])["mnist-mlp", "mnist-cnn", "mnist-cnn-small", "lenet-rgb"]
        from batch in (int[])[1, 128]
        select new Network(title, batch);

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
        _predictor = model.CreatePredictor(_device);
        _images = Case.CreateImages();
        _scores = new float[10 * Case.Batch];
    }

    [GlobalCleanup]
    public void Dispose()
    {
        _predictor?.Dispose();
        _device?.Dispose();
        GC.SuppressFinalize(this);
    }

    [Benchmark]
    public void Predict() => _predictor!.Predict(_images, _scores);
}
