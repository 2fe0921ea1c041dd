using FastNN.Kernels;
using FastNN.Ops;
using FastNN.Tests.Reference;

namespace FastNN.Tests.Ops;

internal sealed class CrossEntropyTests : OpFixture<CrossEntropyTests>, IOpCases
{
    public static IEnumerable<OpCase> Cases
    {
        get
        {
            foreach (CrossEntropyInput input in Enum.GetValues<CrossEntropyInput>())
            {
                foreach (Reduction reduction in Enum.GetValues<Reduction>())
                {
                    foreach (bool indices in new[] { true, false })
                    {
                        yield return Case(new CrossEntropyOptions(input, reduction), indices, new Shape(7, 10));
                        yield return Case(new CrossEntropyOptions(input, reduction), indices, new Shape(13, 17), weights: true);
                    }

                    yield return Case(new CrossEntropyOptions(input, reduction, IgnoreIndex: 2), indices: true, new Shape(13, 7), weights: true);
                    yield return Case(new CrossEntropyOptions(input, reduction), indices: true, new Shape(13, 5), ignored: -100);
                }
            }

            foreach (Reduction reduction in Enum.GetValues<Reduction>())
            {
                var smooth = new CrossEntropyOptions(CrossEntropyInput.Logits, reduction, LabelSmoothing: 0.1f);
                yield return Case(smooth, indices: true, new Shape(7, 10));
                yield return Case(smooth, indices: false, new Shape(7, 10));
                yield return Case(smooth, indices: true, new Shape(31, 13), weights: true, ignored: -100);
                yield return Case(smooth, indices: false, new Shape(3, 13), weights: true);
                yield return Case(smooth with { LabelSmoothing = 1 }, indices: true, new Shape(3, 7));
            }

            var plain = new CrossEntropyOptions(CrossEntropyInput.Logits, Reduction.Mean);
            foreach (int classes in new[] { 1, 2, 3, 7, 13, 17, 31, 33, 129 })
            {
                yield return Case(plain, indices: true, new Shape(33, classes));
                yield return Case(plain, indices: false, new Shape(3, classes));
            }

            yield return Case(plain, indices: true, new Shape(1, 10));
            yield return Case(plain, indices: true, new Shape(10));
            yield return Case(plain, indices: true, new Shape(2, 3, 5, 7), weights: true);
            yield return Case(plain, indices: true, new Shape(1031, 67), ignored: -100);
            yield return Case(plain, indices: true, new Shape(5, 6), range: 300);
        }
    }

    [Test]
    public void Log_softmax_before_the_loss_is_fused_into_it()
    {
        var options = new CrossEntropyOptions(CrossEntropyInput.LogProbabilities, Reduction.Mean);
        OpCase logits = Case(options with { Input = CrossEntropyInput.Logits }, indices: true, new Shape(13, 10));
        var fused = new OpCase(
            "fused", [.. logits.Inputs], values => values[0].Graph.Add(new CrossEntropyOp(options), values[0].LogSoftmax(), values[1]), logits.Reference);
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
            Throws.TypeOf<ShapeException>().With.Message.Contains("CrossEntropy").And.Message.Contains("[3]").And.Message.Contains("[4, 5]"));
        Assert.That(
            () => graph.Add(new CrossEntropyOp(options), x, fitting, graph.Input(new Shape(4))),
            Throws.TypeOf<ShapeException>().With.Message.Contains("class weights [4]"));
        Assert.That(
            () => graph.Add(new CrossEntropyOp(options with { LabelSmoothing = 1.5f }), x, fitting),
            Throws.TypeOf<ShapeException>().With.Message.Contains("label smoothing 1.5"));
        Assert.That(
            () => graph.Add(new CrossEntropyOp(options with { LabelSmoothing = 0.1f, Input = CrossEntropyInput.Probabilities }), x, fitting),
            Throws.TypeOf<ShapeException>().With.Message.Contains("label smoothing"));
    }

    private static OpCase Case(
        CrossEntropyOptions options, bool indices, Shape x, bool weights = false, int? ignored = null, double range = 3)
    {
        int classes = x[-1];
        var rows = new Shape(x.ToArray().AsSpan(..^1));
        List<OpInput> inputs =
        [
            options.Input switch
            {
                CrossEntropyInput.Logits => OpInput.Uniform("x", x, -range, range),
                CrossEntropyInput.LogProbabilities => OpInput.Uniform("x", x, -3, -0.1),
                _ => OpInput.Uniform("x", x, 0.05, 0.95),
            },
            indices ? OpInput.Classes("targets", rows, classes, ignored) : OpInput.Probabilities("targets", x).Constant(),
        ];
        if (weights)
        {
            inputs.Add(OpInput.Uniform("weights", new Shape(classes), 0.2, 2).Constant());
        }

        (double[] Loss, double[] Gradient) Run(double[][] values, double[]? dLoss)
        {
            var loss = new double[options.Reduction == Reduction.None ? rows.Count : 1];
            var gradient = new double[values[0].Length];
            CrossEntropyReference.Run(
                options, values[0], classes, indices ? Array.ConvertAll(values[1], value => (int)value) : [], indices ? [] : values[1],
                weights ? values[2] : [], loss, dLoss ?? new double[loss.Length], gradient);
            return (loss, gradient);
        }

        string name = $"{options.Input} {options.Reduction} {(indices ? "indices" : "probabilities")} {x}{(weights ? " weights" : "")}" +
            $"{(ignored is null && options.IgnoreIndex == -100 ? "" : " ignore")}{(options.LabelSmoothing == 0 ? "" : $" smoothing {options.LabelSmoothing}")}" +
            $"{(range == 3 ? "" : " large")}";
        return new OpCase(name, [.. inputs], values => values[0].Graph.Add(new CrossEntropyOp(options), values), values => Run(values, null).Loss)
        {
            ReferenceBackward = (values, dY) => [Run(values, dY).Gradient, null, null],
        };
    }
}
