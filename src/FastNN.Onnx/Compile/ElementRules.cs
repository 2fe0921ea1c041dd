using FastNN.Onnx.Host;

namespace FastNN.Onnx.Compile;

/// <summary>Operators of elements: how two tensors come to lie alike, and what becomes of numbers.</summary>
internal static class ElementRules
{
    /// <summary>A function of two tensors that broadcast, or of one and a number.</summary>
    public static TraceRule Binary(
        Func<Value, Value, Value> function, Func<Value, float, Value> right, Func<float, Value, Value>? left) => call =>
        {
            if (call.InputCount != 2 || call.Host.HasAttribute("axis"))
            {
                return null;
            }

            if (call.FloatConstant(1) is { Count: 1 } b && call.FloatInput(0) is { } x && b.Rank <= x.Rank)
            {
                return TraceCall.One(x.Like(right(x.Either, b.Array<float>()[0]), x.Type));
            }

            if (left is not null && call.FloatConstant(0) is { Count: 1 } a && call.FloatInput(1) is { } y && a.Rank <= y.Rank)
            {
                return TraceCall.One(y.Like(left(a.Array<float>()[0], y.Either), y.Type));
            }

            // Of integers sums, differences and products: their quotients are cut, which the engine's are not.
            OnnxElementType type = call.Input(0)?.Type ?? OnnxElementType.Undefined;
            bool fits = type == OnnxElementType.Float32
                || (type is OnnxElementType.Int32 or OnnxElementType.Int64 && call.Host.Node.Operator is not ("Div" or "Pow"));
            return fits && Pair(call, 0, 1, type) is var (p, q, like) ? [like(function(p, q), type)] : null;
        };

    /// <summary>And, Or and Xor of two tensors of truth values.</summary>
    public static TraceRule Logic(Func<Value, Value, Value> function) => call =>
        Pair(call, 0, 1, OnnxElementType.Bool) is var (p, q, like) ? [like(function(p, q), OnnxElementType.Bool)] : null;

    /// <summary>A truth value of every float.</summary>
    public static TraceRule Test(Func<Value, Value> function) => call => call.FloatInput(0) is { } x
        && call.Host.Int("detect_negative", 1) != 0 && call.Host.Int("detect_positive", 1) != 0
        ? [x.Like(function(x.Either), OnnxElementType.Bool)]
        : null;

    /// <summary>The remainder of floats, with the sign of the dividend.</summary>
    public static Traced?[]? Mod(TraceCall call) =>
        call.Host.Flag("fmod") && Pair(call, 0, 1, OnnxElementType.Float32) is var (p, q, like)
            ? [like(p.Fmod(q), OnnxElementType.Float32)]
            : null;

    /// <summary>gamma (max(x, 0) + alpha (exp(min(x, 0)) - 1))</summary>
    public static Traced?[]? Selu(TraceCall call)
    {
        float alpha = call.Host.Float("alpha", 1.67326319217681884765625f);
        float gamma = call.Host.Float("gamma", 1.05070102214813232421875f);
        return call.FloatInput(0) is { } x
            ? [x.Like((x.Either.ReLU() + (x.Either.Minimum(0).Expm1() * alpha)) * gamma, x.Type)]
            : null;
    }

    /// <summary>Shrink with a bias of 0 or of the threshold, PyTorch's two forms.</summary>
    public static Traced?[]? Shrink(TraceCall call)
    {
        float lambda = call.Host.Float("lambd", 0.5f), bias = call.Host.Float("bias", 0);
        return call.FloatInput(0) is not { } x || lambda < 0 ? null
            : bias == 0 ? [x.Like(x.Either.Hardshrink(lambda), x.Type)]
            : bias == lambda ? [x.Like(x.Either.Softshrink(lambda), x.Type)]
            : null;
    }

    public static Traced?[]? Mean(TraceCall call) => Sum(call) is [{ } sum]
        ? [sum.Like(sum.Either * (1f / call.InputCount), sum.Type)]
        : null;

    /// <summary>A relation of two tensors of floats or of integers.</summary>
    public static TraceRule Relation(Func<Value, Value, Value> function) => call =>
        Pair(call, 0, 1, call.Input(0)?.Type ?? OnnxElementType.Undefined) is var (p, q, like)
            ? [like(function(p, q), OnnxElementType.Bool)]
            : null;

    private delegate Traced Placed(Value value, OnnxElementType type);

    /// <summary>Two inputs that lie alike; null where one is missing or of another type.</summary>
    private static (Value A, Value B, Placed Like)? Pair(TraceCall call, int first, int second, OnnxElementType type)
    {
        if (call.Input(first) is not { } a || call.Input(second) is not { } b || a.Type != type || b.Type != type)
        {
            return null;
        }

        int[] dims = Shapes.Broadcast(call.Host, a.Dims, b.Dims);

        // Channels stay last where one of both has them there, and the other can follow.
        bool last = dims.Length >= 3 && (a.IsLast || b.IsLast) && CanBeLast(a, dims) && CanBeLast(b, dims);
        return last
            ? (Last(a, dims), Last(b, dims), (value, t) => Traced.OfLast(value, t, dims))
            : (a.Plain, b.Plain, (value, t) => Traced.OfPlain(value, t, dims));
    }

