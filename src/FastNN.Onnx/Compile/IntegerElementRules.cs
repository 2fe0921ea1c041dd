namespace FastNN.Onnx.Compile;

/// <summary>Functions of integers as the engine can record them: by sums, products, comparisons and choices of Int32.</summary>
internal static class IntegerElementRules
{
    private static Traced? Integers(TraceCall call, int input) =>
        call.Input(input) is { Type: OnnxElementType.Int32 or OnnxElementType.Int64 } x ? x : null;

    /// <summary>The rule for floats, or else this function of integers.</summary>
    public static TraceRule Or(TraceRule floats, Func<Value, Value> function) => call => Integers(call, 0) is { } x
        ? [x.Like(function(x.Either), x.Type)]
        : floats(call);

    public static Value Abs(Value x) => ShapeOperators.Where(x.Less(0), x * -1f, x);

    public static Value Negate(Value x) => x * -1f;

    /// <summary>The rule for floats, or the same of integers of 8 bits, each of which is a float.</summary>
    public static TraceRule OfBytes(TraceRule floats) => call =>
    {
        if (call.TracedInput(0) is not { Type: OnnxElementType.Int8 or OnnxElementType.UInt8 } x)
        {
            return floats(call);
        }

        object?[] inputs = [x.Like(x.Either.Cast(DType.Float32), OnnxElementType.Float32)];
        return floats(new TraceCall(call.Host.With(inputs), inputs, call.Graph)) is [{ } y]
            ? [y.Like(y.Either.Cast(DType.Int32), x.Type)]
            : null;
    };

    /// <summary>The rule for floats, or integers within bounds.</summary>
    public static TraceRule Clip(TraceRule floats) => call =>
    {
        if (Integers(call, 0) is not { } x)
        {
            return floats(call);
        }

        if (call.TracedInput(1) is not null || call.TracedInput(2) is not null)
        {
            return ElementRules.ClipBetween(call, x);
        }

        Value y = x.Either;
        y = call.Host.Long(1) is { } low ? y.Maximum(Number(call, low)) : y;
        y = call.Host.Long(2) is { } high ? y.Minimum(Number(call, high)) : y;
        return [x.Like(y, x.Type)];
    };

    private static Value Number(TraceCall call, long value) =>
        call.Graph.ConstantInt32([(int)Math.Clamp(value, int.MinValue, int.MaxValue)], new Shape(1));

    /// <summary>The rule for floats, or quotients of integers by a positive constant, cut towards zero.</summary>
    public static TraceRule Div(TraceRule floats) => call => Integers(call, 0) is { } x
        ? Divisor(call, x) is { } divisor ? [x.Like(Quotient(call, x.Either, divisor).Quotient, x.Type)] : null
        : floats(call);

    /// <summary>The rule for floats, or remainders of integers by a positive constant, from 0 up.</summary>
    public static TraceRule Mod(TraceRule floats) => call =>
    {
        if (Integers(call, 0) is not { } x || call.Host.Flag("fmod"))
        {
            return floats(call);
        }

        if (Divisor(call, x) is not { } divisor)
        {
            return null;
        }

        Value rest = Quotient(call, x.Either, divisor).Remainder;
        return [x.Like(ShapeOperators.Where(rest.Less(0), rest + Number(call, divisor), rest), x.Type)];
    };

    private static int? Divisor(TraceCall call, Traced x) =>
        call.InputCount == 2 && call.Constant(1) is { Count: 1 } constant && constant.Rank <= x.Rank
            && call.Host.Longs(1) is [> 0 and <= int.MaxValue and var value]
            ? (int)value
            : null;

    /// <summary>
    /// Quotient and rest with the dividend's sign. Floats have 24 bits: the first quotient of them is off by up to 2^8, that of
    /// what is left by 1, which comparisons mend.
    /// </summary>
    private static (Value Quotient, Value Remainder) Quotient(TraceCall call, Value x, int divisor)
    {
        Value by = Number(call, divisor);
        Value q = (x.Cast(DType.Float32) / divisor).Cast(DType.Int32), rest = x - (q * by);
        q += (rest.Cast(DType.Float32) / divisor).Cast(DType.Int32);
        rest = x - (q * by);

        // A rest beyond the divisor, or of the other sign than x.
        Value negative = x.Less(0), least = Number(call, 1 - (long)divisor), most = Number(call, divisor - 1);
        Value zero = Number(call, 0);
        Value low = ShapeOperators.Where(negative, least, zero), high = ShapeOperators.Where(negative, zero, most);
        Value step = rest.Greater(high).Cast(DType.Int32) - rest.Less(low).Cast(DType.Int32);
        return (q + step, rest - (step * by));
    }

    /// <summary>The largest or smallest of any number of tensors, by the rule for two.</summary>
    public static TraceRule Several(TraceRule two) => call =>
    {
        if (call.InputCount == 1)
        {
            return call.TracedInput(0) is { } only ? [only] : null;
        }

        object? result = call.Given(0);
        for (int i = 1; i < call.InputCount; i++)
        {
            object?[] pair = [result, call.Given(i)];
            if (two(new TraceCall(call.Host.With(pair), pair, call.Graph)) is not [{ } next])
            {
                return null;
            }

            result = next;
        }

        return [(Traced)result!];
    };
}
