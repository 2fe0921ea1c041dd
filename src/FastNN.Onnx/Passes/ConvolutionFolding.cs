using FastNN.Onnx.Model;

namespace FastNN.Onnx.Passes;

/// <summary>
/// Lets a convolution with constant weights take what stands behind it and acts on each channel alike: batch normalization, and
/// additions and multiplications by constants; and zeros that a Pad puts in front of it.
/// </summary>
internal sealed class ConvolutionFolding : IOnnxPass
{
    public string Name => "convolutions";

    public string Does => "folds batch normalization, additions, multiplications and padding into convolutions";

    public void Run(PassGraph graph, PassNotes notes)
    {
        foreach (NodeDef node in graph.Nodes)
        {
            NodeDef? conv = node;
            while (conv is not null && graph.IsLive(conv) && (graph.Is(conv, "Conv") || graph.Is(conv, "ConvTranspose")))
            {
                conv = Behind(graph, conv, notes) ?? (graph.Is(conv, "Conv") ? Padding(graph, conv, notes) : null);
            }
        }
    }

    /// <summary>Folds the node behind a convolution; null where it cannot.</summary>
    private static NodeDef? Behind(PassGraph graph, NodeDef conv, PassNotes notes)
    {
        string output = conv.Outputs[0];
        bool isTransposed = conv.Operator == "ConvTranspose";
        if (!graph.IsReadOnce(output) || graph.ConstantDims(conv.Inputs[1]) is not { Count: > 2 } dims
            || (conv.Inputs.Count > 2 && conv.Inputs[2].Length > 0 && !graph.IsConstant(conv.Inputs[2]))
            || (isTransposed && PassGraph.Int(conv, "group", 1) != 1))
        {
            return null;
        }

        NodeDef next = graph.Consumers(output)[0];
        int channels = (int)dims[isTransposed ? 1 : 0], rank = dims.Count;
        if (Channelwise.Of(graph, next, output, channels, rank) is not { } change
            || graph.Floats(conv, 1) is not { } weight || (Channelwise.Bias(graph, conv) is not { } bias && conv.Inputs.Count > 2
            && conv.Inputs[2].Length > 0))
        {
            return null;
        }

        float[] shift = Channelwise.Bias(graph, conv)?.Array<float>() ?? new float[channels];
        if (shift.Length != channels)
        {
            return null;
        }

        notes.Add(next);
        float[] scaled = change.Scales ? Scaled(weight, change.Factors, isTransposed) : weight.Array<float>();
        var moved = new float[channels];
        for (int c = 0; c < channels; c++)
        {
            moved[c] = (float)(((double)shift[c] * change.Factors[c]) + change.Shifts[c]);
        }

        string filters = change.Scales
            ? graph.AddConstant(new OnnxTensor(OnnxElementType.Float32, weight.Dims, scaled), conv.Inputs[1])
            : conv.Inputs[1];
        string b = graph.AddConstant(OnnxTensor.Create(moved, channels), $"{output}_bias");
        NodeDef folded = graph.Add(
            conv.Operator, graph.Opset(conv), [conv.Inputs[0], filters, b], [next.Outputs[0]], conv, [.. conv.Attributes.Values]);
        graph.RemoveWithInputs(next);
        return folded;
    }

    /// <summary>Each filter by its factor: the first axis of a convolution's weights, the second of a transposed one's.</summary>
    private static float[] Scaled(OnnxTensor weight, double[] factors, bool isTransposed)
    {
        float[] from = weight.Array<float>(), to = new float[from.Length];
        int channels = factors.Length, outer = isTransposed ? weight.Dims[0] : 1;
        int each = to.Length / Math.Max(1, channels * outer);
        for (int i = 0, place = 0; place < to.Length; i++, place += each)
        {
            var factor = (float)factors[i % channels];
            System.Numerics.Tensors.TensorPrimitives.Multiply(from.AsSpan(place, each), factor, to.AsSpan(place, each));
        }

        return to;
    }

    private static NodeDef? Padding(PassGraph graph, NodeDef conv, PassNotes notes)
    {
        if (graph.Producer(conv, 0, "Pad") is not { } pad || !graph.IsReadOnce(conv.Inputs[0])
            || PassGraph.Text(pad, "mode", "constant") != "constant" || PassGraph.Text(conv, "auto_pad", "NOTSET") != "NOTSET"
            || pad.Inputs.Count > 3 || graph.ConstantDims(conv.Inputs[1]) is not { Count: > 2 and var rank })
        {
            return null;
        }

        bool old = graph.Opset(pad) < 11;
        float? value = old ? PassGraph.Float(pad, "value", 0)
            : pad.Inputs.Count > 2 && pad.Inputs[2].Length > 0 ? graph.Scalar(pad, 2) : 0;
        if (value != 0 || graph.Longs(pad, old ? -1 : 1, "pads") is not { } pads || pads.Length != 2 * rank
            || Array.Exists(pads, amount => amount < 0) || pads[0] != 0 || pads[1] != 0 || pads[rank] != 0 || pads[rank + 1] != 0)
        {
            return null;
        }

        notes.Add(pad);
        List<long>? present = conv.Attributes.GetValueOrDefault("pads")?.Ints;
        var all = new long[2 * (rank - 2)];
        for (int i = 0; i < all.Length; i++)
        {
            int from = i < rank - 2 ? i + 2 : i - (rank - 2) + rank + 2;
            all[i] = pads[from] + (present is not null && i < present.Count ? present[i] : 0);
        }

        graph.SetInput(conv, 0, pad.Inputs[0]);
        graph.RemoveWithInputs(pad);
        conv.Attributes["pads"] = InitializerDef.Ints("pads", all);
        return conv;
    }
}

