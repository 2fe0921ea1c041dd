using FastNN.Onnx.Model;

namespace FastNN.Onnx.Passes;

/// <summary>Types, shapes and integers of a node's outputs, of those of its inputs; what is not listed stays unknown.</summary>
internal static class Inference
{
    // Shapes have no more axes.
    private const long MostFilled = 16;

    private static readonly HashSet<string> Relations = new(StringComparer.Ordinal)
    {
        "Equal", "Less", "LessOrEqual", "Greater", "GreaterOrEqual", "And", "Or", "Xor", "Not", "IsNaN", "IsInf",
    };

    private static readonly HashSet<string> Binary = new(StringComparer.Ordinal)
    {
        "Add", "Sub", "Mul", "Div", "Pow", "Min", "Max", "Mod", "PRelu", "Sum", "Mean", "Equal", "Less", "LessOrEqual", "Greater",
        "GreaterOrEqual", "And", "Or", "Xor", "Where",
    };

    // The first output is as the first input, in type and shape.
    private static readonly HashSet<string> Alike = new(StringComparer.Ordinal)
    {
        "Abs", "Acos", "Acosh", "Asin", "Asinh", "Atan", "Atanh", "Ceil", "Cos", "Cosh", "Erf", "Exp", "Floor", "HardSwish", "Log",
        "Mish", "Neg", "Reciprocal", "Relu", "Round", "Sigmoid", "Sign", "Sin", "Sinh", "Softplus", "Softsign", "Sqrt", "Tan",
        "Tanh", "LeakyRelu", "Elu", "Celu", "Selu", "HardSigmoid", "ThresholdedRelu", "Gelu", "Swish", "Clip", "Identity",
        "Dropout", "Softmax", "LogSoftmax", "Hardmax", "BatchNormalization", "LayerNormalization", "InstanceNormalization",
        "GroupNormalization", "RMSNormalization", "LpNormalization", "MeanVarianceNormalization", "LRN", "CumSum", "Trilu",
        "RotaryEmbedding", "Shrink", "PRelu", "ScatterND", "ScatterElements",
    };

    // The first output has the first input's type.
    private static readonly HashSet<string> SameType = new(StringComparer.Ordinal)
    {
        "Add", "Sub", "Mul", "Div", "Pow", "Min", "Max", "Mod", "Sum", "Mean", "MatMul", "Gemm", "Conv", "ConvTranspose", "MaxPool",
        "AveragePool", "GlobalAveragePool", "GlobalMaxPool", "Reshape", "Flatten", "Squeeze", "Unsqueeze", "Transpose", "Concat",
        "Split", "Slice", "Expand", "Tile", "Gather", "GatherND", "GatherElements", "Pad", "Resize", "Upsample", "DepthToSpace",
        "SpaceToDepth", "ReduceSum", "ReduceMean", "ReduceMax", "ReduceMin", "ReduceProd", "ReduceL1", "ReduceL2",
        "ReduceSumSquare", "ReduceLogSum", "ReduceLogSumExp", "LSTM", "GRU", "RNN", "Attention", "Einsum", "Range",
    };

    public static OnnxElementType TypeOf(
        PassGraph graph, NodeDef node, OnnxElementType first, string second, Func<string, OnnxElementType> typeOf) =>
        node.Operator switch
        {
            "MaxPool" when node.Outputs.Count > 1 => OnnxElementType.Undefined,
            "Dropout" when node.Outputs.Count > 1 => OnnxElementType.Undefined,
            "Shape" or "Size" or "ArgMax" or "ArgMin" or "NonZero" => OnnxElementType.Int64,
            "Cast" => node.Attributes.GetValueOrDefault("to") is { Kind: AttributeKind.Int } to
                ? (OnnxElementType)to.Int
                : OnnxElementType.Undefined,
            "Where" => typeOf(second),
            "Constant" => graph.Constant(node.Outputs[0])?.ElementType ?? OnnxElementType.Undefined,
            "ConstantOfShape" => node.Attributes.GetValueOrDefault("value") is { Tensor: { } value }
                ? value.Type
                : OnnxElementType.Float32,
            _ => Relations.Contains(node.Operator) ? OnnxElementType.Bool
                : Alike.Contains(node.Operator) || SameType.Contains(node.Operator) ? first
                : OnnxElementType.Undefined,
        };

