using FastNN.Onnx.Host;

namespace FastNN.Onnx.Compile;

/// <summary>Matrix products: with a constant matrix on the right they are dense layers.</summary>
internal static class ProductRules
{
    public static Traced?[]? Gemm(TraceCall call)
    {
        if (call.FloatInput(0) is not { Rank: 2 } a || call.FloatInput(1) is not { Rank: 2 } b)
        {
            return null;
        }

        float alpha = call.Host.Float("alpha", 1), beta = call.Host.Float("beta", 1);
        int m = call.Host.Flag("transA") ? a.Dims[1] : a.Dims[0], n = call.Host.Flag("transB") ? b.Dims[0] : b.Dims[1];
        OnnxTensor? c = call.FloatConstant(2);
        if (call.FloatConstant(1) is { } constant
            && (!call.Has(2) || (c is not null && (c.Count == n || c.Count == 1) && (c.Rank == 0 || c.Dims[^1] == c.Count))))
        {
            OnnxTensor? bias = c is null ? null : Scaled(Shapes.BroadcastTo(c.WithDims([c.Count]), [n]), beta);
            Value? row = bias is null ? null : call.Graph.Constant(bias.Array<float>(), new Shape(n));
            Value y = Dense(
                call, a, Scaled(constant, alpha), turned: call.Host.Flag("transB"), row,
                transposed: call.Host.Flag("transA"));
            return [Traced.OfPlain(y, a.Type, [m, n])];
        }

        Value left = call.Host.Flag("transA") ? a.Plain.Permute(1, 0) : a.Plain;
        Value product = left.MatMul(b.Plain, false, call.Host.Flag("transB"));
        product = alpha == 1 ? product : product * alpha;
        if (call.Has(2))
        {
            if (call.FloatInput(2) is not { } added)
            {
                return null;
            }

            product += beta == 1 ? added.Plain : added.Plain * beta;
        }

        return [Traced.OfPlain(product, a.Type, [m, n])];
    }

    /// <summary>
    /// A product with a constant matrix. Rows that are images are taken as they lie, and the matrix's rows are put in that order.
    /// </summary>
    /// <param name="call">The node.</param>
    /// <param name="a">The rows.</param>
    /// <param name="weight">The matrix: [inputs, outputs], or [outputs, inputs] where it is turned.</param>
    /// <param name="turned">Whether it is.</param>
    /// <param name="bias">What is added to each row; null for nothing.</param>
    /// <param name="transposed">Whether the rows are a's columns.</param>
    private static Value Dense(TraceCall call, Traced a, OnnxTensor weight, bool turned, Value? bias, bool transposed = false)
    {
        (int inputs, int outputs) = turned ? (weight.Dims[1], weight.Dims[0]) : (weight.Dims[0], weight.Dims[1]);
        if (!transposed && a.Images is { } images)
        {
            int channels = images.Dims[1], places = a.Dims[1] / channels;
            var data = turned
                ? new TensorData(weight.WithDims([outputs, channels, places]), [2, 1, 0])
                : new TensorData(weight.WithDims([channels, places, outputs]), [1, 0, 2]);
            Value rows = images.Last.Reshape(new Shape(a.Dims));
            return rows.Dense(call.Graph.Constant(data, new TensorType(new Shape(inputs, outputs))), bias);
        }

        Value left = transposed ? a.Plain.Permute(1, 0) : a.Plain;
        return left.Dense(turned ? call.Permuted(weight, 1, 0) : call.Floats(weight, new Shape(weight.Dims)), bias);
    }

    private static OnnxTensor Scaled(OnnxTensor tensor, float by) =>
        by == 1 ? tensor : new OnnxTensor(tensor.ElementType, tensor.Dims,
            Array.ConvertAll(tensor.Array<float>(), value => value * by));

    public static Traced?[]? MatMul(TraceCall call)
    {
        if (call.FloatInput(0) is not { Rank: > 0 } a || call.FloatInput(1) is not { Rank: > 0 } b || a.Rank > Shape.MaxRank - 1)
        {
            return null;
        }

        if (a.Images is not null && call.FloatConstant(1) is { Rank: 2 } matrix)
        {
            return [Traced.OfPlain(Dense(call, a, matrix, turned: false, bias: null), a.Type, [a.Dims[0], b.Dims[1]])];
        }

        if (a.Rank >= 2 && b.Rank == 2)
        {
            return [Traced.OfPlain(a.Plain.Dense(b.Plain), a.Type, [.. a.Dims[..^1], b.Dims[1]])];
        }

        if (a.Rank < 2 || b.Rank < 2)
        {
            return null;
        }

        int[] batches = Shapes.Broadcast(call.Host, a.Dims[..^2], b.Dims[..^2]);
        return [Traced.OfPlain(a.Plain.MatMul(b.Plain), a.Type, [.. batches, a.Dims[^2], b.Dims[^1]])];
    }

    public static Traced?[]? Einsum(TraceCall call)
    {
        var operands = new Value[call.InputCount];
        for (int i = 0; i < operands.Length; i++)
        {
            if (call.FloatInput(i) is not { } operand)
            {
                return null;
            }

            operands[i] = operand.Plain;
        }

        string equation = call.Host.Text("equation", "").Replace(" ", "", StringComparison.Ordinal);
        Value y = ProductOperators.Einsum(equation, operands);
        return [Traced.OfPlain(y, OnnxElementType.Float32, [.. Enumerable.Range(0, y.Shape.Rank).Select(axis => y.Shape[axis])])];
    }
}