/// <summary>y = factor x + shift, for each channel.</summary>
/// <param name="Factors">A factor for each channel.</param>
/// <param name="Shifts">A shift for each channel.</param>
/// <param name="Scales">Whether a factor may be other than 1.</param>
internal sealed record Channelwise(double[] Factors, double[] Shifts, bool Scales)
{
    /// <summary>The constant bias of a Conv or Gemm; null where it has none that is constant.</summary>
    public static OnnxTensor? Bias(PassGraph graph, NodeDef node) => graph.Floats(node, 2);

    /// <summary>What a node does to each channel of one of its inputs; null where it does something else.</summary>
    /// <param name="graph">The graph.</param>
    /// <param name="node">The node.</param>
    /// <param name="input">Which input it is about.</param>
    /// <param name="channels">How many channels that has.</param>
    /// <param name="rank">How many axes it has; channels are the second of them.</param>
    public static Channelwise? Of(PassGraph graph, NodeDef node, string input, int channels, int rank)
    {
        if (!graph.IsPlain(node))
        {
            return null;
        }

        if (node.Operator == "BatchNormalization")
        {
            return node.Inputs[0] == input ? OfBatch(graph, node, channels) : null;
        }

        if (node.Operator is not ("Add" or "Sub" or "Mul" or "Div") || node.Inputs.Count != 2
            || node.Attributes.ContainsKey("axis") || node.Attributes.ContainsKey("broadcast"))
        {
            return null;
        }

        int at = node.Inputs[0] == input ? 0 : 1;
        if (at == 1 && node.Operator == "Div")
        {
            return null;
        }

        return PerChannel(graph, node, 1 - at, channels, rank) is { } values ? Of(node.Operator, at, values) : null;
    }

    private static Channelwise Of(string name, int at, double[] values)
    {
        double[] ones = Array.ConvertAll(values, _ => 1.0), zeros = new double[values.Length];
        return name switch
        {
            "Add" => new Channelwise(ones, values, false),
            "Sub" when at == 0 => new Channelwise(ones, Array.ConvertAll(values, value => -value), false),
            "Sub" => new Channelwise(Array.ConvertAll(values, _ => -1.0), values, true),
            "Mul" => new Channelwise(values, zeros, true),
            _ => new Channelwise(Array.ConvertAll(values, value => 1 / value), zeros, true),
        };
    }

    /// <summary>A constant of one element or one per channel, the channels in their axis; null for others.</summary>
    private static double[]? PerChannel(PassGraph graph, NodeDef node, int input, int channels, int rank)
    {
        if (graph.ConstantDims(node.Inputs[input]) is not { } dims || dims.Count > rank)
        {
            return null;
        }

        long count = dims.Aggregate(1L, (product, extent) => product * extent);
        bool perChannel = count == channels && dims.Count >= rank - 1 && dims[^(rank - 1)] == channels;
        if ((count != 1 && !perChannel) || graph.Floats(node, input) is not { } values)
        {
            return null;
        }

        var result = new double[channels];
        for (int c = 0; c < channels; c++)
        {
            result[c] = values.Array<float>()[count == 1 ? 0 : c];
        }

        return result;
    }

    private static Channelwise? OfBatch(PassGraph graph, NodeDef node, int channels)
    {
        if (PassGraph.Int(node, "training_mode", 0) != 0 || node.Outputs.Skip(1).Any(output => output.Length > 0)
            || (graph.Opset(node) < 7 && PassGraph.Int(node, "is_test", 0) == 0) || PassGraph.Int(node, "spatial", 1) == 0)
        {
            return null;
        }

        float[]?[] parts = [.. Enumerable.Range(1, 4).Select(i => graph.Floats(node, i)?.Array<float>())];
        if (Array.Exists(parts, part => part?.Length != channels))
        {
            return null;
        }

        double epsilon = PassGraph.Float(node, "epsilon", 1e-5f);
        double[] factors = new double[channels], shifts = new double[channels];
        for (int c = 0; c < channels; c++)
        {
            factors[c] = parts[0]![c] / Math.Sqrt(parts[3]![c] + epsilon);
            shifts[c] = parts[1]![c] - (parts[2]![c] * factors[c]);
        }

        return new Channelwise(factors, shifts, true);
    }
}
