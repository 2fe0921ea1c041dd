using FastNN.Ops;

namespace FastNN.Testing;

/// <summary>Batch normalization with its running statistics.</summary>
internal static class GoldenNormalizations
{
    public static Dictionary<string, Action<GoldenCase, Device>> All { get; } = new()
    {
        ["batchnorm"] = BatchNorm,
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
}
