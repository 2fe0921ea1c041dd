using FastNN.Data;
using FastNN.Onnx;

namespace FastNN.Users.Tests.Guides;

/// <summary>The messages that docs/guides/troubleshooting.md explains are those that the library gives.</summary>
internal sealed class TroubleshootingGuideTests
{
    private const string Page = "troubleshooting.md";

    private Device _device = null!;

    [SetUp]
    public void Open() => _device = Device.Cpu(1);

    [TearDown]
    public void Close() => _device.Dispose();

    [Test]
    public void A_loss_that_is_not_finite_stops_the_training_and_the_weights_stay()
    {
        Device device = _device;
        Dataset train = Dataset.FromFloats(Numbers(64), [2], [.. Numbers(32).Select(x => 1e30f * x)], [1]);
        var model = new Sequential(new Dense(4), new Dense(1));
        model.Build([2], seed: 1);
        float[] before = Weights(model);

        using var trainer = new Trainer(model, device, Loss.MeanSquaredError, new Sgd(10), seed: 1);
        try
        {
            trainer.Fit(train, epochs: 10, batchSize: 16);
            Assert.Fail("expected an exception");
        }
        catch (NonFiniteLossException exception)
        {
            Console.WriteLine(exception.Message);
            GuidePage.AssertShows(Page, exception.Message);
        }

        Assert.That(Weights(model), Is.EqualTo(before));
    }

    [Test]
    public void A_shape_that_does_not_fit_names_the_layer()
    {
        var model = new Sequential(
            new Sequential(new Conv2D(8, 3), new Conv2D(8, 3)) { Name = "body" }, new Flatten(), new Dense(10));
        ShapeException inside = Assert.Throws<ShapeException>(() => model.Build([4, 4, 3]))!;
        Assert.That(inside.Layer, Does.StartWith("body.1"));

        var small = new Sequential(new Dense(3));
        small.Build([8], seed: 1);
        using Predictor predictor = small.CreatePredictor(_device);
        ShapeException length = Assert.Throws<ShapeException>(() => predictor.Predict(new float[12]))!;
        GuidePage.AssertShows(Page, $"{inside.Message}\n{length.Message}");
    }

    [Test]
    public void Targets_of_the_wrong_kind_are_told()
    {
        Dataset numbers = Dataset.FromFloats(Numbers(8), [2], Numbers(4), [1]);
        using var classifier = new Trainer(
            new Sequential(new Dense(2)), _device, Loss.SparseCrossEntropy, new Adam(), seed: 1);
        Exception kind = Assert.Catch(() => classifier.Fit(numbers))!;
        ArgumentOutOfRangeException label = Assert.Throws<ArgumentOutOfRangeException>(
            () => Dataset.FromFloats(Numbers(4), [2], [0, 3], classes: 3))!;
        Dataset three = Dataset.FromFloats(Numbers(4), [2], [0, 2], classes: 3);
        Exception classes = Assert.Catch(() => classifier.Fit(three))!;
        GuidePage.AssertShows(Page, $"{kind.Message}\n{label.Message}\n{classes.Message}");
    }

    [Test]
    public void Files_that_do_not_fit_are_told_before_anything_changes()
    {
        using var file = new MemoryStream();
        var saved = new Sequential(new Dense(4) { Name = "hidden" }, new Dense(3) { Name = "output" });
        saved.Build([2], seed: 1);
        saved.SaveWeights(file);

        var other = new Sequential(new Dense(4) { Name = "hidden" }, new Dense(5) { Name = "output" });
        other.Build([2], seed: 2);
        float[] before = Weights(other);
        file.Position = 0;
        FileFormatException shape = Assert.Throws<FileFormatException>(() => other.LoadWeights(file))!;
        FileFormatException cut = Assert.Throws<FileFormatException>(
            () => other.LoadWeights(new MemoryStream(file.ToArray()[..40])))!;
        FileFormatException onnx = Assert.Throws<FileFormatException>(
            () => OnnxModel.Load(new byte[] { 1, 2, 3 }, "model.onnx"))!;
        Assert.That(Weights(other), Is.EqualTo(before));
        GuidePage.AssertShows(Page, $"{shape.Message}\n{cut.Message}\n{onnx.Message}");
    }

    [Test]
    public void A_device_that_is_not_there_is_told()
    {
        DeviceException threads = Assert.Throws<DeviceException>(() => Device.Cpu(1000))!;
        GuidePage.AssertShows(Page, threads.Message);
    }

    private static float[] Weights(Layer model) => [.. model.Parameters.SelectMany(parameter =>
    {
        var values = new float[parameter.Count];
        parameter.Read(values);
        return values;
    })];

    private static float[] Numbers(int count) => [.. Enumerable.Range(0, count).Select(i => MathF.Sin((i * 12.9898f) + 1))];
}