    private static bool CanBeLast(Traced x, int[] dims) => x.Rank == dims.Length || x.Rank <= dims.Length;

    private static Value Last(Traced x, int[] dims)
    {
        if (x.Rank == dims.Length)
        {
            return x.Last;
        }

        // Missing axes in front are ones; behind that the order can change.
        int[] full = [.. Enumerable.Repeat(1, dims.Length - x.Rank), .. x.Dims];
        return Traced.OfPlain(x.Plain.Reshape(new Shape(full)), x.Type, full).Last;
    }

    public static Traced?[]? Sum(TraceCall call)
    {
        Traced? sum = call.FloatInput(0);
        for (int i = 1; i < call.InputCount && sum is not null; i++)
        {
            Traced? next = call.FloatInput(i);
            if (next is null || !next.Dims.AsSpan().SequenceEqual(sum.Dims))
            {
                return null;
            }

            sum = sum.IsLast || next.IsLast
                ? Traced.OfLast(sum.Last + next.Last, sum.Type, sum.Dims)
                : Traced.OfPlain(sum.Plain + next.Plain, sum.Type, sum.Dims);
        }

        return sum is null ? null : [sum];
    }

    public static Traced?[]? PRelu(TraceCall call)
    {
        if (call.FloatInput(0) is not { } x || call.FloatConstant(1) is not { } slope || call.Opset < 7)
        {
            return null;
        }

        if (slope.Count == 1)
        {
            return TraceCall.One(x.Like(x.Either.LeakyReLU(slope.Array<float>()[0]), x.Type));
        }

        // max(x, 0) + slope min(x, 0)
        return Pair(call, 0, 1, OnnxElementType.Float32) is var (p, q, like)
            ? [like(p.ReLU() + (q * p.Minimum(0)), OnnxElementType.Float32)]
            : null;
    }

    public static Traced?[]? Clip(TraceCall call)
    {
        if (call.FloatInput(0) is not { } x)
        {
            return null;
        }

        float low = float.NegativeInfinity, high = float.PositiveInfinity;
        if (call.Opset < 11)
        {
            low = call.Host.Float("min", low);
            high = call.Host.Float("max", high);
        }
        else if (call.TracedInput(1) is not null || call.TracedInput(2) is not null)
        {
            return ClipBetween(call, x);
        }
        else if ((call.Has(1) && call.FloatConstant(1) is not { Count: 1 })
            || (call.Has(2) && call.FloatConstant(2) is not { Count: 1 }))
        {
            return null;
        }
        else
        {
            low = call.FloatConstant(1)?.Array<float>()[0] ?? low;
            high = call.FloatConstant(2)?.Array<float>()[0] ?? high;
        }

        Value y = (low, high) switch
        {
            (0, float.PositiveInfinity) => x.Either.ReLU(),
            (0, 6) => x.Either.ReLU6(),
            _ => x.Either.Clamp(low, high),
        };
        return TraceCall.One(x.Like(y, x.Type));
    }

    /// <summary>Elements between bounds of which one is computed, or both; where they cross, the upper one counts.</summary>
    public static Traced?[]? ClipBetween(TraceCall call, Traced x)
    {
        Value y = x.Either;
        for (int i = 1; i <= 2; i++)
        {
            if (!call.Has(i))
            {
                continue;
            }

            if (call.Input(i) is not { } bound || bound.Type != x.Type || Shapes.Product(bound.Dims) != 1)
            {
                return null;
            }

            // Of as many axes as x, whichever way they lie.
            Value one = bound.Plain.Reshape(new Shape([.. Enumerable.Repeat(1, x.Rank)]));
            y = i == 1 ? y.Maximum(one) : y.Minimum(one);
        }

        return [x.Like(y, x.Type)];
    }

    public static Traced?[]? Not(TraceCall call) =>
        call.Input(0) is { Type: OnnxElementType.Bool } x ? [x.Like(x.Either.Not(), x.Type)] : null;

    public static Traced?[]? Cast(TraceCall call)
    {
        var to = (OnnxElementType)call.Host.Int("to", 0);
        DType? wanted = to is OnnxElementType.Float16 or OnnxElementType.BFloat16 ? DType.Float32 : Tracer.Inside(to);
        if (call.Input(0) is not { } x || wanted is not { } inside || Tracer.Held(x.Type) is not { } from)
        {
            return null;
        }

        return [x.Like(inside == from ? x.Either : x.Either.Cast(inside), to)];
    }

    public static Traced?[]? Where(TraceCall call)
    {
        if (call.Input(0) is not { Type: OnnxElementType.Bool } condition || call.Input(1) is not { } a
            || call.Input(2) is not { } b || a.Type != b.Type)
        {
            return null;
        }

        int[] dims = Shapes.Broadcast(call.Host, condition.Dims, a.Dims, b.Dims);
        return [Traced.OfPlain(ShapeOperators.Where(condition.Plain, a.Plain, b.Plain), a.Type, dims)];
    }
}
