using FastNN.Functions;
using FastNN.Ops;

namespace FastNN.Tests.Ops;

internal sealed class PenaltyTests : CpuOpFixture<PenaltyCases>
{
    [Test]
    public void A_layers_penalty_joins_the_loss_and_the_weights_gradient_once()
    {
        var layer = new Dense(3) { UseBias = false, WeightRegularizer = Regularizer.L1L2(0.1f, 0.2f) };
        layer.Build(new Shape(3), seed: 4);
        var graph = new Graph(GraphMode.Training);
        Value x = graph.Input(new Shape(2, 3));
        // Applied twice: the shared weight is penalised once.
        Value root = layer.Apply(layer.Apply(x)).Graph.Add(
            new ElementLossOp(LossFunction.Of<SquaredError>(), default, Reduction.Sum), layer.Apply(x), layer.Apply(x));
        Assert.That(graph.Penalties, Has.Count.EqualTo(1));
        root += graph.Penalties.Values.Single();
        using var run = new GraphRun(One, graph, [], root, [], layer.Weight!);
        run.Set(x, new float[6]);
        run.Run();
        var weights = new float[9];
        layer.Weight!.Read(weights);
        double[] exact = Array.ConvertAll(weights, value => (double)value);
        Near.Check("loss", run.Read(root), [PenaltyReference.Forward(exact, 0.1f, 0.2f)], 1e-6);
        Near.Check(
            "dweight", run.Gradient(layer.Weight), Array.ConvertAll(exact, value => PenaltyReference.Slope(value, 0.1f, 0.2f)),
            1e-6);
    }

    [Test]
    public void Inference_has_no_penalty()
    {
        var layer = new Dense(3) { WeightRegularizer = Regularizer.L2() };
        layer.Build(new Shape(3));
        var graph = new Graph(GraphMode.Inference);
        layer.Apply(graph.Input(new Shape(2, 3)));
        Assert.That(graph.Penalties, Is.Empty);
    }

    [Test]
    public void At_zero_the_gradient_is_zero()
    {
        var @case = new OpCase(
            "zero", [new OpInput("x", new Shape(3), (_, _) => [0, -0.0, 1])],
            values => values[0].Graph.Add(new PenaltyOp(1, 0), values), _ => [1]);
        using OpRun run = @case.Compile(One);
        run.Run();
        Assert.That(run.Gradients[0], Is.EqualTo(new[] { 0f, 0f, (float)OpCase.DrawUpstream(1)[0] }));
    }
}