    public static DimensionDef[]?[] DimsOf(PassGraph graph, PassShapes shapes, NodeDef node)
    {
        DimensionDef[]?[] inputs = [.. node.Inputs.Select(name => name.Length == 0 ? null : shapes.Dims(name))];
        string output = node.Outputs.Count > 0 ? node.Outputs[0] : "";
        DimensionDef[]? x = inputs.Length > 0 ? inputs[0] : null;
        if (Binary.Contains(node.Operator) && !node.Attributes.ContainsKey("axis"))
        {
            DimensionDef[]? all = x;
            for (int i = 1; i < inputs.Length && all is not null; i++)
            {
                all = inputs[i] is { } next ? Extents.Broadcast(all, next, output) : null;
            }

            return [all];
        }

        if (Alike.Contains(node.Operator) || node.Operator == "Cast")
        {
            return [x];
        }

        return node.Operator switch
        {
            "Constant" => [graph.Constant(output) is { } value ? Extents.Known([.. value.Dims.Select(extent => (long)extent)])
                : null],
            "Shape" => [x is null || node.Attributes.Count > 0 ? null : [Extents.Known(x.Length)]],
            "ConstantOfShape" or "Expand" => [Filled(shapes, node, x, output)],
            "MatMul" => [Product(inputs, output)],
            "Gemm" => [Gemm(node, inputs)],
            "Conv" => [Conv(graph, node, x, output)],
            "MaxPool" or "AveragePool" => [x is { Length: > 2 } ? Pooled(node, x, output) : null],
            "GlobalAveragePool" or "GlobalMaxPool" =>
                [x is null ? null : [.. x.Select((extent, axis) => axis < 2 ? extent : Extents.Known(1))]],
            "Attention" => [x is { Length: 4 } && inputs[2] is { Length: 4 } v ? [x[0], x[1], x[2], v[3]] : null],
            "LSTM" or "GRU" => Recurrent(node, x, inputs),
            "Split" => Split(graph, node, x),
            _ => [x is null && node.Operator != "Reshape" ? null : MovedShapes.Of(graph, shapes, node, inputs, output)],
        };
    }

    private static DimensionDef[]? Filled(PassShapes shapes, NodeDef node, DimensionDef[]? x, string output)
    {
        string shape = node.Inputs[^1];
        DimensionDef[]? wanted = shapes.Integers(shape)
            ?? (shapes.Dims(shape) is [{ IsKnown: true, Value: < 16 and var rank }] ? MovedShapes.Unknown((int)rank, output)
                : null);
        wanted = wanted is null ? null
            : [.. wanted.Select((extent, axis) => Extents.IsComputed(extent) ? Extents.Unknown(output, axis) : extent)];
        if (wanted is not null && Array.Exists(wanted, extent => extent is { Value: < 0, Symbol: null }))
        {
            return null;
        }

        return node.Operator == "ConstantOfShape" ? wanted
            : wanted is not null && x is not null ? Extents.Broadcast(x, wanted, output) : null;
    }

    private static DimensionDef[]? Product(DimensionDef[]?[] inputs, string output)
    {
        if (inputs is not [{ Length: >= 2 } a, { Length: >= 2 } b])
        {
            return null;
        }

        return [.. Extents.Broadcast(a[..^2], b[..^2], output), a[^2], b[^1]];
    }

    private static DimensionDef[]? Gemm(NodeDef node, DimensionDef[]?[] inputs) =>
        inputs is [{ Length: 2 } a, { Length: 2 } b, ..]
            ? [a[PassGraph.Int(node, "transA", 0) == 0 ? 0 : 1], b[PassGraph.Int(node, "transB", 0) == 0 ? 1 : 0]]
            : null;

    private static DimensionDef[]? Conv(PassGraph graph, NodeDef node, DimensionDef[]? x, string output)
    {
        if (x is not { Length: > 2 } || node.Inputs.Count < 2 || graph.ConstantDims(node.Inputs[1]) is not { } weight
            || weight.Count != x.Length)
        {
            return null;
        }

        DimensionDef[] dims = Windowed(node, x, [.. weight.Skip(2)], output);
        dims[1] = Extents.Known(weight[0]);
        return dims;
    }

