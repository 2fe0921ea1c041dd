using FastNN.Functions;

namespace FastNN.Tests.Ops;

internal sealed class ElementwiseTests : CpuOpFixture<ElementwiseCases>
{
    [Test]
    public void A_value_times_itself_has_twice_its_gradient([Values(1, 13, 129)] int size)
    {
        var @case = new OpCase(
            "x * x + x", [OpInput.Uniform("x", new Shape(size))], values => (values[0] * values[0]) + values[0],
            values => Array.ConvertAll(values[0], x => (x * x) + x));
        using OpRun run = @case.Compile(Two);
        run.Run();
        double[] x = @case.Draw()[0];
        double[] dY = OpCase.DrawUpstream(size);
        Near.Check("y", run.Output, @case.Reference([x]), 1e-6);
        Near.Check("dx", run.Gradients[0], [.. x.Zip(dY, (value, upstream) => upstream * ((2 * value) + 1))], 1e-6);
    }

    /// <summary>C's fmod, Python's %, and both with infinities and zeros, where they are PyTorch's.</summary>
    [Test]
    public void Remainders_have_the_sign_of_the_dividend_or_of_the_divisor()
    {
        float infinity = float.PositiveInfinity;
        float[] a = [7, -7, 7, -7, 6, -6, 5.5f, -1, 1, infinity, 3, 1e7f, -0.3f, 0, float.NaN];
        float[] b = [3, 3, -3, -3, 3, 3, 0.25f, infinity, -infinity, 3, 0, 3, 0.1f, 2, 2];
        Assert.That(Of(a, b, (x, y) => x.Fmod(y)), Is.EqualTo(a.Zip(b, (x, y) => x % y)).Within(1e-7));
        Assert.That(
            Of(a, b, (x, y) => x % y),
            Is.EqualTo(a.Zip(b, (x, y) => x % y is var rest && rest != 0 && rest < 0 != y < 0 ? rest + y : rest)).Within(1e-7));
    }

    [Test]
    public void Angles_and_lengths_at_the_axes_and_at_infinity_are_those_of_C()
    {
        float infinity = float.PositiveInfinity;
        float[] a = [0, -0f, 0, -0f, 1, -1, 0, 0, infinity, infinity, -infinity, 1, -1, 3e38f, 1e-38f, float.NaN];
        float[] b = [0, 0, -0f, -0f, 0, -0f, 2, -2, infinity, -infinity, -infinity, -infinity, infinity, 3e38f, -1e-38f, 1];
        float[] angles = Of(a, b, (y, x) => y.Atan2(x)), lengths = Of(a, b, (y, x) => y.Hypot(x));
        for (int i = 0; i < a.Length; i++)
        {
            float angle = (float)Math.Atan2(a[i], b[i]);
            Assert.That(angles[i], Is.EqualTo(angle).Within(3e-7), $"{a[i]}, {b[i]}");
            Assert.That(float.IsNegative(angles[i]) == float.IsNegative(angle) || float.IsNaN(angle), $"{a[i]}, {b[i]}");
            double length = Math.Sqrt(((double)a[i] * a[i]) + ((double)b[i] * b[i]));
            Assert.That(
                lengths[i],
                float.IsNaN(a[i]) ? Is.NaN : Is.EqualTo((float)length).Within(2e-7 * Math.Min(length, 1e30)), $"{a[i]}, {b[i]}");
        }
    }

