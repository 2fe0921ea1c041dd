namespace FastNN.Tests.Layers;

/// <summary>Weight and spectral normalization beside what PyTorch's definitions give in double.</summary>
internal sealed class ParametrizedWeightTests
{
    private static readonly float[] X = [1, 2, 3, 4, 5, 7, -1, 0, 2, 6, 1, 3];

    private static readonly float[] Targets = [1, 2, 3, 4, 0, 1, 0, 1];

    [Test]
    public void A_normalized_weight_begins_as_it_would_without_and_has_PyTorchs_names()
    {
        using var device = Device.Cpu(1);
        var norm = new WeightNorm(new Dense(2));
        var model = new Sequential(norm);
        model.Build([3], seed: 4);
        Assert.That(
            model.NamedParameters.Select(named => named.Name), Is.EqualTo(new[] { "0.weight_g", "0.weight_v", "0.bias" }));
        (float[] g, float[] v) = (Read(norm.Magnitude!), Read(norm.Direction!));
        for (int output = 0; output < 2; output++)
        {
            double length = Math.Sqrt(Enumerable.Range(0, 3).Sum(i => v[(i * 2) + output] * (double)v[(i * 2) + output]));
            Assert.That(g[output], Is.EqualTo(length).Within(1e-6));
        }

        Assert.That(Predict(device, model), Is.EqualTo(Product(X, v)).Within(1e-5f));
    }

    [Test]
    public void Training_changes_length_and_direction()
    {
        using var device = Device.Cpu(1);
        var norm = new WeightNorm(new Dense(2));
        var model = new Sequential(norm);
        model.Build([3], seed: 4);
        (float[] g, float[] v) = (Read(norm.Magnitude!), Read(norm.Direction!));
        double[] expected = StepOfWeightNorm(g, v);
        using (var trainer = new Trainer(model, device, Loss.MeanSquaredError, new Sgd(0.01f)))
        {
            trainer.TrainBatch(X, Targets);
        }

        Assert.That(Read(norm.Magnitude!).Concat(Read(norm.Direction!)), Is.EqualTo(expected).Within(1e-5));
    }

    [Test]
    public void A_spectral_norm_divides_by_the_largest_singular_value_once_the_iteration_has_settled()
    {
        using var device = Device.Cpu(1);
        var norm = new SpectralNorm(new Dense(2), iterations: 3);
        var model = new Sequential(norm);
        model.Build([3], seed: 4);
        Assert.That(
            model.NamedParameters.Select(named => named.Name),
            Is.EqualTo(new[] { "0.weight_orig", "0.weight_u", "0.weight_v", "0.bias" }));
        Assert.That(model.Parameters.Select(parameter => parameter.Name), Is.EqualTo(new[] { "weight_orig", "bias" }));
        using (var trainer = new Trainer(model, device, Loss.MeanSquaredError, new Sgd(0)))
        {
            for (int step = 0; step < 40; step++)
            {
                trainer.TrainBatch(X, Targets);
            }
        }

        float[] weight = Read(norm.Original!);
        float sigma = LargestSingularValue(weight);
        Assert.That(
            Predict(device, model), Is.EqualTo(Product(X, Array.ConvertAll(weight, value => value / sigma))).Within(1e-4f));
    }

    [Test]
    public void Inference_leaves_the_vectors_as_they_are()
    {
        using var device = Device.Cpu(1);
        var model = new Sequential(new SpectralNorm(new Dense(2)));
        model.Build([3], seed: 4);
        float[][] before = [.. model.Buffers.Select(Read)];
        Predict(device, model);
        Assert.That(model.Buffers.Select(Read), Is.EqualTo(before));
    }

