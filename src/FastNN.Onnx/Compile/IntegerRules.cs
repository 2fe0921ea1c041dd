using FastNN.Onnx.Host;

namespace FastNN.Onnx.Compile;

/// <summary>
/// Products and convolutions of 8-bit integers, in float32: sums up to 2^24 are exact, larger ones right to 24 bits, which the
/// scales behind them round anyway.
/// </summary>
internal static class IntegerRules
{
    public static Traced?[]? DynamicQuantize(TraceCall call)
    {
        if (call.FloatInput(0) is not { Rank: > 0 } x)
        {
            return null;
        }

        int[] all = [.. Enumerable.Range(0, x.Rank)];
        Value Bound(Value bound) => bound.Reshape(new Shape(1));
        Value least = Bound(x.Either.Min(all, keepDims: true)).Minimum(0),
            most = Bound(x.Either.Max(all, keepDims: true)).Maximum(0);

        // Zeros alone are zeros under any scale. The scale is a quotient, as in the standard: the product with 1 / 255 often is
        // another float, which moves what lies next to a half by a step.
        Value scale = (most - least) / 255, divisor = ShapeOperators.Where(scale.Equal(0), 1f, scale);
        Value zero = (least.Negate() / divisor).Round().Clamp(0, 255);
        Value y = ((x.Either / divisor).Round() + zero).Clamp(0, 255).Cast(DType.Int32);
        return
        [
            x.Like(y, OnnxElementType.UInt8), Traced.OfPlain(scale.Reshape(new Shape()), OnnxElementType.Float32, []),
            Traced.OfPlain(zero.Cast(DType.Int32).Reshape(new Shape()), OnnxElementType.UInt8, []),
        ];
    }

    public static Traced?[]? MatMul(TraceCall call) =>
        Shifted(call, 0, 2) is { } a && Shifted(call, 1, 3) is { } b
        && ProductRules.MatMul(new TraceCall(call.Host, [a, b], call.Graph)) is [{ } y]
            ? [Traced.OfPlain(y.Plain.Cast(DType.Int32), OnnxElementType.Int32, y.Dims)]
            : null;

    public static Traced?[]? Conv(TraceCall call) =>
        Shifted(call, 0, 2) is { } x && Shifted(call, 1, 3) is OnnxTensor weight
        && WindowRules.Conv(new TraceCall(call.Host, [x, weight], call.Graph), isDirect: true) is [{ } y]
            ? [y.Like(y.Either.Cast(DType.Int32), OnnxElementType.Int32)]
            : null;

    public static Traced?[]? QLinearMatMul(TraceCall call)
    {
        if (Shifted(call, 0, 2) is not { } a || Shifted(call, 3, 5) is not { } b || Number(call, 1) is not { } left
            || call.FloatConstant(4) is not { Rank: <= 1 } right || Number(call, 6) is not { } scale
            || ProductRules.MatMul(new TraceCall(call.Host, [a, b], call.Graph)) is not [{ } y]
            || (right.Count > 1 && right.Count != y.Dims[^1]))
        {
            return null;
        }

        float[] factors = Array.ConvertAll(right.Array<float>(), factor => left * factor / scale);
        return Requantized(call, y, y.Plain * call.Graph.Constant(factors, new Shape(factors.Length)), isLast: false);
    }

    public static Traced?[]? QLinearConv(TraceCall call)
    {
        if (Shifted(call, 0, 2) is not Traced x || Shifted(call, 3, 5) is not OnnxTensor weight || Number(call, 1) is not { } left
            || call.FloatConstant(4) is not { Rank: <= 1 } filters || Number(call, 6) is not { } scale
            || (call.Has(8) && call.Constant(8) is null) || (filters.Count > 1 && filters.Count != weight.Dims[0]))
        {
            return null;
        }

        object?[] inputs = call.Constant(8) is { } bias
            ? [x, weight, Numbers.Convert(bias, OnnxElementType.Float32)]
            : [x, weight];
        if (WindowRules.Conv(new TraceCall(call.Host, inputs, call.Graph), isDirect: true) is not [{ } y])
        {
            return null;
        }

        var dims = new int[y.Rank];
        Array.Fill(dims, 1);
        dims[y.Inside(1)] = filters.Count;
        float[] factors = Array.ConvertAll(filters.Array<float>(), factor => left * factor / scale);
        return Requantized(call, y, y.Either * call.Graph.Constant(factors, new Shape(dims)), y.IsLast);
    }

    private static Traced?[]? Requantized(TraceCall call, Traced like, Value scaled, bool isLast)
    {
        if (call.Constant(7) is not { Count: 1, ElementType: OnnxElementType.UInt8 or OnnxElementType.Int8 } zero)
        {
            return null;
        }

        (float least, float most) = zero.ElementType == OnnxElementType.UInt8 ? (0f, 255f) : (-128f, 127f);
        Value y = (scaled.Round() + Numbers.Floats(zero)[0]).Clamp(least, most).Cast(DType.Int32);
        return [isLast ? Traced.OfLast(y, zero.ElementType, like.Dims) : Traced.OfPlain(y, zero.ElementType, like.Dims)];
    }

    private static float? Number(TraceCall call, int input) =>
        call.FloatConstant(input) is { Count: 1 } given ? given.Array<float>()[0] : null;

    /// <summary>8-bit integers without their zero point, as floats: traced or constant; null in other forms.</summary>
    private static object? Shifted(TraceCall call, int input, int zeroAt)
    {
        if (call.Constant(input) is { ElementType: OnnxElementType.UInt8 or OnnxElementType.Int8 } constant
            && call.TracedInput(zeroAt) is null)
        {
            OnnxTensor shifted = Quantization.WithoutZeroPoint(
                call.Host, constant, call.Constant(zeroAt),
                row: call.Host.Node.Operator.Contains("Conv", StringComparison.Ordinal));
            return Numbers.Convert(shifted, OnnxElementType.Float32);
        }

        if (call.TracedInput(input) is not { Type: OnnxElementType.UInt8 or OnnxElementType.Int8 } x)
        {
            return null;
        }

        Value value = x.Either.Cast(DType.Float32);
        if (call.TracedInput(zeroAt) is { } traced)
        {
            if (traced.Dims.Aggregate(1, (product, extent) => product * extent) != 1)
            {
                return null;
            }

            value -= traced.Plain.Cast(DType.Float32).Reshape(new Shape(1));
        }
        else if (call.Constant(zeroAt) is { } zero)
        {
            if (zero.Count != 1)
            {
                return null;
            }

            value -= Numbers.Floats(zero)[0];
        }

        return x.Like(value, OnnxElementType.Float32);
    }
}
