namespace FastNN.Testing;

/// <summary>Recurrent networks, run as the layers that users write.</summary>
internal static class GoldenSequences
{
    public static Dictionary<string, Action<GoldenCase, Device>> All { get; } = new()
    {
        ["rnn_tanh"] = (golden, device) => Recurrent(golden, device, "hn"),
        ["rnn_relu"] = (golden, device) => Recurrent(golden, device, "hn"),
        ["lstm"] = (golden, device) => Recurrent(golden, device, "hn", "cn"),
        ["gru"] = (golden, device) => Recurrent(golden, device, "hn"),
    };

    /// <summary>Files have states as [layers * directions, B, H]; the layers have the batch axis first.</summary>
    private static void Recurrent(GoldenCase golden, Device device, params string[] states)
    {
        RecurrentLayer layer = LayerOf(golden);
        Port x = Port.Plain(golden, "x"), y = Port.Plain(golden, "y");
        Port State(string name) => new(name, golden.ShapeOf(name), [1, 0, 2]);
        Port[] first = [.. new[] { "h0", "c0" }.Where(golden.Has).Select(State)], last = Array.ConvertAll(states, State);
        layer.Build(x.EngineShape.DropFirst());
        foreach ((string name, Parameter parameter) in layer.NamedParameters)
        {
            var values = new float[parameter.Count];
            parameter.Layout.FromFile(parameter.Shape, golden.Floats(name), values);
            parameter.Write(values);
        }

        var graph = new Graph(GraphMode.Training);
        Value[] inputs = [.. new[] { x }.Concat(first).Select(port => graph.Input(port.EngineShape))];
        Value[] outputs = [.. layer.Apply(inputs)];
        Value root = Operators.Concat(0, Array.ConvertAll(outputs, value => value.Reshape(new Shape((int)value.Shape.Count))));
        using var run = new GraphRun(device.Implementation, graph, outputs, root, inputs, [.. layer.Parameters]);
        for (int i = 0; i < inputs.Length; i++)
        {
            GoldenRunner.Set(run, inputs[i], golden, i == 0 ? x : first[i - 1]);
        }

        Port[] ports = [y, .. last];
        run.SetRootGradient([.. ports.SelectMany(port => port.ToEngine(golden.Floats("d" + port.Name)))]);
        run.Run();
        for (int i = 0; i < ports.Length; i++)
        {
            golden.Compare(ports[i].Name, ports[i].ToFile(run.Read(outputs[i])));
        }

        golden.Compare("dx", run.Gradient(inputs[0]));
        for (int i = 0; i < first.Length; i++)
        {
            golden.Compare("d" + first[i].Name, first[i].ToFile(run.Gradient(inputs[i + 1])));
        }

        foreach ((string name, Parameter parameter) in layer.NamedParameters)
        {
            var file = new float[parameter.Count];
            parameter.Layout.ToFile(parameter.Shape, run.Gradient(parameter), file);
            golden.Compare("d" + name, file);
        }
    }

    private static RecurrentLayer LayerOf(GoldenCase golden)
    {
        Attributes attributes = golden.Attributes;
        attributes.Skip("input_size");
        attributes.Require("batch_first", "True");
        attributes.Require("dropout", "0");
        attributes.Require("initial_state", golden.Has("h0") ? "given" : "zeros");
        int units = attributes.Int("hidden_size"), layers = attributes.Int("num_layers");
        bool both = attributes.Bool("bidirectional"), bias = attributes.Bool("bias");
        return golden.Op switch
        {
            "lstm" => new Lstm(units) { LayerCount = layers, IsBidirectional = both, UseBias = bias, ReturnStates = true },
            "gru" => new Gru(units) { LayerCount = layers, IsBidirectional = both, UseBias = bias, ReturnStates = true },
            _ =>
                new SimpleRnn(units, golden.Op == "rnn_relu" ? Activation.ReLU : Activation.Tanh)
                {
                    LayerCount = layers,
                    IsBidirectional = both,
                    UseBias = bias,
                    ReturnStates = true,
                },
        };
    }
}
