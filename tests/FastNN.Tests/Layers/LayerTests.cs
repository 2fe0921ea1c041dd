using System.Diagnostics;
using FastNN.Tests.Training;

namespace FastNN.Tests.Layers;

/// <summary>Layers in layers: names belong to the model that is asked, and no nesting kills the process.</summary>
internal sealed class LayerTests : TrainingFixture
{
    [Test]
    public void A_built_layer_in_a_second_model_leaves_the_first_model_s_names_and_files_alone()
    {
        var body = new Sequential(new Dense(8, Activation.ReLU), new Dense(8)) { Name = "body" };
        var first = new Sequential(body, new Dense(3));
        first.Build([4], seed: 1);
        string[] names = [.. first.NamedParameters.Select(named => named.Name)];
        first.Save(PathOf("before.safetensors"));

        var second = new Sequential(new Dense(4), new Sequential(body, new Dense(2)) { Name = "head" });
        second.Build([4], seed: 2);
        Assert.Multiple(() =>
        {
            Assert.That(names, Does.Contain("body.0.weight"));
            Assert.That(first.NamedParameters.Select(named => named.Name), Is.EqualTo(names));
            Assert.That(second.NamedParameters.Select(named => named.Name), Does.Contain("head.body.0.weight"));
            Assert.That(second.Parameters.Intersect(first.Parameters), Is.EqualTo(body.Parameters));
        });
        first.Save(PathOf("after.safetensors"));
        Assert.That(File.ReadAllBytes(PathOf("after.safetensors")), Is.EqualTo(File.ReadAllBytes(PathOf("before.safetensors"))));
        first.LoadWeights(PathOf("before.safetensors"));
        second.Save(PathOf("second.safetensors"));
        second.LoadWeights(PathOf("second.safetensors"));
    }

    [Test]
    public void A_layer_cannot_be_inside_itself()
    {
        Assert.That(
            () => new Selfish(), Throws.ArgumentException.With.Message.Contains("Selfish: a layer cannot be inside itself"));
        Holder a = new(), b = new();
        a.Hold(b);
        b.Hold(a);
        Assert.Multiple(() =>
        {
            Assert.That(
                () => a.Parameters,
                Throws.InvalidOperationException.With.Message.EqualTo("Layer 0.0 (Holder) is inside itself."));
            Assert.That(() => a.Build([2]), Throws.InvalidOperationException.With.Message.Contains("inside itself"));
            Assert.That(() => a.IsTrainable = false, Throws.InvalidOperationException);
        });
    }

    [Test]
    public void A_layer_that_applies_itself_is_an_error_and_not_a_stack_overflow() =>
        Assert.That(() => new Endless().Build([2]), Throws.InvalidOperationException.With.Message.Contains("at most 500 deep"));

    [TestCase(1_000)]
    [TestCase(100_000)]
    public void Layers_nested_too_deep_are_an_error_and_not_a_stack_overflow(int depth)
    {
        Layer model = new Dense(2);
        for (int i = 0; i < depth; i++)
        {
            model = new Sequential(model);
        }

        Assert.Multiple(() =>
        {
            Assert.That(() => model.Build([2]), Throws.InvalidOperationException.With.Message.Contains("at most 500 deep"));
            Assert.That(() => model.Parameters, Throws.InvalidOperationException.With.Message.Contains("at most 500 deep"));
        });
    }

    [Test]
    public void Layers_may_be_nested_as_deep_as_any_network_needs()
    {
        Layer model = new Dense(2);
        for (int i = 0; i < 400; i++)
        {
            model = new Sequential(model);
        }

        model.Build([3]);
        Assert.That(model.NamedParameters[0].Name, Has.Length.EqualTo("weight".Length + (400 * 2)));
    }