    [Test]
    public void Bits_of_integers()
    {
        var graph = new Graph(GraphMode.Inference);
        Value x = graph.Input(new Shape(4), DType.Int32);
        Value[] integers =
            [x.BitwiseNot(), x.BitwiseAnd(6), x.BitwiseOr(1), x.BitwiseXor(3), x.ShiftLeft(4), x.ShiftRight(1)];
        Value[] results = Array.ConvertAll(integers, y => y.Cast(DType.Float32));
        using var run = new GraphRun(One, graph, results, null, []);
        run.Set(x, [0, 5, -1, 1000]);
        run.Upload();
        run.Forward();
        Assert.That(results.Select(run.Read), Is.EqualTo(new float[][]
        {
            [-1, -6, 0, -1001], [0, 4, 6, 1000 & 6], [1, 5, -1, 1001], [3, 6, -4, 1000 ^ 3], [0, 80, -16, 16_000],
            [0, 2, -1, 500],
        }));
        Assert.That(
            () => x.ShiftLeft(32), Throws.TypeOf<ArgumentOutOfRangeException>().With.Message.Contains("ShiftLeft"));
        Assert.That(
            () => graph.Input(new Shape(2)).BitwiseAnd(1),
            Throws.TypeOf<ShapeException>().With.Message.Contains("BitwiseAnd").And.Message.Contains("Int32"));
        Assert.That(() => x.BitwiseOr(int.MaxValue), Throws.TypeOf<ShapeException>().With.Message.Contains("2^24"));
    }

    private float[] Of(float[] a, float[] b, Func<Value, Value, Value> build)
    {
        var graph = new Graph(GraphMode.Inference);
        Value first = graph.Input(new Shape(a.Length)), second = graph.Input(new Shape(b.Length)), y = build(first, second);
        using var run = new GraphRun(One, graph, [y], null, []);
        run.Set(first, a);
        run.Set(second, b);
        run.Upload();
        run.Forward();
        return run.Read(y);
    }

    [Test]
    public void Shapes_that_do_not_broadcast_are_named()
    {
        var graph = new Graph(GraphMode.Training);
        Value a = graph.Input(new Shape(2, 3, 4));
        Value b = graph.Input(new Shape(2, 4));
        Assert.That(
            () => a + b,
            Throws.TypeOf<ShapeException>().With.Message.Contains("Add").And.Message.Contains("[2, 3, 4]").And.Message.Contains(
                "[2, 4]"));
        Assert.That(() => b * a, Throws.TypeOf<ShapeException>().With.Message.Contains("Multiply"));
    }

    [Test]
    public void Values_of_two_graphs_do_not_mix()
    {
        Value a = new Graph(GraphMode.Training).Input(new Shape(2));
        Value b = new Graph(GraphMode.Training).Input(new Shape(2));
        Assert.That(() => a + b, Throws.TypeOf<ArgumentException>().With.Message.Contains("another graph"));
    }

    [Test]
    public void Any_two_shapes_broadcast_as_the_reference_does() => Property.Check(100, (int seed, int extents) =>
    {
        uint pattern = RandomProgram.Mix(seed) >> 16;
        // Four axes; two bits of the pattern say for each axis whether a or b repeats along it, and higher bits cut leading axes
        // off.
        var random = new Random(extents);
        int[] full = [.. Enumerable.Range(0, 4).Select(_ => random.Next(1, 6))];
        int[] a = [.. full.Select((extent, axis) => (pattern >> (2 * axis) & 3) == 1 ? 1 : extent)];
        int[] b = [.. full.Select((extent, axis) => (pattern >> (2 * axis) & 3) == 2 ? 1 : extent)];
        OpCase @case = ElementwiseCases.Case(
            FunctionTable.Binary[(int)(pattern >> 12) % 7], new Shape(a.AsSpan((int)(pattern >> 8 & 3))),
            new Shape(b.AsSpan((int)(pattern >> 10 & 3))));
        Forward_and_backward_equal_the_double_reference(@case);
    });

    [Test]
    public void NaN_reaches_what_it_must()
    {
        float nan = float.NaN;
        float[] a = [nan, 1, nan, 2], b = [1, nan, nan, 2];
        Assert.That(Run(a, b, (x, y) => x.Minimum(y)), Is.EqualTo(new[] { nan, nan, nan, 2 }));
        Assert.That(Run(a, b, (x, y) => x.Maximum(y)), Is.EqualTo(new[] { nan, nan, nan, 2 }));
        Assert.That(Run(a, b, (x, y) => x.NotEqual(y)), Is.EqualTo(new float[] { 1, 1, 1, 0 }));
        foreach (Func<Value, Value, Value> build in new Func<Value, Value, Value>[] { (x, y) => x.Equal(y), (x, y) => x <= y, (
            x, y) => x >= y })
        {
            Assert.That(Run(a, b, build), Is.EqualTo(new float[] { 0, 0, 0, 1 }));
        }

        Assert.That(Run(a, b, (x, y) => (x < y) | (x > y)), Is.EqualTo(new float[] { 0, 0, 0, 0 }));
        Assert.That(Run(a, b, (x, y) => !(x >= y)), Is.EqualTo(new float[] { 1, 1, 1, 0 }));
    }

