using FastNN.Formats;

namespace FastNN.Tests.Training;

/// <summary>Saving and loading weights, in PyTorch's names and order.</summary>
internal sealed class WeightsTests : TrainingFixture
{
    private static Sequential Network()
    {
        var model = new Sequential(
            new Conv2D(4, (3, 2), Activation.ReLU), new MaxPool2D(2), new Flatten(),
            new Dense(5, Activation.ReLU) { Name = "fc" }, new Dense(3));
        model.Build(new Shape(8, 9, 2), seed: 9);
        return model;
    }

    [Test]
    public void Weights_come_back_as_they_were()
    {
        Sequential model = Network();
        model.Save(PathOf("w.safetensors"));
        var other = new Sequential(
            new Conv2D(4, (3, 2)), new MaxPool2D(2), new Flatten(), new Dense(5) { Name = "fc" }, new Dense(3));
        other.Build(new Shape(8, 9, 2), seed: 10);
        Assert.That(Toy.Parameters(other), Is.Not.EqualTo(Toy.Parameters(model)));
        other.LoadWeights(PathOf("w.safetensors"));
        Assert.That(Toy.Parameters(other), Is.EqualTo(Toy.Parameters(model)));
        model.Save(PathOf("again.safetensors"));
        Assert.That(File.ReadAllBytes(PathOf("again.safetensors")), Is.EqualTo(File.ReadAllBytes(PathOf("w.safetensors"))));
    }

    [Test]
    public void Files_are_named_shaped_and_ordered_as_PyTorch_has_them()
    {
        Sequential model = Network();
        model.Save(PathOf("w.safetensors"));
        using SafetensorsReader reader = SafetensorsReader.Open(PathOf("w.safetensors"));
        Assert.That(reader.Find("0.weight").Shape.ToArray(), Is.EqualTo(new[] { 4, 2, 3, 2 }), "OIHW");
        Assert.That(reader.Find("fc.weight").Shape.ToArray(), Is.EqualTo(new[] { 5, 4 * 3 * 4 }), "[out, C * H * W]");
        Assert.That(reader.Find("4.weight").Shape.ToArray(), Is.EqualTo(new[] { 3, 5 }));

        float[] filter = Values(model.Parameters[0]), inFile = reader.ReadSingles("0.weight");
        for (int i = 0; i < inFile.Length; i++)
        {
            (int o, int c, int h, int w) = (i / 12, i / 6 % 2, i / 2 % 3, i % 2);
            Assert.That(inFile[i], Is.EqualTo(filter[(((((h * 2) + w) * 2) + c) * 4) + o]));
        }

        // The flattened image is 3 x 4 x 4 in H, W, C order here and C, H, W order there.
        float[] dense = Values(model.Parameters[2]);
        inFile = reader.ReadSingles("fc.weight");
        for (int i = 0; i < inFile.Length; i++)
        {
            (int o, int c, int h, int w) = (i / 48, i / 12 % 4, i / 4 % 3, i % 4);
            Assert.That(inFile[i], Is.EqualTo(dense[(((((h * 4) + w) * 4) + c) * 5) + o]));
        }
    }

    [Test]
    public void A_foreign_file_is_refused_and_changes_nothing()
    {
        Sequential model = Network();
        float[] before = Toy.Parameters(model);
        Toy.Built().Save(PathOf("foreign.safetensors"));
        Assert.That(
            () => model.LoadWeights(PathOf("foreign.safetensors")),
            Throws.TypeOf<FileFormatException>().With.Message.Contains("hidden"));
        model.Save(PathOf("w.safetensors"));
        byte[] bytes = File.ReadAllBytes(PathOf("w.safetensors"));
        File.WriteAllBytes(PathOf("short.safetensors"), bytes[..^4]);
        Assert.That(() => model.LoadWeights(PathOf("short.safetensors")), Throws.TypeOf<FileFormatException>());
        Assert.That(() => model.LoadWeights(PathOf("absent.safetensors")), Throws.InstanceOf<IOException>());
        Assert.That(Toy.Parameters(model), Is.EqualTo(before));
    }

