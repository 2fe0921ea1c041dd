namespace FastNN.Tests.Layers;

/// <summary>
/// Running statistics are buffers: written by training, kept out of the optimizer, saved and restored with the weights.
/// </summary>
internal sealed class BatchNormLayerTests
{
    private static readonly float[] X = [1, 2, 3, 4, 5, 7, -1, 0, 2, 6, 1, 3];

    [Test]
    public void Training_moves_the_running_statistics_as_PyTorch_does()
    {
        using var device = Device.Cpu(1);
        var norm = new BatchNorm1D();
        var model = new Sequential(norm, new Dense(1));
        model.Build([3], seed: 1);
        Assert.That(model.Buffers.Select(buffer => buffer.Name), Is.EqualTo(new[] { "running_mean", "running_var" }));
        using (var trainer = new Trainer(model, device, Loss.MeanSquaredError, new Sgd(0.01f)))
        {
            trainer.TrainBatch(X, [1f, 2, 3, 4]);
        }

        // Momentum 0.1; the mean of each column, and its unbiased variance, by hand.
        Assert.That(Read(norm.RunningMean!), Is.EqualTo(new[] { 0.1f * 2.5f, 0.1f * 2, 0.1f * 3.75f }).Within(1e-6f));
        Assert.That(
            Read(norm.RunningVariance!),
            Is.EqualTo(new[] { 0.9f + (0.1f * 9.6666667f), 0.9f + (0.1f * 4.6666667f), 0.9f + (0.1f * 4.9166667f) }).Within(
                1e-5f));
    }

    [Test]
    public void Statistics_are_no_parameters_and_thawing_a_model_does_not_make_them_so()
    {
        var model = new Sequential(new BatchNorm1D(), new Dense(2));
        model.Build([3]);
        model.IsTrainable = false;
        model.IsTrainable = true;
        Assert.That(model.Parameters.Select(parameter => parameter.Name), Has.None.Contains("running"));
        Assert.That(model.Buffers, Has.All.Property(nameof(Parameter.IsTrainable)).False);
    }

    [Test]
    public void A_saved_model_predicts_with_the_statistics_it_was_trained_to()
    {
        using var device = Device.Cpu(1);
        var model = new Sequential(new BatchNorm1D(), new Dense(2, Activation.Tanh));
        model.Build([3], seed: 1);
        using (var trainer = new Trainer(model, device, Loss.MeanSquaredError, new Adam(0.01f)))
        {
            for (int step = 0; step < 5; step++)
            {
                trainer.TrainBatch(X, [0f, 1, 1, 0, 0.5f, 0.5f, 1, 1]);
            }
        }

        using var file = new MemoryStream();
        model.SaveWeights(file);
        file.Position = 0;
        var other = new Sequential(new BatchNorm1D(), new Dense(2, Activation.Tanh));
        other.Build([3], seed: 99);
        other.LoadWeights(file);
        Assert.That(Predict(device, other), Is.EqualTo(Predict(device, model)));
    }

    private static float[] Predict(Device device, Layer model)
    {
        using Predictor predictor = model.CreatePredictor(device);
        var y = new float[8];
        predictor.Predict(X, y);
        return y;
    }

    private static float[] Read(Parameter parameter)
    {
        var values = new float[parameter.Count];
        parameter.Read(values);
        return values;
    }
}