    private static DimensionDef[]? Pooled(NodeDef node, DimensionDef[] x, string output) =>
        node.Attributes.GetValueOrDefault("kernel_shape") is { Kind: AttributeKind.Ints } kernel
            && kernel.Ints.Count == x.Length - 2
            ? Windowed(node, x, kernel.Ints, output)
            : null;

    private static DimensionDef[] Windowed(NodeDef node, DimensionDef[] x, List<long> kernel, string output)
    {
        long At(string name, int index, long otherwise) => node.Attributes.GetValueOrDefault(name) is { Ints: var list }
            && index < list.Count ? list[index] : otherwise;
        bool plain = PassGraph.Text(node, "auto_pad", "NOTSET") == "NOTSET" && PassGraph.Int(node, "ceil_mode", 0) == 0;
        var dims = (DimensionDef[])x.Clone();
        for (int i = 0; i < kernel.Count; i++)
        {
            long stride = At("strides", i, 1), size = ((kernel[i] - 1) * At("dilations", i, 1)) + 1;
            long room = x[i + 2].Value + At("pads", i, 0) + At("pads", i + kernel.Count, 0) - size;
            dims[i + 2] = plain && x[i + 2].IsKnown && room >= 0 && stride > 0 ? Extents.Known((room / stride) + 1)
                : Extents.Unknown(output, i + 2);
        }

        return dims;
    }

    private static DimensionDef[]?[] Recurrent(NodeDef node, DimensionDef[]? x, DimensionDef[]?[] inputs)
    {
        if (x is not { Length: 3 } || inputs.Length < 3 || inputs[2] is not { Length: 3 } r || PassGraph.Int(node, "layout",
            0) != 0)
        {
            return [null];
        }

        DimensionDef[] last = [r[0], x[1], r[2]];
        return [[x[0], r[0], x[1], r[2]], last, last];
    }

    private static DimensionDef[]?[] Split(PassGraph graph, NodeDef node, DimensionDef[]? x)
    {
        long axis = PassGraph.Int(node, "axis", 0);
        if (x is null || axis < -x.Length || axis >= x.Length)
        {
            return [null];
        }

        int at = (int)(axis < 0 ? axis + x.Length : axis);
        long[]? sizes = graph.Longs(node, graph.Opset(node) >= 13 ? 1 : -1, "split");
        bool given = sizes is not null || node.Inputs.Count > 1 || node.Attributes.ContainsKey("split");
        return [.. node.Outputs.Select((output, i) =>
        {
            var dims = (DimensionDef[])x.Clone();
            dims[at] = sizes is not null && i < sizes.Length ? Extents.Known(sizes[i])
                : !given && x[at].IsKnown && x[at].Value % node.Outputs.Count == 0
                    ? Extents.Known(x[at].Value / node.Outputs.Count)
                    : Extents.Unknown(output, at);
            return dims;
        })];
    }