    [TestCase(float.NaN)]
    [TestCase(float.NegativeInfinity)]
    public void Weights_that_are_not_finite_are_neither_saved_nor_loaded_unless_allowed(float poison)
    {
        Sequential model = Network();
        Parameter parameter = model.Parameters[2];
        float[] good = Toy.Parameters(model), values = Values(parameter);
        values[^3] = poison;
        parameter.Write(values);
        Assert.That(
            () => model.Save(PathOf("bad.safetensors")),
            Throws.InvalidOperationException.With.Message.Contains("fc.weight").And.Message.Contains(
                $"{poison}").And.Message.Contains("allowNonFinite"));
        Assert.That(PathOf("bad.safetensors"), Does.Not.Exist);

        model.Save(PathOf("bad.safetensors"), new() { AllowNonFinite = true });
        Sequential other = Network();
        Assert.That(
            () => other.LoadWeights(PathOf("bad.safetensors")),
            Throws.TypeOf<FileFormatException>().With.Message.Contains("fc.weight").And.Message.Contains($"got {poison}"));
        Assert.That(Toy.Parameters(other), Is.EqualTo(good), "nothing was replaced");
        other.LoadWeights(PathOf("bad.safetensors"), new() { AllowNonFinite = true });
        Assert.That(Values(other.Parameters[2])[^3], Is.EqualTo(poison));
    }

    [Test]
    public void Loading_allocates_at_most_twice_the_file()
    {
        var model = new Sequential(new Dense(1000), new Dense(500));
        model.Build(new Shape(700), seed: 9);
        model.Save(PathOf("w.safetensors"));
        model.LoadWeights(PathOf("w.safetensors"));
        long before = GC.GetAllocatedBytesForCurrentThread();
        model.LoadWeights(PathOf("w.safetensors"));
        Assert.That(
            GC.GetAllocatedBytesForCurrentThread() - before, Is.LessThan(2.1 * new FileInfo(PathOf("w.safetensors")).Length));
    }

    [Test]
    public void An_unbuilt_model_can_neither_be_saved_nor_loaded_nor_compiled()
    {
        Assert.That(() => Toy.Model().Save(PathOf("w.safetensors")), Throws.InvalidOperationException);
        Assert.That(() => Toy.Model().LoadWeights(PathOf("w.safetensors")), Throws.InvalidOperationException);
        Assert.That(() => Toy.Model().CreatePredictor(Device), Throws.InvalidOperationException);
    }

    [Test]
    public void A_shared_layer_is_saved_once_and_gets_gradients_from_both_uses()
    {
        var shared = new Dense(2) { UseBias = false, Name = "shared" };
        var model = new Twice(shared);
        model.Build(new Shape(2), seed: 4);
        Assert.That(model.NamedParameters.Select(named => named.Name), Is.EqualTo(new[] { "shared.weight" }));
        using Trainer trainer = new(model, Device, Loss.MeanSquaredError, new Sgd(0.1f));
        trainer.Forward([1, 2], [0f, 0]);
        trainer.Backward();
        var w = Values(model.Parameters[0]);
        var gradient = new float[4];
        trainer.ReadGradient(model.Parameters[0], gradient);

        // y = (x W) W, loss = mean(y^2): dW = x^T (dy W^T) + (x W)^T dy with dy = y.
        double h0 = w[0] + (2 * w[2]), h1 = w[1] + (2 * w[3]);
        double y0 = (h0 * w[0]) + (h1 * w[2]), y1 = (h0 * w[1]) + (h1 * w[3]);
        double g0 = (y0 * w[0]) + (y1 * w[1]), g1 = (y0 * w[2]) + (y1 * w[3]);
        double[] expected = [g0 + (h0 * y0), g1 + (h0 * y1), (2 * g0) + (h1 * y0), (2 * g1) + (h1 * y1)];
        Assert.That(gradient.Select(value => (double)value), Is.EqualTo(expected).Within(1e-5));
    }

    private static float[] Values(Parameter parameter)
    {
        var values = new float[parameter.Count];
        parameter.Read(values);
        return values;
    }

    private sealed class Twice(Dense shared) : Layer
    {
        private readonly Dense _shared = shared;
        private bool _added;

        protected override void Build(Value x)
        {
            if (!_added)
            {
                AddLayer(_shared);
                _added = true;
            }
        }

        protected override Value Forward(Value x) => _shared.Apply(_shared.Apply(x));
    }
}
