using FastNN.Graphs;

namespace FastNN.Tests.Graphs;

/// <summary>
/// What a recording can hold: several outputs, constants, one value twice, symbols for extents, passes that keep every bit.
/// </summary>
internal sealed class RecordingTests : DeviceFixture
{
    private static readonly float[] Six = [1, -2, 3, -4, 5, -6];

    [Test]
    public void Both_outputs_of_an_operator_can_be_used_and_differentiated()
    {
        var graph = new Graph(GraphMode.Training);
        Value x = graph.Input([1, 6]);
        Value[] halves = new SplitHalves().ApplyAll(x);
        Value y = halves[0] * halves[1];
        using var run = new GraphRun(One, graph, [y], y, [x]);
        run.Set(x, Six);
        run.Run();
        Assert.That(run.Read(y), Is.EqualTo(new float[] { -4, -10, -18 }));
        Assert.That(run.Gradient(x), Is.EqualTo(new float[] { -4, 5, -6, 1, -2, 3 }));
    }

    [Test]
    public void An_output_that_nobody_uses_gets_no_gradient()
    {
        var graph = new Graph(GraphMode.Training);
        Value x = graph.Input([1, 6]);
        Value y = new SplitHalves().ApplyAll(x)[1].Sigmoid();
        using var run = new GraphRun(One, graph, [y], y, [x]);
        run.Set(x, Six);
        run.Run();
        Assert.That(run.Gradient(x)[..3], Is.All.EqualTo(0));
        Assert.That(run.Gradient(x)[3..], Is.All.GreaterThan(0));
    }

    [Test]
    public void One_value_may_be_both_inputs_of_an_operator()
    {
        var graph = new Graph(GraphMode.Training);
        Value x = graph.Input([6]);
        Value y = (x.Tanh() is var t ? t * t : t).Reshape([2, 3]);
        using var run = new GraphRun(One, graph, [y], y, [x]);
        run.Set(x, Six);
        run.Run();
        Assert.That(
            run.Gradient(x), Is.EqualTo(Six.Select(v => 2 * MathF.Tanh(v) * (1 - (MathF.Tanh(v) * MathF.Tanh(v))))).Within(1e-6));
    }

    [Test]
    public void Constants_are_values_of_a_graph()
    {
        var graph = new Graph(GraphMode.Training);
        Value x = graph.Input([2, 3]);
        Value y = (x * graph.Constant([1, 10, 100], [3])) + graph.Constant(0.5f);
        using var run = new GraphRun(One, graph, [y], y, [x]);
        run.Set(x, Six);
        run.Run();
        Assert.That(run.Read(y), Is.EqualTo(new[] { 1.5f, -19.5f, 300.5f, -3.5f, 50.5f, -599.5f }));
        Assert.That(run.Gradient(x), Is.EqualTo(new float[] { 1, 10, 100, 1, 10, 100 }));
    }

    [Test]
    public void A_constant_of_another_length_than_its_shape_is_refused() => Assert.That(
        () => new Graph(GraphMode.Training).Constant([1f, 2], [3]),
        Throws.TypeOf<ShapeException>().With.Message.Contains("expected 3 values"));

    [Test]
    public void A_recording_with_symbols_is_planned_for_every_size([Values(1, 2, 5, 64, 96)] int batch)
    {
        var graph = new Graph(GraphMode.Inference);
        Value x = graph.Input([Dim.Batch, 8, 8, 3]);
        Value pooled = x.MaxPool2D((2, 2));
        Value y = pooled.Reshape([x.Shape[0], 16, 3]).Softmax().Flatten();
        Assert.That(y.Shape.ToString(), Is.EqualTo("[N, 48]"));
        Assert.That(PlanOf(graph, y, x, [batch, 8, 8, 3]).Values[y].Type.Shape, Is.EqualTo(new Shape(batch, 48)));
    }

    [Test]
    public void An_extent_that_an_operator_makes_of_a_symbol_is_a_symbol_of_its_own()
    {
        var graph = new Graph(GraphMode.Inference);
        Value x = graph.Input([1, Dim.Named("rows"), 10, 2]);
        Value pooled = x.MaxPool2D((3, 3), stride: (2, 2));
        Assert.That(pooled.Shape[2], Is.EqualTo(4));
        Assert.That(Dim.IsSymbol(pooled.Shape[1]) && pooled.Shape[1] != x.Shape[1]);

        // The derived symbol may be handed on like any other.
        Value y = pooled.Reshape([pooled.Shape[1], 8]);
        Assert.That(PlanOf(graph, y, x, [1, 31, 10, 2]).Values[y].Type.Shape, Is.EqualTo(new Shape(15, 8)));
    }

