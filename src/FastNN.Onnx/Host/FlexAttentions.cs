namespace FastNN.Onnx.Host;

/// <summary>Attention of the domain ai.onnx.preview, whose scores and probabilities pass through graphs of the node.</summary>
internal static class FlexAttentions
{
    public static OnnxValue?[] Attention(HostCall call)
    {
        OnnxTensor q = call.Tensor(0), k = call.Tensor(1), v = call.Tensor(2);
        bool fits = q.Rank == 4 && k.Rank == 4 && v.Rank == 4 && k.Dims[0] == q.Dims[0] && v.Dims[0] == q.Dims[0]
            && k.Dims[3] == q.Dims[3] && v.Dims[1] == k.Dims[1] && v.Dims[2] == k.Dims[2]
            && k.Dims[1] > 0 && q.Dims[1] % k.Dims[1] == 0;
        if (!fits)
        {
            throw call.Error("[batch, heads, length, width] thrice: keys as wide as the queries, values as long as the keys, "
                + "in heads that divide the queries'", $"{q}, {k}, {v}");
        }

        int batch = q.Dims[0], heads = q.Dims[1], queries = q.Dims[2], width = q.Dims[3];
        int groups = k.Dims[1], keys = k.Dims[2], valueWidth = v.Dims[3];
        double scale = call.HasAttribute("scale") ? call.Float("scale", 1) : 1 / Math.Sqrt(width);
        OnnxElementType precision = call.HasAttribute("softmax_precision") ? (OnnxElementType)call.Int("softmax_precision", 1)
            : q.ElementType == OnnxElementType.Float64 ? OnnxElementType.Float64 : OnnxElementType.Float32;
        double[] qs = Numbers.Doubles(q), ks = Numbers.Doubles(k), vs = Numbers.Doubles(v);
        int[] square = [batch, heads, queries, keys];
        var scores = new double[Shapes.Product(square)];
        for (int i = 0; i < scores.Length; i++)
        {
            int row = i / keys, key = Key(row, heads, groups, queries, keys) + (i % keys);
            scores[i] = scale * System.Numerics.Tensors.TensorPrimitives.Dot<double>(
                qs.AsSpan(row * width, width), ks.AsSpan(key * width, width));
        }

        double[] probabilities = Modified(call, "score_mod", scores, square, precision);
        for (int at = 0; at < probabilities.Length; at += keys)
        {
            Softmax(probabilities.AsSpan(at, keys));
        }

        probabilities = Modified(call, "prob_mod", probabilities, square, precision);
        int[] dims = [batch, heads, queries, valueWidth];
        var y = new double[Shapes.Product(dims)];
        for (int i = 0; i < probabilities.Length; i++)
        {
            int row = i / keys, key = Key(row, heads, groups, queries, keys) + (i % keys);
            for (int d = 0; d < valueWidth; d++)
            {
                y[(row * valueWidth) + d] += probabilities[i] * vs[(key * valueWidth) + d];
            }
        }

        return HostCall.One(Normalizations.Rounded(y, dims, q.ElementType));
    }

    // The first key of a query's row [batch, heads, queries].
    private static int Key(int row, int heads, int groups, int queries, int keys)
    {
        int head = row / queries % heads, b = row / queries / heads;
        return ((b * groups) + (head / (heads / groups))) * keys;
    }

    private static void Softmax(Span<double> row)
    {
        double max = System.Numerics.Tensors.TensorPrimitives.Max<double>(row), sum = 0;
        for (int i = 0; i < row.Length; i++)
        {
            // A query that sees no key has an output of zeros.
            row[i] = double.IsNegativeInfinity(max) ? 0 : Math.Exp(row[i] - max);
            sum += row[i];
        }

        for (int i = 0; i < row.Length && sum != 0; i++)
        {
            row[i] /= sum;
        }
    }

    private static double[] Modified(HostCall call, string graph, double[] values, int[] dims, OnnxElementType precision)
    {
        OnnxTensor rounded = Normalizations.Rounded(values, dims, precision);
        if (!call.HasAttribute(graph))
        {
            return Numbers.Doubles(rounded);
        }

        return call.Run(graph, rounded) is [OnnxTensor result] && result.Dims.AsSpan().SequenceEqual(dims)
            ? Numbers.Doubles(result)
            : throw call.Error($"a graph '{graph}' that gives {OnnxTensor.Text(dims)}", "another output");
    }
}