    /// <summary>The integers of a node's first output, for shape arithmetic.</summary>
    public static DimensionDef[]? IntegersOf(PassGraph graph, PassShapes shapes, NodeDef node)
    {
        if (node.Outputs.Count == 0 || node.Inputs.Count == 0)
        {
            return null;
        }

        if (node.Operator == "Shape")
        {
            return node.Attributes.Count == 0 ? shapes.Dims(node.Inputs[0]) : null;
        }

        if (node.Operator == "ConstantOfShape")
        {
            return shapes.Integers(node.Inputs[0]) is [{ Symbol: null, Value: >= 0 and <= MostFilled and var count }]
                && node.Attributes.GetValueOrDefault("value") is { Tensor: { Type: OnnxElementType.Int64 } value }
                ? [.. Enumerable.Repeat(Extents.Known(graph.Decode(value).Array<long>()[0]), (int)count)]
                : null;
        }

        if (node.Operator == "Where")
        {
            return Chosen(graph, shapes, node);
        }

        if (node.Operator == "Concat")
        {
            // A part of one element that is not known stands for itself.
            DimensionDef[]?[] parts = [.. node.Inputs.Select(input => shapes.Integers(input)
                ?? (shapes.Dims(input) is [{ Value: 1 }] ? new[] { Extents.Computed(input) } : null))];
            return Array.TrueForAll(parts, part => part is not null) && node.Inputs.All(input => shapes.Rank(input) == 1)
                ? [.. parts.SelectMany(part => part!)]
                : null;
        }

        if (shapes.Integers(node.Inputs[0]) is not { } x)
        {
            return null;
        }

        switch (node.Operator)
        {
            case "Unsqueeze" when shapes.Rank(node.Inputs[0]) == 0:
            case "Squeeze" when x.Length == 1:
            case "Identity":
            case "Cast" when PassGraph.Int(node, "to", 0) == (long)OnnxElementType.Int64:
            case "Reshape" when x.Length == 1 && shapes.Dims(node.Outputs[0]) is { Length: <= 1 }:
                return x;
            case "Gather" when shapes.Integers(node.Inputs[1]) is { } places && shapes.Rank(node.Inputs[1]) <= 1
                && Array.TrueForAll(places, place => place.Symbol is null && place.Value >= -x.Length && place.Value < x.Length):
                return Array.ConvertAll(places, place => x[place.Value < 0 ? place.Value + x.Length : place.Value]);
            case "Slice" when graph.Longs(node, 1, "starts") is [var start] && graph.Longs(node, 2, "ends") is [var end]
                && (node.Inputs.Count < 5 || graph.Longs(node, 4, "steps") is [1]):
                int from = (int)Math.Clamp(start < 0 ? start + x.Length : start, 0, x.Length);
                int to = (int)Math.Clamp(end < 0 ? end + x.Length : end, from, x.Length);
                return x[from..to];
            case "Add" or "Sub" or "Mul" or "Div" when shapes.Integers(node.Inputs[1]) is { } y
                && (x.Length == y.Length || x.Length == 1 || y.Length == 1):
                var result = new DimensionDef[Math.Max(x.Length, y.Length)];
                for (int i = 0; i < result.Length; i++)
                {
                    if (Apply(node.Operator, x[x.Length == 1 ? 0 : i], y[y.Length == 1 ? 0 : i]) is not { } value)
                    {
                        return null;
                    }

                    result[i] = value;
                }

                return result;
            default:
                return null;
        }
    }

    /// <summary>What exporters write of an expansion that keeps extents: 1 where the wanted one is -1, else the wanted
    /// one.</summary>
    private static DimensionDef[]? Chosen(PassGraph graph, PassShapes shapes, NodeDef node)
    {
        if (graph.Producer(node, 0, "Equal") is not { } equal || shapes.Integers(equal.Inputs[0]) is not { } a
            || shapes.Integers(equal.Inputs[1]) is not { } b || shapes.Integers(node.Inputs[1]) is not { } yes
            || shapes.Integers(node.Inputs[2]) is not { } no || a.Length != no.Length || yes.Length != no.Length
            || (b.Length != a.Length && b.Length != 1))
        {
            return null;
        }

        var chosen = new DimensionDef[no.Length];
        for (int i = 0; i < chosen.Length; i++)
        {
            DimensionDef x = a[i], y = b[b.Length == 1 ? 0 : i];

            // An extent is no negative number; what was computed may be any.
            bool differ = x.Symbol is null ? y.Symbol is null ? x.Value != y.Value : x.Value < 0 && !Extents.IsComputed(y)
                : y is { Symbol: null, Value: < 0 } && !Extents.IsComputed(x);
            if (!differ && (x.Symbol is not null || y.Symbol is not null))
            {
                return null;
            }

            chosen[i] = differ ? no[i] : yes[i];
        }

        return chosen;
    }

    private static DimensionDef? Apply(string name, DimensionDef x, DimensionDef y)
    {
        if (x.Symbol is not null || y.Symbol is not null)
        {
            return (name, x, y) switch
            {
                ("Mul" or "Div", _, { Symbol: null, Value: 1 }) or ("Add" or "Sub", _, { Symbol: null, Value: 0 }) => x,
                ("Mul", { Symbol: null, Value: 1 }, _) or ("Add", { Symbol: null, Value: 0 }, _) => y,
                _ => null,
            };
        }

        return name switch
        {
            "Add" => new DimensionDef(x.Value + y.Value, null),
            "Sub" => new DimensionDef(x.Value - y.Value, null),
            "Mul" => new DimensionDef(x.Value * y.Value, null),
            _ => y.Value == 0 ? null : new DimensionDef(x.Value / y.Value, null),
        };
    }
}