    [Test]
    public void Two_symbols_stay_apart_and_the_same_one_is_the_same()
    {
        var graph = new Graph(GraphMode.Inference);
        Value a = graph.Input([Dim.Batch, Dim.Named("T")]), b = graph.Input([Dim.Batch, Dim.Named("T")]);
        Assert.That((a + b).Shape, Is.EqualTo(a.Shape));
        Value other = graph.Input([Dim.Batch, Dim.Named("U")]);
        Assert.That(() => a + other, Throws.TypeOf<ShapeException>().With.Message.Contains("Add"));
    }

    [Test]
    public void Numbers_that_do_not_fit_the_symbols_are_refused()
    {
        var graph = new Graph(GraphMode.Inference);
        Value x = graph.Input([Dim.Batch, 3]);
        Value y = x.Sigmoid();
        Assert.That(
            () => PlanOf(graph, y, x, [2, 4]),
            Throws.TypeOf<ShapeException>().With.Message.Contains("expected shape [N, 3], got [2, 4]"));
        Assert.That(
            () => Compiler.Compile(One, graph, [y]),
            Throws.TypeOf<ShapeException>().With.Message.Contains("N of [N, 3] has no number"));
        Assert.That(() => x.Shape.Count, Throws.TypeOf<ShapeException>().With.Message.Contains("symbolic"));
    }

    [Test]
    public void What_is_recorded_twice_is_computed_once_in_inference_only([Values] GraphMode mode)
    {
        var graph = new Graph(mode);
        Value x = graph.Input([6]);
        Value y = x.Tanh() + x.Tanh();
        Plan plan = mode == GraphMode.Training ? Compiler.Compile(One, graph, [y], y, x) : Compiler.Compile(One, graph, [y]);
        Assert.That(plan.Nodes, Has.Count.EqualTo(mode == GraphMode.Training ? 3 : 2));
    }

    [Test]
    public void An_operator_of_the_wrong_element_type_is_refused_when_it_is_recorded()
    {
        var graph = new Graph(GraphMode.Training);
        Value bytes = graph.Input([4, 4], DType.UInt8);
        Assert.That(
            () => bytes.Softmax(),
            Throws.TypeOf<ShapeException>().With.Message.Contains("Softmax").And.Message.Contains("UInt8[4, 4]"));
        Assert.That(() => bytes.ReLU(), Throws.TypeOf<ShapeException>());
        Assert.That(() => bytes + bytes, Throws.TypeOf<ShapeException>());
        Assert.That(() => graph.Input([3], (DType)99), Throws.TypeOf<ArgumentOutOfRangeException>().With.Message.Contains("99"));
    }

    [Test]
    public void Every_element_type_has_its_own_size_and_names()
    {
        Assert.That(DTypes.All.ToArray(), Is.EqualTo(Enum.GetValues<DType>()));
        Assert.That(DTypes.All.ToArray().Select(type => type.Size()), Is.EqualTo(new[] { 4, 2, 2, 8, 1, 1, 4, 8, 1 }));
        Assert.That(DTypes.All.ToArray().Select(type => type.Traits().Safetensors), Is.Unique);
        Assert.That(DTypes.All.ToArray().Select(type => type.Traits().Onnx), Is.Unique);
    }

    [Test]
    public void A_users_operator_that_lies_about_what_backward_reads_is_told()
    {
        var graph = new Graph(GraphMode.Training);
        Value x = graph.Input([6]);
        Value y = new Forgetful().Apply(x).Sigmoid();
        using var run = new GraphRun(One, graph, [y], y, [x]);
        run.Set(x, Six);
        Assert.That(run.Run, Throws.InvalidOperationException.With.Message.Contains("Forgetful: BackwardReadsInput(0) is false"));
    }

    private Plan PlanOf(Graph graph, Value y, Value x, Shape shape)
    {
        var symbols = new SymbolValues();
        symbols.Bind(x.Shape, shape, "x");
        return Compiler.Compile(One, graph, symbols, [y]);
    }

    private sealed class Forgetful : CustomOperator
    {
        public override string Name => "Forgetful";

        public override TensorType[] Infer(ReadOnlySpan<TensorType> inputs) => [inputs[0]];

        public override bool BackwardReadsInput(int input) => false;

        public override void Forward(ForwardPass pass) => pass.Input(0).CopyTo(pass.Output());

        public override void Backward(BackwardPass pass) => pass.InputGradient(0)[0] += pass.Input(0)[0];
    }
}
