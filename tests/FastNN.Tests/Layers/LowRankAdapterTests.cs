namespace FastNN.Tests.Layers;

/// <summary>Adapters give what the layer gave, train alone, and can become a part of its weight.</summary>
internal sealed class LowRankAdapterTests
{
    private static readonly float[] X = [.. Enumerable.Range(0, 96).Select(i => ((i * 7) % 13 * 0.1f) - 0.5f)];

    private static readonly float[] Targets = [.. Enumerable.Range(0, 6).Select(i => i * 0.3f)];

    [Test]
    public void A_network_begins_with_what_it_gives_without()
    {
        using var device = Device.Cpu(1);
        Sequential plain = Build(layer => layer), adapted = Build(layer => new LowRankAdapter(layer, rank: 2));
        Copy(plain, adapted);
        Assert.That(
            adapted.NamedParameters.Select(named => named.Name), Is.EqualTo(new[]
            {
                "0.weight", "0.lora_A", "0.lora_B", "0.bias",
                "2.weight", "2.lora_A", "2.lora_B", "2.bias",
            }));
        Assert.That(Predict(device, adapted), Is.EqualTo(Predict(device, plain)));
    }

    [Test]
    public void Training_changes_the_adapters_alone()
    {
        using var device = Device.Cpu(1);
        Sequential model = Build(layer => new LowRankAdapter(layer, rank: 2, alpha: 4));
        Assert.That(
            model.NamedParameters.Where(named => named.Parameter.IsTrainable).Select(named => named.Name),
            Is.EqualTo(new[] { "0.lora_A", "0.lora_B", "2.lora_A", "2.lora_B" }));
        Dictionary<string, float[]> before = Values(model);
        float first = Train(device, model, steps: 1), last = Train(device, model, steps: 60);
        Dictionary<string, float[]> after = Values(model);
        Assert.Multiple(() =>
        {
            Assert.That(last, Is.LessThan(first / 2));
            foreach ((string name, float[] values) in before)
            {
                bool isFrozen = !name.Contains("lora", StringComparison.Ordinal);
                Assert.That(after[name].SequenceEqual(values), Is.EqualTo(isFrozen), name);
            }
        });
    }

    /// <summary>x (w + alpha / rank a b) + bias, in double.</summary>
    [Test]
    public void The_update_is_the_product_times_alpha_over_rank()
    {
        using var device = Device.Cpu(1);
        var adapter = new LowRankAdapter(new Dense(2), rank: 2, alpha: 3);
        var model = new Sequential(adapter);
        model.Build([3], seed: 1);
        float[] w = [1, 2, 3, 4, 5, 6], a = [1, 0, 0, 1, 2, -1], b = [0.5f, 1, -1, 2], x = [1, -2, 3];
        adapter.Original!.Write(w);
        adapter.Down!.Write(a);
        adapter.Up!.Write(b);
        var expected = new double[2];
        for (int i = 0; i < 3; i++)
        {
            for (int k = 0; k < 2; k++)
            {
                expected[k] += x[i] * (w[(i * 2) + k] + (1.5 * ((a[i * 2] * b[k]) + (a[(i * 2) + 1] * b[2 + k]))));
            }
        }

        using Predictor predictor = model.CreatePredictor(device);
        Assert.That(predictor.Predict(x), Is.EqualTo(expected).Within(1e-5));
    }

    [Test]
    public void A_merged_network_gives_what_the_adapted_one_gives()
    {
        using var device = Device.Cpu(1);
        Sequential adapted = Build(layer => new LowRankAdapter(layer, rank: 2, alpha: 4)), plain = Build(layer => layer);
        Train(device, adapted, steps: 10);
        float[] before = Predict(device, plain), expected = Predict(device, adapted);
        LowRankAdapter.Merge(adapted, plain);
        Assert.That(Predict(device, plain), Is.EqualTo(expected).Within(1e-5f).And.Not.EqualTo(before).Within(1e-2f));
    }

    [Test]
    public void Only_the_same_network_takes_what_is_merged() => Assert.Multiple(() =>
    {
        Sequential adapted = Build(layer => new LowRankAdapter(layer, rank: 2));
        var other = new Sequential(new Dense(2) { Name = "last" });
        other.Build([3]);
        Assert.That(
            () => LowRankAdapter.Merge(adapted, other),
            Throws.ArgumentException.With.Message.Contains("last.weight").And.Message.Contains("none of this name"));
        var wider = new Sequential(new Conv2D(3, 3), new Flatten(), new Dense(4));
        wider.Build([4, 4, 2]);
        Assert.That(
            () => LowRankAdapter.Merge(adapted, wider), Throws.ArgumentException.With.Message.Contains("2.weight"));
    });

    [Test]
    public void A_saved_model_predicts_as_before_and_stays_frozen()
    {
        using var device = Device.Cpu(1);
        Sequential model = Build(layer => new LowRankAdapter(layer, rank: 3, alpha: 2));
        Train(device, model, steps: 3);
        using var file = new MemoryStream();
        model.Save(file);
        file.Position = 0;
        Layer loaded = Model.Load(file);
        Assert.That(Predict(device, loaded), Is.EqualTo(Predict(device, model)));
        Assert.That(
            loaded.NamedParameters.Where(named => named.Parameter.IsTrainable).Select(named => named.Parameter.Name).Distinct(),
            Is.EqualTo(new[] { "lora_A", "lora_B" }));
    }

    [Test]
    public void Wrong_options_are_refused() => Assert.Multiple(() =>
    {
        Assert.That(() => new LowRankAdapter(new Dense(2), rank: 0), Throws.TypeOf<ArgumentOutOfRangeException>());
        Assert.That(() => new LowRankAdapter(new Dense(2), 1, alpha: 0), Throws.TypeOf<ArgumentOutOfRangeException>());
        Assert.That(() => new LowRankAdapter(new Dense(2), 1, float.NaN), Throws.TypeOf<ArgumentOutOfRangeException>());
        Assert.That(
            () => new LowRankAdapter(new Flatten(), 1).Build([3, 2]),
            Throws.TypeOf<ShapeException>().With.Message.Contains("'weight'").And.Message.Contains("Flatten"));
    });

    private static Sequential Build(Func<Layer, Layer> wrap)
    {
        var model = new Sequential(wrap(new Conv2D(3, 3, Activation.Tanh)), new Flatten(), wrap(new Dense(2)));
        model.Build([4, 4, 2], seed: 6);
        return model;
    }

    private static float Train(Device device, Layer model, int steps)
    {
        using var trainer = new Trainer(model, device, Loss.MeanSquaredError, new Adam(0.02f));
        float loss = 0;
        for (int step = 0; step < steps; step++)
        {
            loss = trainer.TrainBatch(X, Targets);
        }

        return loss;
    }

    private static float[] Predict(Device device, Layer model)
    {
        using Predictor predictor = model.CreatePredictor(device);
        var y = new float[6];
        predictor.Predict(X, y);
        return y;
    }

    private static Dictionary<string, float[]> Values(Layer model) => model.NamedParameters.ToDictionary(
        named => named.Name,
        named =>
        {
            var values = new float[named.Parameter.Count];
            named.Parameter.Read(values);
            return values;
        });

    private static void Copy(Layer from, Layer to)
    {
        Dictionary<string, float[]> values = Values(from);
        foreach (NamedParameter named in to.NamedParameters.Where(named => values.ContainsKey(named.Name)))
        {
            named.Parameter.Write(values[named.Name]);
        }
    }
}
