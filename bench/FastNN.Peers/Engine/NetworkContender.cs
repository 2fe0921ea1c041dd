namespace FastNN.Peers;

/// <summary>A recipe's network through the public API: a trainer's step, or a compiled predictor, spans in and out.</summary>
internal sealed class NetworkContender : IContender
{
    private readonly Device _device;
    private readonly Trainer? _trainer;
    private readonly Predictor? _predictor;
    private readonly float[] _images, _logits;
    private readonly int[] _labels;

    public NetworkContender(NetworkCase @case, int threads)
    {
        var recipe = @case.Recipe;
        var random = new Random(1);
        _images = new float[@case.Batch * recipe.Size * recipe.Size * recipe.Channels];
        for (var i = 0; i < _images.Length; i++)
        {
            _images[i] = random.NextSingle();
        }

        _labels = [.. Enumerable.Range(0, @case.Batch).Select(_ => random.Next(Recipe.Classes))];
        _logits = new float[@case.Batch * Recipe.Classes];
        _device = Device.Cpu(threads);
        var model = Model(recipe);
        model.Build(new Shape(recipe.Size, recipe.Size, recipe.Channels));
        if (@case.Train)
        {
            Optimizer optimizer = recipe.Optimizer == Optimizing.Adam
                ? new Adam(Recipe.LearningRate)
                : new Sgd(Recipe.LearningRate, Recipe.Momentum);
            _trainer = new Trainer(model, _device, Loss.SparseCrossEntropy, optimizer);
        }
        else
        {
            _predictor = model.CreatePredictor(_device, @case.Batch);
        }
    }

    public string Name => "fastnn";

    /// <summary>The loss of the latest step.</summary>
    public float LatestLoss { get; private set; }

    public void Step()
    {
        if (_trainer is not null)
        {
            LatestLoss = _trainer.TrainBatch(_images, _labels);
        }
        else
        {
            _predictor!.Predict(_images, _logits);
        }
    }

    public void Dispose()
    {
        _trainer?.Dispose();
        _predictor?.Dispose();
        _device.Dispose();
    }

    private static Sequential Model(Recipe recipe)
    {
        var layers = new List<Layer>();
        foreach (var (filters, kernel) in recipe.Convolutions)
        {
            layers.Add(new Conv2D(filters, kernel, Activation.ReLU));
            layers.Add(new MaxPool2D(2));
        }

        layers.Add(new Flatten());
        for (var i = 0; i < recipe.Dense.Length; i++)
        {
            layers.Add(new Dense(recipe.Dense[i], i < recipe.Dense.Length - 1 ? Activation.ReLU : Activation.None));
        }

        return new Sequential([.. layers]);
    }
}