    [Test]
    public void A_hundred_thousand_layers_in_a_row_are_put_together_and_built_in_linear_time()
    {
        var watch = Stopwatch.StartNew();
        var model = new Sequential();
        for (int i = 0; i < 100_000; i++)
        {
            model.Add(new ActivationLayer(Activation.ReLU));
        }

        model.Add(new Dense(2));
        model.Build([3]);
        Assert.That(model.NamedParameters.Select(named => named.Name), Is.EqualTo(new[] { "100000.weight", "100000.bias" }));
        Assert.That(watch.Elapsed, Is.LessThan(TimeSpan.FromSeconds(10)), "a quadratic rule takes a minute");
    }

    [Test]
    public void A_sequential_is_written_in_three_ways()
    {
        Sequential one = new(new Dense(3), new Dense(2)), two = new() { new Dense(3), new Dense(2) },
        three = [new Dense(3), new Dense(2)];
        foreach (Sequential model in new[] { one, two, three })
        {
            model.Build([4]);
            Assert.That(
                model.NamedParameters.Select(named => named.Name),
                Is.EqualTo(new[] { "0.weight", "0.bias", "1.weight", "1.bias" }));
        }

        Assert.That(() => one.Add(new Dense(1)), Throws.InvalidOperationException.With.Message.Contains("is built"));
        Assert.That(
            () => new Sequential().Build([4]), Throws.InvalidOperationException.With.Message.Contains("at least one layer"));
        Assert.That(() => new Sequential(null!, null!), Throws.ArgumentNullException);
        Assert.That(
            () => new Sequential(new Dense(1) { Name = "a" }, new Dense(1) { Name = "a" }),
            Throws.ArgumentException.With.Message.Contains("'a'"));
    }

    [Test]
    public void Freezing_holds_for_parameters_that_come_later()
    {
        var body = new Sequential(new Dense(3), new Dense(3)) { IsTrainable = false };
        var model = new Sequential(body, new Dense(2));
        Assert.That((body.IsTrainable, model.IsTrainable), Is.EqualTo((false, true)));
        model.Build([3]);
        Assert.Multiple(() =>
        {
            Assert.That(body.Parameters.Select(parameter => parameter.IsTrainable), Is.All.False);
            Assert.That(model.Parameters.Count(parameter => parameter.IsTrainable), Is.EqualTo(2));
        });
        body.IsTrainable = true;
        Assert.That(model.Parameters.Select(parameter => parameter.IsTrainable), Is.All.True);
    }

    [Test]
    public void A_layer_built_in_another_model_is_checked_against_the_shape_it_is_built_for()
    {
        var dense = new Dense(2);
        new Sequential(new Flatten(), dense).Build([3]);
        Assert.That(() => dense.Build([4]), Throws.TypeOf<ShapeException>());
        dense.Build([3]);
        Assert.That(dense.ExampleShape, Is.EqualTo(new Shape(3)));
    }

    [Test]
    public void Two_parameters_of_one_name_are_refused()
    {
        var ambiguous = new Holder();
        ambiguous.Hold(new Sequential(new Dense(2) { Name = "b" }), "a");
        ambiguous.Hold(new Sequential(new Dense(2)), "a.b");
        Assert.That(() => ambiguous.Build([2]), Throws.Nothing, "a.b.weight and a.b.0.weight");
        var clash = new Holder();
        clash.Hold(new Sequential(new Dense(2) { Name = "b" }), "a");
        clash.Hold(new Dense(2), "a.b");
        Assert.That(
            () => clash.Build([2]),
            Throws.InvalidOperationException.With.Message.Contains("two parameters are named 'a.b.weight'"));
    }

    private sealed class Selfish : Layer
    {
        public Selfish() => AddLayer(this);

        protected override Value Forward(Value x) => x;
    }

    private sealed class Endless : Layer
    {
        protected override Value Forward(Value x) => Apply(x);
    }

    private sealed class Holder : Layer
    {
        private readonly List<Layer> _held = [];

        public void Hold(Layer layer, string? name = null) => _held.Add(AddLayer(layer, name));

        protected override Value Forward(Value x)
        {
            foreach (Layer layer in _held)
            {
                x = layer.Apply(x);
            }

            return x;
        }
    }
}
