using FastNN.Ops;

namespace FastNN.Testing;

/// <summary>
/// Batch normalization with its running statistics, and attention as a user writes it from products, masks and a softmax.
/// </summary>
internal static class GoldenNormalizations
{
    public static Dictionary<string, Action<GoldenCase, Device>> All { get; } = new()
    {
        ["batchnorm"] = BatchNorm,
        ["scaled_dot_product_attention"] = Attention,
    };

    private static void BatchNorm(GoldenCase golden, Device device)
    {
        golden.Attributes.Skip("num_features", "affine");
        bool training = golden.Attributes.Bool("training");
        var op = new BatchNormOp(training, golden.Attributes.Float("momentum"), golden.Attributes.Float("eps"));
        Port Channels(string name) => golden.ShapeOf(name).Length switch
        {
            4 => Port.Image(golden, name),
            3 => Port.Classes(golden, name, 1),
            _ => Port.Plain(golden, name),
        };

        Port[] ports = [
            Channels("x"),
            .. new[] { "running_mean", "running_var", "weight", "bias" }.Where(golden.Has).Select(
                name => Port.Plain(golden, name))];
        var graph = new Graph(GraphMode.Training);
        Value[] values = Array.ConvertAll(ports, port => graph.Input(port.EngineShape));
        Value[] outputs = graph.AddNode(op, values);
        int[] wanted = [.. Enumerable.Range(0, ports.Length).Where(i => golden.Has("d" + ports[i].Name))];
        using var run = new GraphRun(device.Implementation, graph, outputs, outputs[0], [.. wanted.Select(i => values[i])]);
        for (int i = 0; i < ports.Length; i++)
        {
            GoldenRunner.Set(run, values[i], golden, ports[i]);
        }

        Port y = Channels("y");
        run.SetRootGradient(y.ToEngine(golden.Floats("dy")));
        run.Run();
        golden.Compare("y", y.ToFile(run.Read(outputs[0])));
        golden.Compare("running_mean_after", training ? run.Read(outputs[1]) : golden.Floats("running_mean"));
        golden.Compare("running_var_after", training ? run.Read(outputs[2]) : golden.Floats("running_var"));
        foreach (int i in wanted)
        {
            golden.Compare("d" + ports[i].Name, ports[i].ToFile(run.Gradient(values[i])));
        }
    }

    private static void Attention(GoldenCase golden, Device device)
    {
        bool causal = golden.Attributes.Bool("is_causal");
        string mask = golden.Attributes.String("mask");
        float scale = golden.Attributes.Float("scale");
        golden.Attributes.Require("dropout", "0");
        Port[] inputs = [
            .. new[] { "query", "key", "value", "attn_mask" }.Where(golden.Has).Select(name => Port.Plain(golden, name))];
        GoldenRunner.RunOperator(golden, device, inputs, Port.Plain(golden, "y"), values =>
        {
            Graph graph = values[0].Graph;
            Value scores = values[0].MatMul(values[1], transposeB: true) * graph.Constant(scale),
            never = graph.Constant(float.NegativeInfinity);
            if (causal)
            {
                (int rows, int columns) = (scores.Shape[-2], scores.Shape[-1]);
                float[] allowed = [.. Enumerable.Range(0, rows * columns).Select(i => i % columns <= i / columns ? 1f : 0f)];
                scores = ShapeOperators.Where(graph.Constant(allowed, new Shape(rows, columns)).Cast(DType.Bool), scores, never);
            }

            scores = mask switch
            {
                "bool" => ShapeOperators.Where(values[3].Cast(DType.Bool), scores, never),
                "float" => scores + values[3],
                _ => scores,
            };
            return scores.Softmax().MatMul(values[2]);
        });
    }
}
