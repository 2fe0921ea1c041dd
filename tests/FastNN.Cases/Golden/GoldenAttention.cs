namespace FastNN.Testing;

/// <summary>
/// Attention: the operator, and layers with PyTorch's parameters. Where a case has the weights, the layer runs once more without
/// giving them, which is another way through the engine.
/// </summary>
internal static class GoldenAttention
{
    public static Dictionary<string, Action<GoldenCase, Device>> All { get; } = new()
    {
        ["scaled_dot_product_attention"] = Operator,
        ["multihead_attention"] = MultiHead,
        ["transformer_encoder_layer"] = EncoderLayer,
        ["trace_tiny_gpt"] = Train,
    };

    private static void Operator(GoldenCase golden, Device device)
    {
        CausalMask causal = golden.Attributes.Bool("is_causal") ? CausalMask.UpperLeft : CausalMask.None;
        string mask = golden.Attributes.String("mask");
        float scale = golden.Attributes.Float("scale");
        golden.Attributes.Require("dropout", "0");
        Port[] inputs = [
            .. new[] { "query", "key", "value", "attn_mask" }.Where(golden.Has).Select(name => Port.Plain(golden, name))];
        GoldenRunner.RunOperator(
            golden, device, inputs, Port.Plain(golden, "y"),
            values => values[0].ScaledDotProductAttention(
                values[1], values[2], mask == "none" ? null : Mask(values[3]), causal, scale));
    }

    private static void MultiHead(GoldenCase golden, Device device)
    {
        Attributes attributes = golden.Attributes;
        (int width, int heads) = (attributes.Int("embed_dim"), attributes.Int("num_heads"));
        string mask = attributes.String("mask");
        (bool bias, bool averages) = (attributes.Bool("bias"), attributes.Bool("average_attn_weights"));
        string[] inputs = attributes.Bool("self_attention") ? ["x"] : ["query", "key", "value"];
        attributes.Skip("kdim", "vdim");
        attributes.Require("batch_first", "True");
        foreach (bool gives in new[] { true, false })
        {
            // The causal mask is a tensor of the case, and an option of the layer.
            bool byOption = mask == "causal" && !gives;
            var layer = new MultiHeadAttention(width, heads)
            {
                UseBias = bias,
                GivesWeights = gives,
                AveragesWeights = averages,
                Causal = byOption ? CausalMask.UpperLeft : CausalMask.None,
                HasMask = golden.Has("attn_mask") && !byOption,
                HasKeyPaddingMask = golden.Has("key_padding_mask"),
            };
            Run(
                golden, device, layer,
                [
                    .. inputs, .. layer.HasMask ? (string[])["attn_mask"] : [],
                    .. layer.HasKeyPaddingMask ? (string[])["key_padding_mask"] : []],
                gives ? ["y", "attn_weights"] : ["y"]);
        }
    }

    private static void EncoderLayer(GoldenCase golden, Device device)
    {
        Attributes attributes = golden.Attributes;
        attributes.Require("batch_first", "True");
        var layer = new TransformerEncoderLayer(
            attributes.Int("d_model"), attributes.Int("nhead"), attributes.Int("dim_feedforward"))
        {
            Activation = attributes.String("activation") switch
            {
                "relu" => Activation.ReLU,
                "gelu" => Activation.Gelu,
                var other => throw new UnsupportedCaseException($"activation = {other}"),
            },
            NormFirst = attributes.Bool("norm_first"),
            Epsilon = attributes.Float("layer_norm_eps"),
            Dropout = attributes.Float("dropout"),
            Causal = attributes.Bool("is_causal") ? CausalMask.UpperLeft : CausalMask.None,
        };
        Run(golden, device, layer, ["x"], ["y"]);
    }

