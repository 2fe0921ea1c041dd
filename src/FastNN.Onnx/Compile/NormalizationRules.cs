namespace FastNN.Onnx.Compile;

/// <summary>Normalizations. That of batches is a scale and a shift of every channel, and part of a convolution before
/// it.</summary>
internal static class NormalizationRules
{
    public static Traced?[]? Batch(TraceCall call)
    {
        if (call.FloatInput(0) is not { Rank: >= 2 } x || call.Host.Flag("training_mode"))
        {
            return null;
        }

        if (call.FloatConstant(1) is not { } scale || call.FloatConstant(2) is not { } bias
            || call.FloatConstant(3) is not { } mean || call.FloatConstant(4) is not { } variance)
        {
            return ComputedBatch(call, x);
        }

        if (scale.Count != x.Dims[1])
        {
            return null;
        }

        double epsilon = call.Host.Float("epsilon", 1e-5f);
        float[] factors = new float[scale.Count], shifts = new float[scale.Count];
        for (int c = 0; c < factors.Length; c++)
        {
            double factor = scale.Array<float>()[c] / Math.Sqrt(variance.Array<float>()[c] + epsilon);
            factors[c] = (float)factor;
            shifts[c] = (float)(bias.Array<float>()[c] - (mean.Array<float>()[c] * factor));
        }

        if (x.Rescaled is { } again)
        {
            return [again(factors, shifts)];
        }

        if (x.Rank == 2)
        {
            Value plain = (x.Plain * call.Graph.Constant(factors, new Shape(factors.Length)))
                + call.Graph.Constant(shifts, new Shape(shifts.Length));
            return [Traced.OfPlain(plain, x.Type, x.Dims)];
        }

        Value y = (x.Last * call.Graph.Constant(factors, new Shape(factors.Length)))
            + call.Graph.Constant(shifts, new Shape(shifts.Length));
        return [Traced.OfLast(y, x.Type, x.Dims)];
    }

    // Converters of Keras write layer normalization so: the statistics are those of the rows, which are the channels.
    private static Traced?[]? ComputedBatch(TraceCall call, Traced x)
    {
        var parts = new Value[4];
        for (int i = 0; i < parts.Length; i++)
        {
            if (call.FloatInput(i + 1) is not { Rank: 1 } part || part.Dims[0] != x.Dims[1])
            {
                return null;
            }

            parts[i] = part.Plain;
        }

        // The mean is taken off before the factor, which may be large: their product would swallow what is left.
        Value factor = parts[0] / (parts[3] + call.Host.Float("epsilon", 1e-5f)).Sqrt();
        Value y = (((x.Rank == 2 ? x.Plain : x.Last) - parts[2]) * factor) + parts[1];
        return [x.Rank == 2 ? Traced.OfPlain(y, x.Type, x.Dims) : Traced.OfLast(y, x.Type, x.Dims)];
    }

    public static Traced?[]? Layer(TraceCall call)
    {
        if (call.FloatInput(0) is not { Rank: > 0 } x || call.FloatInput(1) is not { } scale || call.Host.Wants(1)
            || call.Host.Wants(2))
        {
            return null;
        }

        int axis = call.Host.Axis(call.Host.Int("axis", -1), x.Rank);
        Traced? bias = call.FloatInput(2);
        if (!scale.Dims.AsSpan().SequenceEqual(x.Dims.AsSpan(axis))
            || (bias is not null && !bias.Dims.AsSpan().SequenceEqual(scale.Dims)))
        {
            return null;
        }

        Value y = x.Plain.LayerNorm(scale.Plain, bias?.Plain, x.Rank - axis, call.Host.Float("epsilon", 1e-5f));
        return [Traced.OfPlain(y, x.Type, x.Dims)];
    }

    public static Traced?[]? Rms(TraceCall call)
    {
        if (call.FloatInput(0) is not { Rank: > 0 } x || call.FloatInput(1) is not { } scale)
        {
            return null;
        }

        int axis = call.Host.Axis(call.Host.Int("axis", -1), x.Rank);
        return scale.Dims.AsSpan().SequenceEqual(x.Dims.AsSpan(axis))
            ? [Traced.OfPlain(x.Plain.RMSNorm(scale.Plain, x.Rank - axis, call.Host.Float("epsilon", 1e-5f)), x.Type, x.Dims)]
            : null;
    }

    public static Traced?[]? Instance(TraceCall call) =>
        Grouped(call, (x, scale, bias, epsilon) => x.InstanceNorm(scale, bias, epsilon));

    public static Traced?[]? Group(TraceCall call)
    {
        int groups = (int)call.Host.Int("num_groups", 1);
        return call.Opset >= 21 && groups > 0
            ? Grouped(call, (x, scale, bias, epsilon) => x.GroupNorm(groups, scale, bias, epsilon))
            : null;
    }

    private static Traced?[]? Grouped(TraceCall call, Func<Value, Value, Value, float, Value> function) =>
        call.FloatInput(0) is { Rank: >= 3 and <= 5 } x && call.FloatInput(1) is { Rank: 1 } scale
            && call.FloatInput(2) is { Rank: 1 } bias
            ? [Traced.OfLast(function(x.Last, scale.Plain, bias.Plain, call.Host.Float("epsilon", 1e-5f)), x.Type, x.Dims)]
            : null;
}
