using FastNN.Onnx.Model;

namespace FastNN.Onnx.Passes;

/// <summary>
/// Makes Gemm of a product of matrices and the addition behind it, and lets the constant weights of a product take scales in
/// front
/// of it or behind it, and batch normalization.
/// </summary>
internal sealed class ProductFolding : IOnnxPass
{
    private const long GemmOpset = 11;

    public string Name => "products";

    public string Does => "makes Gemm of MatMul and Add, folds scales and batch normalization into weights";

    public void Run(PassGraph graph, PassNotes notes)
    {
        foreach (NodeDef node in graph.Nodes)
        {
            NodeDef? product = node;
            while (product is not null && graph.IsLive(product) && (graph.Is(product, "MatMul") || graph.Is(product, "Gemm")))
            {
                product = ScaleBehind(graph, product, notes) ?? ScaleInFront(graph, product, notes)
                    ?? Bias(graph, product, notes);
            }
        }
    }

    /// <summary>A product whose result has rank 2.</summary>
    private static bool IsMatrix(PassGraph graph, NodeDef product) => product.Operator == "Gemm"
        || (graph.Shapes.Rank(product.Inputs[0]) == 2 && graph.Shapes.Rank(product.Inputs[1]) == 2);

    /// <summary>Columns of the constant weights [K, N] on the right; null where there are none.</summary>
    private static int? Columns(PassGraph graph, NodeDef product) =>
        graph.ConstantDims(product.Inputs[1]) is { Count: 2 } dims
            ? (int)dims[PassGraph.Int(product, "transB", 0) != 0 ? 0 : 1]
            : null;

    private static bool IsPlainGemm(PassGraph graph, NodeDef gemm) => PassGraph.Float(gemm, "alpha", 1) == 1
        && PassGraph.Float(gemm, "beta", 1) == 1 && graph.Opset(gemm) >= 7;

    /// <summary>Columns of the weights by factors, and the bias with them.</summary>
    private static NodeDef? ScaleBehind(PassGraph graph, NodeDef product, PassNotes notes)
    {
        string output = product.Outputs[0];
        if (!graph.IsReadOnce(output) || Columns(graph, product) is not { } columns || columns < 2
            || (product.Operator == "Gemm" && !IsPlainGemm(graph, product)))
        {
            return null;
        }

        NodeDef next = graph.Consumers(output)[0];
        Channelwise? change = graph.Is(next, "BatchNormalization")
            ? IsMatrix(graph, product) ? Channelwise.Of(graph, next, output, columns, 2) : null
            : LastAxis(graph, next, output, columns, product);
        if (change is null || !change.Scales)
        {
            return null;
        }

        bool hasBias = product.Inputs.Count > 2 && product.Inputs[2].Length > 0;
        OnnxTensor? bias = Channelwise.Bias(graph, product);
        bool shifts = Array.Exists(change.Shifts, shift => shift != 0);
        if ((hasBias && (bias is null || bias.Count != columns || bias.Dims[^1] != columns))
            || (product.Operator == "MatMul" && shifts) || graph.Floats(product, 1) is not { } weight)
        {
            // A shift behind a MatMul becomes a Gemm's bias first.
            return product.Operator == "MatMul" && shifts && IsMatrix(graph, product)
                && graph.Floats(product, 1) is { } plain && graph.Newest >= GemmOpset
                ? Fold(graph, product, next, change, plain, null, notes)
                : null;
        }

        return Fold(graph, product, next, change, weight, bias, notes);
    }

    private static NodeDef Fold(
        PassGraph graph, NodeDef product, NodeDef next, Channelwise change, OnnxTensor weight, OnnxTensor? bias, PassNotes notes)
    {
        notes.Add(next);
        int columns = change.Factors.Length;
        bool turned = PassGraph.Int(product, "transB", 0) != 0;
        float[] from = weight.Array<float>(), to = new float[from.Length];
        int width = weight.Dims[1];
        for (int i = 0; i < to.Length; i++)
        {
            to[i] = (float)(from[i] * change.Factors[turned ? i / width : i % width]);
        }

        string scaled = graph.AddConstant(new OnnxTensor(OnnxElementType.Float32, weight.Dims, to), product.Inputs[1]);
        var inputs = new List<string> { product.Inputs[0], scaled };
        bool shifts = Array.Exists(change.Shifts, shift => shift != 0);
        if (bias is not null || shifts)
        {
            var moved = new float[columns];
            for (int c = 0; c < columns; c++)
            {
                moved[c] = (float)(((bias?.Array<float>()[c] ?? 0) * change.Factors[c]) + change.Shifts[c]);
            }

            inputs.Add(graph.AddConstant(OnnxTensor.Create(moved, columns), $"{next.Outputs[0]}_bias"));
        }

        string name = product.Operator == "MatMul" && inputs.Count > 2 ? "Gemm" : product.Operator;
        NodeDef folded = graph.Add(name, name == product.Operator ? graph.Opset(product) : GemmOpset, [.. inputs],
            [next.Outputs[0]],
            product,
            [.. product.Attributes.Values]);
        graph.RemoveWithInputs(next);
        return folded;
    }

