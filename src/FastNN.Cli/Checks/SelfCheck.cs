namespace FastNN.Cli.Checks;

/// <summary>
/// One network that selftest runs on the device at hand and on one thread of the CPU. Its input is shifted by a parameter, whose
/// gradient is the gradient of the input.
/// </summary>
/// <param name="Family">What its line of the report is about.</param>
/// <param name="Name">What is special about it, for a failure.</param>
/// <param name="Example">The shape of one example.</param>
/// <param name="Batch">Examples of a step.</param>
/// <param name="Layers">The network behind the shift, made anew for each device.</param>
internal sealed record SelfCheck(string Family, string Name, Shape Example, int Batch, Func<Layer[]> Layers)
{
    public const int Steps = 4;

    /// <summary>What the outputs are compared with; the mean squared error where nothing else is said.</summary>
    public Loss Loss { get; init; } = Loss.MeanSquaredError;

    public Func<Optimizer> Optimizer { get; init; } = () => new Sgd(0.05f);

    /// <summary>
    /// Runs it: outputs, the first loss and gradients, then steps enough for the device to capture them, and what they left.
    /// </summary>
    public SelfCheckResult Run(Device device)
    {
        var model = new Sequential([new Shift(), .. Layers()]);
        model.Build(Example, seed: 1);
        var random = new Random(Batch);
        float[] x = new float[checked((int)(Batch * Example.Count))];
        Fill(random, x);
        float[] y;
        using (Predictor predictor = model.CreatePredictor(device))
        {
            y = new float[checked((int)(Batch * predictor.OutputShape.Count))];
            predictor.Predict(x, y);
        }

        // Seed 3 for what is drawn in a step: dropout.
        using var trainer = new Trainer(model, device, Loss, Optimizer(), seed: 3);
        int classes = y.Length / Batch;
        float[] targets = new float[y.Length];
        int[] labels = new int[Batch];
        Fill(random, targets);
        for (int i = 0; i < Batch; i++)
        {
            labels[i] = random.Next(classes);
            if (Loss.Name.Contains("entropy", StringComparison.OrdinalIgnoreCase))
            {
                for (int c = 0; c < classes; c++)
                {
                    // As probabilities for one loss, as the right class for the other.
                    targets[(i * classes) + c] = classes == 1 ? labels[i] = random.Next(2) : c == labels[i] ? 1 : 0;
                }
            }
        }

        float Forward() => Loss.ClassIndices ? trainer.Forward(x, labels) : trainer.Forward(x, targets);
        var losses = new List<float> { Forward() };
        trainer.Backward();
        var gradients = new Dictionary<string, float[]>();
        foreach ((string name, Parameter parameter) in model.NamedParameters)
        {
            trainer.ReadGradient(parameter, gradients[name] = new float[parameter.Count]);
        }

        trainer.Update();
        for (int i = 1; i < Steps; i++)
        {
            losses.Add(Loss.ClassIndices ? trainer.TrainBatch(x, labels) : trainer.TrainBatch(x, targets));
        }

        return new SelfCheckResult(
            y, [.. losses], gradients, model.NamedParameters.ToDictionary(named => named.Name, named => Values(named.Parameter)));
    }

    private static float[] Values(Parameter parameter)
    {
        var values = new float[parameter.Count];
        parameter.Read(values);
        return values;
    }

    private static void Fill(Random random, Span<float> values)
    {
        foreach (ref float value in values)
        {
            value = (2 * random.NextSingle()) - 1;
        }
    }

    /// <summary>Adds a parameter of an example's shape.</summary>
    private sealed class Shift : Layer
    {
        private Parameter? _by;

        protected override void Build(Value x) =>
            _by = AddParameter("shift", x.Shape.DropFirst(), Initializer.Uniform(-0.1f, 0.1f));

        protected override Value Forward(Value x) => x + x.Graph.Use(_by!);
    }
}
