using FastNN.Kernels;
using FastNN.Ops;

namespace FastNN.Tests.Ops;

internal sealed class CrossEntropyTests : CpuOpFixture<CrossEntropyCases>
{
    [Test]
    public void Log_softmax_before_the_loss_is_fused_into_it()
    {
        var options = new CrossEntropyOptions(CrossEntropyInput.LogProbabilities, Reduction.Mean);
        OpCase logits = CrossEntropyCases.Case(
            options with { Input = CrossEntropyInput.Logits }, indices: true, new Shape(13, 10));
        var fused = new OpCase(
            "fused", [.. logits.Inputs],
            values => values[0].Graph.Add(new CrossEntropyOp(options), values[0].LogSoftmax(), values[1]), logits.Reference);
        using OpRun expected = logits.Compile(One);
        using OpRun actual = fused.Compile(One);
        expected.Run();
        actual.Run();
        Assert.That(actual.Graph.Plan.Nodes, Has.Count.EqualTo(1));
        Near.SameBits([expected.Output, .. expected.Gradients], [actual.Output, .. actual.Gradients]);
    }

    [Test]
    public void What_does_not_fit_is_named()
    {
        var graph = new Graph(GraphMode.Training);
        Value x = graph.Input(new Shape(4, 5));
        Value labels = graph.Input(new Shape(3), DType.Int32);
        Value fitting = graph.Input(new Shape(4), DType.Int32);
        var options = new CrossEntropyOptions(CrossEntropyInput.Logits, Reduction.Mean);
        Assert.That(
            () => graph.Add(new CrossEntropyOp(options), x, labels),
            Throws.TypeOf<ShapeException>().With.Message.Contains("CrossEntropy").And.Message.Contains(
                "[3]").And.Message.Contains("[4, 5]"));
        Assert.That(
            () => graph.Add(new CrossEntropyOp(options), x, fitting, graph.Input(new Shape(4))),
            Throws.TypeOf<ShapeException>().With.Message.Contains("class weights [4]"));
        Assert.That(
            () => graph.Add(new CrossEntropyOp(options with { LabelSmoothing = 1.5f }), x, fitting),
            Throws.TypeOf<ShapeException>().With.Message.Contains("a label smoothing in [0, 1]"));
        Assert.That(
            () => graph.Add(
                new CrossEntropyOp(options with { LabelSmoothing = 0.1f, Input = CrossEntropyInput.Probabilities }), x, fitting),
            Throws.TypeOf<ShapeException>().With.Message.Contains("label smoothing"));
    }
}