    /// <summary>What a Mul, Div or Sub with a number or one per column does.</summary>
    private static Channelwise? LastAxis(PassGraph graph, NodeDef node, string input, int columns, NodeDef product)
    {
        if (node.Inputs.Count != 2 || node.Operator is not ("Mul" or "Div")
            || graph.Shapes.Rank(product.Inputs[0]) is not >= 2)
        {
            return null;
        }

        string other = node.Inputs[node.Inputs[0] == input ? 1 : 0];
        return graph.ConstantDims(other) is [] or [1] || (graph.ConstantDims(other) is [var extent] && extent == columns)
            ? Channelwise.Of(graph, node, input, columns, 2)
            : null;
    }

    /// <summary>A number that the left operand is multiplied by goes into the weights.</summary>
    private static NodeDef? ScaleInFront(PassGraph graph, NodeDef product, PassNotes notes)
    {
        string left = product.Inputs[0];
        if (!graph.IsReadOnce(left) || graph.Producer(left) is not { } scale || Columns(graph, product) is not { } columns
            || (product.Operator == "Gemm" && !IsPlainGemm(graph, product)) || !(graph.Is(scale, "Mul") || graph.Is(scale,
                "Div")))
        {
            return null;
        }

        int at = graph.Scalar(scale, 1) is not null ? 1 : scale.Operator == "Mul" && graph.Scalar(scale, 0) is not null ? 0 : -1;
        if (at < 0 || graph.Shapes.Rank(scale.Inputs[1 - at]) is not >= 2 || graph.Floats(product, 1) is not { } weight)
        {
            return null;
        }

        float number = graph.Scalar(scale, at)!.Value;
        float factor = scale.Operator == "Div" ? 1 / number : number;
        if (!float.IsFinite(factor))
        {
            return null;
        }

        notes.Add(scale);
        var scaled = new OnnxTensor(
            OnnxElementType.Float32, weight.Dims, Array.ConvertAll(weight.Array<float>(), value => value * factor));
        string source = scale.Inputs[1 - at];
        graph.SetInput(product, 1, graph.AddConstant(scaled, product.Inputs[1]));
        graph.SetInput(product, 0, source);
        graph.Remove(scale);
        return product;
    }

    /// <summary>MatMul, or Gemm without C, and an addition of one row.</summary>
    private static NodeDef? Bias(PassGraph graph, NodeDef product, PassNotes notes)
    {
        string output = product.Outputs[0];
        bool hasBias = product.Inputs.Count > 2 && product.Inputs[2].Length > 0;
        if (graph.Newest < GemmOpset || !graph.IsReadOnce(output) || !IsMatrix(graph, product) || Columns(graph,
            product) is not { } columns
            || !graph.Is(graph.Consumers(output)[0], "Add") || (product.Operator == "Gemm" && !IsPlainGemm(graph, product))
            || graph.Shapes.Type(product.Inputs[0]) != OnnxElementType.Float32)
        {
            return null;
        }

        NodeDef add = graph.Consumers(output)[0];
        int at = add.Inputs[0] == output ? 1 : 0;
        if (graph.ConstantDims(add.Inputs[at]) is not { Count: 1 or 2 } dims || dims[^1] != columns || (dims.Count == 2
            && dims[0] != 1)
            || graph.Floats(add, at) is not { } added)
        {
            return null;
        }

        float[] bias = (float[])added.Array<float>().Clone();
        if (hasBias)
        {
            if (Channelwise.Bias(graph, product) is not { } present || present.Count != columns || present.Dims[^1] != columns)
            {
                return null;
            }

            for (int c = 0; c < bias.Length; c++)
            {
                bias[c] += present.Array<float>()[c];
            }
        }

        notes.Add(add);
        string row = graph.AddConstant(OnnxTensor.Create(bias, columns), add.Inputs[at]);
        NodeDef gemm = graph.Add("Gemm", product.Operator == "Gemm" ? graph.Opset(product) : GemmOpset,
            [product.Inputs[0], product.Inputs[1], row], [add.Outputs[0]], product, [.. product.Attributes.Values]);
        graph.RemoveWithInputs(add);
        return gemm;
    }
}
