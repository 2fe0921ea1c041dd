using FastNN.Ops;

namespace FastNN.Testing;

/// <summary>Normalizations, that of batches with its running statistics.</summary>
internal static class GoldenNormalizations
{
    public static Dictionary<string, Action<GoldenCase, Device>> All { get; } = new()
    {
        ["batchnorm"] = BatchNorm,
        ["layernorm"] = LayerNorm,
        ["rmsnorm"] = RMSNorm,
        ["groupnorm"] = GroupNorm,
        ["instancenorm"] = InstanceNorm,
    };

    private static void BatchNorm(GoldenCase golden, Device device)
    {
        golden.Attributes.Skip("num_features", "affine");
        bool training = golden.Attributes.Bool("training");
        var op = new BatchNormOp(training, golden.Attributes.Float("momentum"), golden.Attributes.Float("eps"));
        Port[] ports = [
            Channels(golden, "x"),
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

        Port y = Channels(golden, "y");
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

    private static void LayerNorm(GoldenCase golden, Device device)
    {
        int axes = golden.Attributes.Ints("normalized_shape").Length;
        float eps = golden.Attributes.Float("eps");
        golden.Attributes.Skip("affine", "bias");
        Plain(
            golden, device,
            values => values[0].LayerNorm(values.ElementAtOrDefault(1), values.ElementAtOrDefault(2), axes, eps));
    }

    private static void RMSNorm(GoldenCase golden, Device device)
    {
        int axes = golden.Attributes.Ints("normalized_shape").Length;
        float eps = golden.Attributes.Float("eps");
        golden.Attributes.Skip("affine");
        Plain(golden, device, values => values[0].RMSNorm(values.ElementAtOrDefault(1), axes, eps));
    }

    private static void GroupNorm(GoldenCase golden, Device device)
    {
        int groups = golden.Attributes.Int("num_groups");
        float eps = golden.Attributes.Float("eps");
        golden.Attributes.Skip("affine", "num_channels");
        OfChannels(
            golden, device,
            values => values[0].GroupNorm(groups, values.ElementAtOrDefault(1), values.ElementAtOrDefault(2), eps));
    }

    private static void InstanceNorm(GoldenCase golden, Device device)
    {
        float eps = golden.Attributes.Float("eps");
        golden.Attributes.Skip("affine", "num_features");
        if (golden.Attributes.Bool("track_running_stats"))
        {
            throw new UnsupportedCaseException("running statistics of an instance normalization");
        }

        OfChannels(
            golden, device, values => values[0].InstanceNorm(values.ElementAtOrDefault(1), values.ElementAtOrDefault(2), eps));
    }

    private static void Plain(GoldenCase golden, Device device, Func<Value[], Value> build) =>
        Run(golden, device, Port.Plain(golden, "x"), Port.Plain(golden, "y"), build);

    private static void OfChannels(GoldenCase golden, Device device, Func<Value[], Value> build) =>
        Run(golden, device, Channels(golden, "x"), Channels(golden, "y"), build);

    private static void Run(GoldenCase golden, Device device, Port x, Port y, Func<Value[], Value> build) =>
        GoldenRunner.RunOperator(
            golden, device, [x, .. new[] { "weight", "bias" }.Where(golden.Has).Select(name => Port.Plain(golden, name))], y,
            build);

    /// <summary>Channels, axis 1 in files, are last here.</summary>
    private static Port Channels(GoldenCase golden, string name) =>
        golden.ShapeOf(name).Length > 2 ? Port.Classes(golden, name, 1) : Port.Plain(golden, name);
}
