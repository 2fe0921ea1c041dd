using FastNN.Data;
using FastNN.Tests.Training;

namespace FastNN.Tests.Layers;

/// <summary>What is said where shapes and sizes do not fit: which layer, and never an arithmetic exception.</summary>
internal sealed class ShapeErrorTests : TrainingFixture
{
    [Test]
    public void An_error_names_the_layer_by_its_path_in_the_model()
    {
        var flat = new Sequential(new Flatten(), new Dense(4), new Conv2D(8, 3));
        var nested = new Sequential(
            new Conv2D(4, 3),
            new Sequential(new MaxPool2D(2), new Sequential(new Conv2D(4, 20)) { Name = "tail" }) { Name = "body" });
        ShapeException ofFlat = Assert.Throws<ShapeException>(() => flat.Build(new Shape(28, 28, 1)))!;
        ShapeException ofNested = Assert.Throws<ShapeException>(() => nested.Build(new Shape(28, 28, 1)))!;
        Assert.Multiple(() =>
        {
            Assert.That(ofFlat.Layer, Is.EqualTo("2 (Conv2D)"));
            Assert.That(
                ofFlat.Message,
                Does.StartWith(
                    "layer 2 (Conv2D): Conv2D: expected a batch of images [N, H, W, C], got an input of shape [1, 4]"));
            Assert.That(ofNested.Layer, Is.EqualTo("body.tail.0 (Conv2D)"));
            Assert.That(
                ofNested.Message,
                Does.StartWith("layer body.tail.0 (Conv2D): ").And.Contain("larger than the input's height of 13"));
        });
    }

    [Test]
    public void A_layer_outside_a_model_has_no_path()
    {
        ShapeException exception = Assert.Throws<ShapeException>(() => new Conv2D(8, 3).Build(new Shape(4)))!;
        Assert.That(exception.Layer, Is.Null);
        Assert.That(exception.Message, Does.StartWith("Conv2D: "));
    }

    [Test]
    public void A_layer_that_a_user_wrote_is_named_like_ours()
    {
        var model = new Sequential(new Flatten(), new Twice());
        Assert.That(Assert.Throws<ShapeException>(() => model.Build(new Shape(4, 4, 1)))!.Layer, Is.EqualTo("1.second (Conv2D)"));
    }

    [TestCaseSource(nameof(TooLarge))]
    public void Sizes_that_no_tensor_can_have_are_refused_with_their_bytes(Layer model, Shape example, string what)
    {
        ShapeException exception = Assert.Throws<ShapeException>(() => model.Build(example))!;
        Assert.That(exception.Message, Does.Contain(what));
    }

    [TestCase(0)]
    [TestCase(3, 0, 2)]
    [TestCase(0, 3)]
    public void A_model_is_not_built_for_examples_without_elements(params int[] example) =>
        Assert.That(
            () => new Sequential(new Flatten(), new Dense(2)).Build(new Shape(example)),
            Throws.TypeOf<ShapeException>().With.Message.Contains("no elements"));

    [Test]
    public void A_batch_that_is_too_large_is_told_with_its_bytes_and_layer()
    {
        using Trainer trainer = Toy.Trainer(Device, Toy.Built());
        ShapeException exception = Assert.Throws<ShapeException>(() => trainer.PlanMemory(1 << 29))!;
        Assert.That(
            exception.Message,
            Does.StartWith("layer hidden (Dense): ").And.Contain("[536870912, 16] has 8,589,934,592 elements").And.Contain(
                "34,359,738,368 bytes"));
    }

    [Test]
    public void Examples_of_another_shape_than_the_model_s_are_refused_though_they_have_as_many_elements()
    {
        var model = new Sequential(new Flatten(), new Dense(2));
        model.Build(new Shape(28, 28, 1));
        using var trainer = new Trainer(model, Device, Loss.SparseCrossEntropy, new Sgd());
        Dataset quarter = Dataset.FromFloats(new float[28 * 28 * 2], [14, 14, 4], [0, 1], 2);
        Dataset whole = Dataset.FromFloats(new float[28 * 28 * 2], [28, 28, 1], [0, 1], 2);
        const string Message = "built for examples of shape [28, 28, 1], the dataset has examples of shape [14, 14, 4]";
        Assert.Multiple(() =>
        {
            Assert.That(() => trainer.Fit(quarter), Throws.TypeOf<ShapeException>().With.Message.Contains(Message));
            Assert.That(
                () => trainer.Fit(whole, validation: quarter), Throws.TypeOf<ShapeException>().With.Message.Contains(Message));
            Assert.That(() => trainer.Evaluate(quarter), Throws.TypeOf<ShapeException>().With.Message.Contains(Message));
            Assert.That(() => trainer.Predict(quarter), Throws.TypeOf<ShapeException>().With.Message.Contains(Message));
            Assert.That(() => trainer.Fit(whole), Throws.Nothing);
        });
    }

    private static IEnumerable<TestCaseData> TooLarge()
    {
        static TestCaseData Case(string name, Layer model, Shape example, string what) =>
            new TestCaseData(model, example, what).SetArgDisplayNames(name);
        yield return Case("dense", new Dense(65536), new Shape(65536), "17,179,869,184 bytes");
        yield return Case(
            "units", new Sequential(new Dense(int.MaxValue)), new Shape(3),
            "layer 0 (Dense): Dense: the parameter weight of shape [3, 2147483647]");
        yield return Case(
            "filters", new Sequential(new Conv2D(int.MaxValue, 2)), new Shape(4, 4, 1), "layer 0 (Conv2D): Conv2D: the parameter weight");
        yield return Case("flatten", new Flatten(), new Shape(65536, 65536), "An input of shape [1, 65536, 65536]");
        yield return Case(
            "padding", new Sequential(new Conv2D(2, 2) { Padding = Padding2D.Symmetric(1 << 29, 0) }), new Shape(4, 4, 1),
            "layer 0 (Conv2D): Conv2D: an output");
        yield return Case(
            "padding on both axes", new Sequential(new Conv2D(2, 2) { Padding = Padding2D.Symmetric(1 << 29, 1 << 29) }),
            new Shape(4, 4, 1), "layer 0 (Conv2D)");
    }

    private sealed class Twice : Layer
    {
        private readonly Dense _first;
        private readonly Conv2D _second;

        public Twice()
        {
            _first = AddLayer(new Dense(2), "first");
            _second = AddLayer(new Conv2D(2, 2), "second");
        }

        protected override Value Forward(Value x) => _second.Apply(_first.Apply(x));
    }
}