    [Test]
    public void A_saved_model_predicts_as_before([Values] bool spectral)
    {
        using var device = Device.Cpu(1);
        Layer Wrap(Layer layer) => spectral ? new SpectralNorm(layer) : new WeightNorm(layer);
        var model = new Sequential(Wrap(new Conv2D(3, 3)), new Flatten(), Wrap(new Dense(2)));
        model.Build([4, 4, 2], seed: 4);
        using var file = new MemoryStream();
        model.Save(file);
        file.Position = 0;
        Layer loaded = Model.Load(file);
        float[] x = [.. Enumerable.Range(0, 64).Select(i => i % 7 * 0.25f)];
        Assert.That(PredictImages(device, loaded, x), Is.EqualTo(PredictImages(device, model, x)));
    }

    [Test]
    public void A_layer_without_a_weight_is_named() => Assert.Multiple(() =>
    {
        Assert.That(
            () => new WeightNorm(new Flatten()).Build([3, 2]),
            Throws.TypeOf<ShapeException>().With.Message.Contains("WeightNorm").And.Message.Contains("Flatten")
                .And.Message.Contains("'weight'"));
        Assert.That(
            () => new SpectralNorm(new BatchNorm1D()).Build([3]),
            Throws.TypeOf<ShapeException>().With.Message.Contains("SpectralNorm").And.Message.Contains("two axes"));
        Assert.That(
            () => new SpectralNorm(new Dense(2), iterations: 0).Build([3]),
            Throws.TypeOf<ShapeException>().With.Message.Contains("power iteration"));
    });

    /// <summary>g and v behind a step of gradient descent, by central differences of the mean squared error in double.</summary>
    private static double[] StepOfWeightNorm(float[] g, float[] v)
    {
        double[] all = [.. g.Concat(v).Select(value => (double)value)];
        double Error(double[] p)
        {
            double sum = 0;
            for (int row = 0; row < 4; row++)
            {
                for (int output = 0; output < 2; output++)
                {
                    double dot = 0, squares = 0;
                    for (int i = 0; i < 3; i++)
                    {
                        dot += X[(row * 3) + i] * p[2 + (i * 2) + output];
                        squares += p[2 + (i * 2) + output] * p[2 + (i * 2) + output];
                    }

                    double difference = (dot * p[output] / Math.Sqrt(squares)) - Targets[(row * 2) + output];
                    sum += difference * difference / 8;
                }
            }

            return sum;
        }

        double[] slopes = [.. all.Select((_, i) =>
        {
            double[] above = [.. all], below = [.. all];
            above[i] += 1e-5;
            below[i] -= 1e-5;
            return (Error(above) - Error(below)) / 2e-5;
        })];
        return [.. all.Zip(slopes, (value, slope) => value - (0.01 * slope))];
    }

    /// <summary>Of a [3, 2] matrix: the root of the larger eigenvalue of its product with itself.</summary>
    private static float LargestSingularValue(float[] w)
    {
        double a = 0, b = 0, c = 0;
        for (int i = 0; i < 3; i++)
        {
            a += w[i * 2] * (double)w[i * 2];
            b += w[i * 2] * (double)w[(i * 2) + 1];
            c += w[(i * 2) + 1] * (double)w[(i * 2) + 1];
        }

        return (float)Math.Sqrt(((a + c) / 2) + Math.Sqrt(((a - c) * (a - c) / 4) + (b * b)));
    }

    private static float[] Product(float[] x, float[] weight) => [.. Enumerable.Range(0, 8).Select(
        i => Enumerable.Range(0, 3).Sum(k => x[(i / 2 * 3) + k] * weight[(k * 2) + (i % 2)]))];

    private static float[] Predict(Device device, Layer model)
    {
        using Predictor predictor = model.CreatePredictor(device);
        var y = new float[8];
        predictor.Predict(X, y);
        return y;
    }

    private static float[] PredictImages(Device device, Layer model, float[] x)
    {
        using Predictor predictor = model.CreatePredictor(device);
        var y = new float[4];
        predictor.Predict(x, y);
        return y;
    }

    private static float[] Read(Parameter parameter)
    {
        var values = new float[parameter.Count];
        parameter.Read(values);
        return values;
    }
}
