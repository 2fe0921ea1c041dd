namespace FastNN.Testing;

/// <summary>Operators that move and select elements, and reductions.</summary>
internal static class GoldenShapes
{
    public static Dictionary<string, Action<GoldenCase, Device>> All { get; } = new()
    {
        ["transpose"] = Transpose,
        ["permute"] = Permute,
        ["slice"] = Slice,
        ["split"] = Split,
        ["stack"] = Stack,
        ["where"] = Where,
        ["matmul"] = MatMul,
        ["embedding"] = Embedding,
        ["argmax"] = (golden, device) => Place(golden, device, (x, axis, keep) => x.ArgMax(axis, keep)),
        ["argmin"] = (golden, device) => Place(golden, device, (x, axis, keep) => x.ArgMin(axis, keep)),
        ["reduce_max"] = (golden, device) => Reduce(golden, device, (x, axes, keep) => x.Max(axes, keep)),
        ["reduce_min"] = (golden, device) => Reduce(golden, device, (x, axes, keep) => x.Min(axes, keep)),
        ["sum"] = (golden, device) => Reduce(golden, device, (x, axes, keep) => x.Sum(axes, keep)),
        ["mean"] = (golden, device) => Reduce(golden, device, (x, axes, keep) => x.Mean(axes, keep)),
        ["prod"] = (golden, device) => Reduce(golden, device, (x, axes, keep) => x.Prod(axes, keep)),
        ["cumsum"] = (golden, device) =>
        {
            int axis = golden.Attributes.Int("axis");
            Unary(golden, device, x => x.CumSum(axis));
        },
        ["logsumexp"] = (golden, device) => Reduce(golden, device, (x, axes, keep) => x.LogSumExp(axes, keep)),
        ["var"] = (golden, device) => Spread(golden, device, (x, axes, keep, correction) => x.Variance(axes, keep, correction)),
        ["std"] = (golden, device) => Spread(
            golden, device, (x, axes, keep, correction) => x.StandardDeviation(axes, keep, correction)),
    };

    private static void Unary(GoldenCase golden, Device device, Func<Value, Value> build) =>
        GoldenRunner.RunOperator(golden, device, [Port.Plain(golden, "x")], Port.Plain(golden, "y"), values => build(values[0]));

    private static void Transpose(GoldenCase golden, Device device)
    {
        (int first, int second) = (golden.Attributes.Int("axis0"), golden.Attributes.Int("axis1"));
        Unary(golden, device, x => x.Transpose(first, second));
    }

    private static void Permute(GoldenCase golden, Device device)
    {
        int[] axes = golden.Attributes.Ints("axes");
        Unary(golden, device, x => x.Permute(axes));
    }

    private static void Slice(GoldenCase golden, Device device)
    {
        (int axis, int start) = (golden.Attributes.Int("axis"), golden.Attributes.Int("start"));
        (int end, int step) = (golden.Attributes.Int("end"), golden.Attributes.Int("step"));
        Unary(golden, device, x => x.Slice(axis, start, end, step));
    }

    private static void Split(GoldenCase golden, Device device)
    {
        int axis = golden.Attributes.Int("axis");
        int[] sizes = golden.Attributes.Ints("sizes");
        Port[] outputs = [.. sizes.Select((_, i) => Port.Plain(golden, $"y{i}"))];
        GoldenRunner.RunOperator(golden, device, Port.Plain(golden, "x"), outputs, x => x.Split(axis, sizes));
    }

    private static void Stack(GoldenCase golden, Device device)
    {
        int axis = golden.Attributes.Int("axis");
        Port[] inputs = [.. Enumerable.Range(0, golden.Attributes.Int("inputs")).Select(i => Port.Plain(golden, $"x{i}"))];
        GoldenRunner.RunOperator(golden, device, inputs, Port.Plain(golden, "y"), values => ShapeOperators.Stack(axis, values));
    }

    private static void Where(GoldenCase golden, Device device)
    {
        Port[] inputs = [Port.Plain(golden, "condition"), Port.Plain(golden, "x0"), Port.Plain(golden, "x1")];
        GoldenRunner.RunOperator(
            golden, device, inputs, Port.Plain(golden, "y"),
            values => ShapeOperators.Where(values[0].Cast(DType.Bool), values[1], values[2]));
    }

    /// <summary>Indices, which are exact; an Int64 of this size is exact as a float, too.</summary>
    private static void Place(GoldenCase golden, Device device, Func<Value, int, bool, Value> build)
    {
        (int axis, bool keep) = (golden.Attributes.Int("axis"), golden.Attributes.Bool("keepdim"));
        var graph = new Graph(GraphMode.Inference);
        Port input = Port.Plain(golden, "x");
        Value x = graph.Input(input.EngineShape), y = build(x, axis, keep);
        Value readable = y.Cast(DType.Float32);
        using var run = new GraphRun(device.Implementation, graph, [readable], null, []);
        GoldenRunner.Set(run, x, golden, input);
        run.Run();
        var stored = new Shape(golden.ShapeOf("y"));
        if (y.Shape != stored)
        {
            throw new GoldenMismatchException($"{golden.Name}: y has shape {y.Shape}, {stored} stored");
        }

        golden.CompareExactly("y", Array.ConvertAll(run.Read(readable), value => (long)value));
    }

    private static void Reduce(GoldenCase golden, Device device, Func<Value, int[], bool, Value> build)
    {
        int[] axes = golden.Attributes.IsNull("axes") ? [] : golden.Attributes.Ints("axes");
        golden.Attributes.Skip("axes");
        bool keep = golden.Attributes.Bool("keepdim");
        Unary(golden, device, x => build(x, axes, keep));
    }

    private static void Spread(GoldenCase golden, Device device, Func<Value, int[], bool, int, Value> build)
    {
        int correction = golden.Attributes.Int("correction");
        Reduce(golden, device, (x, axes, keep) => build(x, axes, keep, correction));
    }

    private static void MatMul(GoldenCase golden, Device device)
    {
        (bool transposeA, bool transposeB) = (golden.Attributes.Bool("transpose_a"), golden.Attributes.Bool("transpose_b"));
        Port[] inputs = [Port.Plain(golden, "x0"), Port.Plain(golden, "x1")];
        GoldenRunner.RunOperator(
            golden, device, inputs, Port.Plain(golden, "y"), values => values[0].MatMul(values[1], transposeA, transposeB));
    }

    private static void Embedding(GoldenCase golden, Device device)
    {
        golden.Attributes.Skip("num_embeddings", "embedding_dim");
        int padding = golden.Attributes.IsNull("padding_idx") ? -1 : golden.Attributes.Int("padding_idx");
        golden.Attributes.Skip("padding_idx");
        Port[] inputs = [Port.Plain(golden, "x"), Port.Plain(golden, "weight")];
        GoldenRunner.RunOperator(
            golden, device, inputs, Port.Plain(golden, "y"), values => values[0].Embedding(values[1], padding));
    }
}
