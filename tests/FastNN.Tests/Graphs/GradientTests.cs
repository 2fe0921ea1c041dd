using FastNN.Graphs;

namespace FastNN.Tests.Graphs;

/// <summary>
/// Gradients of values with several consumers, by hand: what <see cref="RandomGraphTests"/> finds at random, in its smallest
/// forms.
/// </summary>
internal sealed class GradientTests : DeviceFixture
{
    [Test]
    public void A_residual_adds_its_gradient_twice() => Check(x => x + x, _ => 2);

    [Test]
    public void A_diamond_sums_both_branches() => Check(x => x.Tanh() + x.Sigmoid(), x => TanhSlope(x) + SigmoidSlope(x));

    [Test]
    public void A_chain_in_place_after_a_branch() =>
        Check(x => x.Tanh().Tanh() + x, x => (TanhSlope(x) * TanhSlope(Math.Tanh(x))) + 1);

    [Test]
    public void Views_of_a_value_with_two_consumers() => Check(x => x.Flatten().Reshape(x.Shape) + x, _ => 2);

    [Test]
    public void A_view_and_a_view_of_the_view() => Check(
        x =>
        {
            Value flat = x.Flatten();
            return flat.Reshape(x.Shape) + flat.Reshape(x.Shape).Tanh();
        },
        x => 1 + TanhSlope(x));

    [Test]
    public void A_square_of_an_intermediate() => Check(
        x =>
        {
            Value y = x.Tanh();
            return y * y;
        },
        x => 2 * Math.Tanh(x) * TanhSlope(x));

    [Test]
    public void A_shared_layer_sums_the_gradients_of_its_uses()
    {
        var layer = new Dense(2) { UseBias = false, WeightInitializer = Initializer.Constant(0.5f) };
        layer.Build(new Shape(2));
        var graph = new Graph(GraphMode.Training);
        Value x = graph.Input(new Shape(1, 2));
        Value y = layer.Apply(layer.Apply(x));
        using var run = new GraphRun(Two, graph, [], y, [x], layer.Weight!);
        run.Set(x, [1f, 3f]);
        run.Run();
        // y = W^T W^T x with all of W 0.5: the inner layer gives 2 everywhere, each of the two layers a gradient of 1.
        Assert.That(run.Read(y), Is.EqualTo(new[] { 2f, 2f }));
        Assert.That(run.Gradient(layer.Weight!), Is.EqualTo(new[] { 2f + 1f, 2f + 1f, 2f + 3f, 2f + 3f }));
        Assert.That(run.Gradient(x), Is.EqualTo(new[] { 1f, 1f }));
    }

    [Test]
    public void A_frozen_parameter_has_no_gradient_but_passes_it_on()
    {
        var layer = new Dense(2) { UseBias = false, WeightInitializer = Initializer.Constant(0.5f) };
        layer.Build(new Shape(2));
        layer.IsTrainable = false;
        var graph = new Graph(GraphMode.Training);
        Value x = graph.Input(new Shape(1, 2));
        Value y = layer.Apply(x);
        using var run = new GraphRun(One, graph, [], y, [x], layer.Weight!);
        run.Set(x, [1f, 3f]);
        run.Run();
        Assert.That(run.Gradient(x), Is.EqualTo(new[] { 1f, 1f }));
        Assert.That(
            () => run.Gradient(layer.Weight!),
            Throws.InvalidOperationException.With.Message.Contains("Parameter weight has no gradient: it is frozen"));
    }

    [Test]
    public void An_input_without_a_way_to_the_root_is_named()
    {
        var graph = new Graph(GraphMode.Training);
        Value x = graph.Input(new Shape(2));
        Value other = graph.Input(new Shape(3));
        Value y = x.Tanh();
        Assert.That(
            () => Compiler.Compile(One, graph, [y], y, other),
            Throws.InvalidOperationException.With.Message.Contains("No gradient").And.Message.Contains("[3]"));
    }

    [Test]
    public void The_root_gradient_of_a_fused_layer_survives_a_step()
    {
        var layer = new Dense(1, Activation.Sigmoid);
        layer.Build(new Shape(3), seed: 2);
        var graph = new Graph(GraphMode.Training);
        Value x = graph.Input(new Shape(1, 3));
        Value y = layer.Apply(x);
        using var run = new GraphRun(One, graph, [], y, [x], layer.Weight!, layer.Bias!);
        run.Set(x, [1f, 2f, 3f]);
        run.Run();
        float[] first = run.Gradient(x);
        run.Run();
        // Nobody set the root's gradient, so both steps start from ones.
        Near.SameBits(first, run.Gradient(x));
    }

    private static double TanhSlope(double x) => 1 - (Math.Tanh(x) * Math.Tanh(x));

    private static double SigmoidSlope(double x) => 1 / ((1 + Math.Exp(-x)) * (1 + Math.Exp(x)));

    private void Check(Func<Value, Value> build, Func<double, double> slope)
    {
        var graph = new Graph(GraphMode.Training);
        Value x = graph.Input(new Shape(3, 7));
        Value y = build(x);
        using var run = new GraphRun(Two, graph, [], y, [x]);
        float[] values = [.. Enumerable.Range(0, 21).Select(i => (i - 10) / 7f)];
        run.Set(x, values);
        run.Run();
        Near.Check("dx", run.Gradient(x), Array.ConvertAll(values, value => slope(value)), 1e-6);
    }
}
