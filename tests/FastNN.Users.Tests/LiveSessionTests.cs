namespace FastNN.Users.Tests;

/// <summary>Sessions on weights that are being trained.</summary>
internal sealed class LiveSessionTests(string kind) : UserFixture(kind)
{
    [Test]
    public void A_session_on_live_weights_follows_the_training()
    {
        var model = new Sequential(
            new Conv2D(4, 3) { UseBias = false }, new BatchNorm2D(), new ActivationLayer(Activation.ReLU), new Flatten(),
            new Dropout(0.5f), new Dense(3));
        model.Build([6, 6, 1], seed: 5);
        using var weights = new DeviceWeights(Device, model);
        using Session live = weights.CreateSession(model);
        using var step = new TrainingStep(
            weights,
            s => s.Loss(
                "loss",
                Loss.SparseCrossEntropy.Apply(
                    model.Apply(s.Input("x", [Dim.Batch, 6, 6, 1])), s.Input("classes", [Dim.Batch], DType.Int32))),
            [(new Adam(0.01f), model.Parameters)]);
        float[] x = Numbers(8 * 36, 1), before = new float[8 * 3], after = new float[8 * 3], copied = new float[8 * 3];
        live.Run(x, before);
        for (int i = 0; i < 5; i++)
        {
            step.Begin([8, 6, 6, 1]);
            step.Write("x", x);
            step.Write("classes", [0, 1, 2, 0, 1, 2, 0, 1]);
            step.Run();
            live.Run(x, after);
            using Session copy = model.CreateSession(Device);
            copy.Run(x, copied);
            Assert.That(after, Is.EqualTo(copied).Within(1e-5f));
        }

        Assert.That(after.Zip(before, (a, b) => Math.Abs(a - b)).Max(), Is.GreaterThan(0.01f));
    }

    [Test]
    public void A_session_on_live_weights_takes_their_models_alone()
    {
        Sequential model = new(new Dense(2)), stranger = new(new Dense(2) { Name = "far" });
        model.Build([3], 1);
        stranger.Build([3], 2);
        var weights = new DeviceWeights(Device, model);
        Assert.That(
            () => weights.CreateSession(stranger),
            Throws.ArgumentException.With.Message.StartsWith("Session: parameter weight is not among the weights"));
        weights.Dispose();
        Assert.That(() => weights.CreateSession(model), Throws.TypeOf<ObjectDisposedException>());
    }
}