    [Test]
    public void Equal_operands_share_the_gradient_of_the_larger()
    {
        var graph = new Graph(GraphMode.Training);
        Value a = graph.Input([3]), b = graph.Input([3]), y = a.Maximum(b);
        using var run = new GraphRun(Two, graph, [y], y, [a, b]);
        run.Set(a, [1, 2, 3]);
        run.Set(b, [3, 2, 1]);
        run.SetRootGradient([8, 8, 8]);
        run.Run();
        Assert.That(run.Gradient(a), Is.EqualTo(new float[] { 0, 4, 8 }));
        Assert.That(run.Gradient(b), Is.EqualTo(new float[] { 8, 4, 0 }));
    }

    [Test]
    public void A_quotient_is_rounded_once()
    {
        float[] a = [.. Enumerable.Range(1, 1000).Select(i => i / 7f)],
        b = [.. Enumerable.Range(1, 1000).Select(i => (1001 - i) / 3f)];
        Assert.That(Run(a, b, (x, y) => x / y), Is.EqualTo(a.Zip(b, (x, y) => x / y)));
        Assert.That(Run(a, b, (x, _) => x / 3f), Is.EqualTo(a.Select(x => x / 3f)));
        Assert.That(Run(a, b, (x, _) => 3f / x), Is.EqualTo(a.Select(x => 3f / x)));
    }

    [Test]
    public void A_comparison_chooses_a_branch()
    {
        float[] x = [-2, -0.5f, 0, 0.5f, 3], y = [1, 2, 3, 4, 5];
        Assert.That(
            Run(x, y, (a, b) => ShapeOperators.Where((a > -1f) & (a < 1f), a, b)), Is.EqualTo(new[] { 1, -0.5f, 0, 0.5f, 5 }));
    }

    [Test]
    public void A_number_is_no_node_of_its_own()
    {
        var graph = new Graph(GraphMode.Training);
        Value x = graph.Input([4]);
        int before = graph.Nodes.Count;
        _ = 2f - (x * 3f);
        Assert.That(graph.Nodes.Count - before, Is.EqualTo(2));
    }

    [Test]
    public void Types_that_a_function_does_not_take_are_named()
    {
        var graph = new Graph(GraphMode.Training);
        Value floats = graph.Input([3]), integers = graph.Input([3], DType.Int32), truths = graph.Input([3], DType.Bool);
        Assert.That(
            () => floats & floats,
            Throws.TypeOf<ShapeException>().With.Message.Contains("And: expected input 0 of type Bool, got Float32[3]"));
        Assert.That(() => truths + truths, Throws.TypeOf<ShapeException>().With.Message.Contains("Float32 or Int32"));
        Assert.That(() => integers / integers, Throws.TypeOf<ShapeException>().With.Message.Contains("Divide"));
        Assert.That(() => floats * integers, Throws.TypeOf<ShapeException>().With.Message.Contains("one type"));
        Assert.That(() => integers + 0.5f, Throws.TypeOf<ShapeException>().With.Message.Contains("an integer"));
    }

    private float[] Run(float[] a, float[] b, Func<Value, Value, Value> build)
    {
        var graph = new Graph(GraphMode.Inference);
        Value x = graph.Input([a.Length]), y = graph.Input([b.Length]), result = build(x, y).Cast(DType.Float32);
        using var run = new GraphRun(Two, graph, [result], null, []);
        run.Set(x, a);
        run.Set(y, b);
        run.Upload();
        run.Forward();
        return run.Read(result);
    }
}