    /// <summary>A language model's training: losses, the first logits and the last weights.</summary>
    private static void Train(GoldenCase golden, Device device)
    {
        Attributes attributes = golden.Attributes;
        (int vocabulary, int context, int batch) = (attributes.Int("vocab"), attributes.Int("context"), attributes.Int("batch"));
        (int batches, int steps) = (attributes.Int("batches"), attributes.Int("steps"));
        var network = new Gpt(
            vocabulary, attributes.Int("d_model"), attributes.Int("blocks"), attributes.Int("heads"), context);
        attributes.Skip("layers", "head", "qkv");
        attributes.Require("gelu", "none");
        attributes.Require("layer_norm_eps", "1E-05");
        attributes.Require("loss", "cross_entropy mean over all positions");
        attributes.Require("clip_grad_norm", "");
        Optimizer optimizer = GoldenOptimizers.Create(attributes.String("optimizer"), attributes);
        Symbol tokens = Model.Input("x", new Shape(context), DType.Int32);
        new Model(tokens, network.Apply(tokens)).Build();
        foreach ((string name, Parameter parameter) in network.NamedParameters)
        {
            var values = new float[parameter.Count];
            parameter.Layout.FromFile(parameter.Shape, golden.Floats("init." + name), values);
            parameter.Write(values);
        }

        using (var weights = new DeviceWeights(device, network))
        using (var step = new TrainingStep(
            weights,
            s =>
            {
                Value logits = network.Apply(s.Input("x", [batch, context], DType.Int32));
                s.Output("logits", logits);
                s.Loss(
                    "loss",
                    Loss.SparseCrossEntropy.Apply(
                        logits.Reshape([batch * context, vocabulary]), s.Input("target", [batch * context], DType.Int32)));
            },
            [(optimizer, network.Parameters)]))
        {
            int[] x = golden.Integers("x"), targets = golden.Integers("target");
            var losses = new float[steps];
            for (int i = 0; i < steps; i++)
            {
                Range part = (i % batches * batch * context)..(((i % batches) + 1) * batch * context);
                step.Begin([batch, context], [batch * context]);
                step.Write("x", x[part]);
                step.Write("target", targets[part]);
                losses[i] = step.Run();
                if (i == 0)
                {
                    var first = new float[batch * context * vocabulary];
                    step.Read("logits", first);
                    golden.Compare("y_first", first);
                }
            }

            golden.Compare("loss", losses);
        }

        foreach ((string name, Parameter parameter) in network.NamedParameters)
        {
            float[] engine = new float[parameter.Count], file = new float[parameter.Count];
            parameter.Read(engine);
            parameter.Layout.ToFile(parameter.Shape, engine, file);
            golden.Compare("final." + name, file);
        }
    }

    /// <summary>Runs a layer with the parameters of the case, and compares outputs and every gradient that it has.</summary>
    private static void Run(GoldenCase golden, Device device, MultiInputLayer layer, string[] names, string[] outputNames)
    {
        var graph = new Graph(GraphMode.Training);
        Port[] ports = Array.ConvertAll(names, name => Port.Plain(golden, name));
        Value[] inputs = Array.ConvertAll(
            ports, port => graph.Input(port.EngineShape, golden.IsInteger(port.Name) ? DType.Int32 : DType.Float32));
        IReadOnlyList<Value> outputs = layer.Apply([.. inputs.Select(Mask)]);
        foreach ((string name, Parameter parameter) in layer.NamedParameters)
        {
            var values = new float[parameter.Count];
            parameter.Layout.FromFile(parameter.Shape, golden.Floats(name), values);
            parameter.Write(values);
        }

        int[] wanted = [.. Enumerable.Range(0, ports.Length).Where(i => golden.Has("d" + names[i]))];
        using var run = new GraphRun(
            device.Implementation, graph, [.. outputs], outputs[0], [.. wanted.Select(i => inputs[i])], [.. layer.Parameters]);
        for (int i = 0; i < ports.Length; i++)
        {
            GoldenRunner.Set(run, inputs[i], golden, ports[i]);
        }

        run.SetRootGradient(golden.Floats("dy"));
        run.Run();
        for (int i = 0; i < outputNames.Length; i++)
        {
            golden.Compare(outputNames[i], run.Read(outputs[i]));
        }

        foreach (int i in wanted)
        {
            golden.Compare("d" + names[i], run.Gradient(inputs[i]));
        }

        foreach ((string name, Parameter parameter) in layer.NamedParameters)
        {
            var gradient = new float[parameter.Count];
            parameter.Layout.ToFile(parameter.Shape, run.Gradient(parameter), gradient);
            golden.Compare("d" + name, gradient);
        }
    }

    /// <summary>Masks of integers say what may be seen.</summary>
    private static Value Mask(Value value) => value.Type == DType.Int32 ? value.Cast(DType.Bool) : value;
}
