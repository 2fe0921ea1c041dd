using FastNN.Onnx.Host;

namespace FastNN.Onnx.Compile;

/// <summary>Attention and rotary positions as operators of the standard (opset 23 and 24).</summary>
internal static class AttentionRules
{
    public static Traced?[]? Attention(TraceCall call)
    {
        HostCall host = call.Host;
        bool plain = host.Float("softcap", 0) == 0 && !host.Wants(3) && !call.Has(6)
            && host.Int("left_window_size", -1) < 0 && host.Int("right_window_size", -1) < 0 && call.Has(4) == call.Has(5);
        if (!plain || Heads(call, 0, "q_num_heads") is not { } q || Heads(call, 1, "kv_num_heads") is not { } k
            || Heads(call, 2, "kv_num_heads") is not { } v)
        {
            return null;
        }

        int past = 0;
        if (call.Has(4) && call.Constant(4) is not { Count: 0 })
        {
            if (call.FloatInput(4) is not { Rank: 4 } keys || call.FloatInput(5) is not { Rank: 4 } values)
            {
                return null;
            }

            past = keys.Dims[2];
            k = Operators.Concat(2, keys.Plain, k);
            v = Operators.Concat(2, values.Plain, v);
        }

        Value? mask = null;
        if (call.Has(3))
        {
            if (call.Input(3) is not { Rank: > 0, Type: OnnxElementType.Bool or OnnxElementType.Float32 } given
                || given.Dims[^1] != k.Shape[2])
            {
                return null;
            }

            mask = given.Plain;
        }

        int batch = q.Shape[0], heads = q.Shape[1], length = q.Shape[2], width = v.Shape[3], groups = k.Shape[1];
        if (groups == 0 || heads % groups != 0 || v.Shape[1] != groups)
        {
            return null;
        }

        // Both forms of a causal mask agree where no keys are in front of the queries' own.
        CausalMask causal = !host.Flag("is_causal") ? CausalMask.None : past > 0 ? CausalMask.LowerRight : CausalMask.UpperLeft;
        float? scale = host.HasAttribute("scale") ? host.Float("scale", 1) : null;
        Value y;
        if (length == 1 && groups < heads && causal != CausalMask.UpperLeft && IsAlikeForHeads(mask))
        {
            // One query sees all keys: the heads that share a key are rows of one.
            y = q.Reshape(new Shape(batch, groups, heads / groups, q.Shape[3]))
                .ScaledDotProductAttention(k, v, mask, CausalMask.None, scale).Reshape(new Shape(batch, heads, 1, width));
        }
        else
        {
            y = q.ScaledDotProductAttention(Repeated(k, heads / groups), Repeated(v, heads / groups), mask, causal, scale);
        }

        Traced output = call.FloatInput(0)!.Rank == 3
            ? Traced.OfPlain(y.Permute(0, 2, 1, 3).Reshape(new Shape(batch, length, heads * width)), OnnxElementType.Float32,
                [batch, length, heads * width])
            : Traced.OfPlain(y, OnnxElementType.Float32, [batch, heads, length, width]);
        return [output, Present(k), Present(v)];
    }

    private static bool IsAlikeForHeads(Value? mask) =>
        mask is null || mask.Shape.Rank <= 2 || (mask.Shape.Rank == 4 && mask.Shape[1] == 1);

    private static Traced Present(Value x) =>
        Traced.OfPlain(x, OnnxElementType.Float32, [x.Shape[0], x.Shape[1], x.Shape[2], x.Shape[3]]);

    /// <summary>Every head of keys or values as often as queries share it.</summary>
    private static Value Repeated(Value x, int times)
    {
        if (times == 1)
        {
            return x;
        }

        (int batch, int groups, int length, int width) = (x.Shape[0], x.Shape[1], x.Shape[2], x.Shape[3]);
        return x.Reshape(new Shape(batch, groups, 1, length, width)).Expand(batch, groups, times, length, width)
            .Reshape(new Shape(batch, groups * times, length, width));
    }

    /// <summary>[batch, heads, length, width] of that, or of [batch, length, heads * width].</summary>
    private static Value? Heads(TraceCall call, int input, string attribute)
    {
        if (call.FloatInput(input) is not { } x || x.Rank is not (3 or 4))
        {
            return null;
        }

        long heads = call.Host.Int(attribute, 0);
        return x.Rank == 4 ? x.Plain
            : heads > 0 && x.Dims[2] % heads == 0
                ? x.Plain.Reshape(new Shape(x.Dims[0], x.Dims[1], (int)heads, x.Dims[2] / (int)heads)).Permute(0, 2, 1, 3)
            : null;
    }

    /// <summary>RotaryEmbedding: pairs of elements turned by the angle of their position.</summary>
    public static Traced?[]? Rotary(TraceCall call)
    {
        if (call.FloatInput(0) is not { } x || Heads(call, 0, "num_heads") is not { } heads
            || Angles(call, 1, heads) is not { } cos || Angles(call, 2, heads) is not { } sin)
        {
            return null;
        }

        int width = heads.Shape[3], half = cos.Shape[3], turned = 2 * half;
        if (turned > width || (call.Host.Int("rotary_embedding_dim", 0) is > 0 and var asked && asked != turned)
            || (call.Host.Int("rotary_embedding_dim", 0) == 0 && turned != width))
        {
            return null;
        }

        (int batch, int count, int length) = (heads.Shape[0], heads.Shape[1], heads.Shape[2]);
        Value part = turned == width ? heads : heads.Slice(3, 0, turned);
        bool interleaved = call.Host.Flag("interleaved");
        Value first, second;
        if (interleaved)
        {
            Value pairs = part.Reshape(new Shape(batch, count, length, half, 2));
            first = pairs.Slice(4, 0, 1).Reshape(new Shape(batch, count, length, half));
            second = pairs.Slice(4, 1, 2).Reshape(new Shape(batch, count, length, half));
        }
        else
        {
            (first, second) = (part.Slice(3, 0, half), part.Slice(3, half, turned));
        }

        Value a = (first * cos) - (second * sin), b = (first * sin) + (second * cos);
        Value y = interleaved
            ? ShapeOperators.Stack(4, a, b).Reshape(new Shape(batch, count, length, turned))
            : Operators.Concat(3, a, b);
        y = turned == width ? y : Operators.Concat(3, y, heads.Slice(3, turned, width));
        y = x.Rank == 3 ? y.Permute(0, 2, 1, 3).Reshape(new Shape(x.Dims)) : y;
        return [Traced.OfPlain(y, x.Type, x.Dims)];
    }

    /// <summary>Cosines or sines [batch, 1, length, half]: rows of a table by positions, or given for every position.</summary>
    private static Value? Angles(TraceCall call, int input, Value heads)
    {
        if (call.FloatInput(input) is not { } table)
        {
            return null;
        }

        int batch = heads.Shape[0], length = heads.Shape[2];
        if (!call.Has(3))
        {
            return table is { Rank: 3 } && table.Dims[0] == batch && table.Dims[1] == length
                ? table.Plain.Reshape(new Shape(batch, 1, length, table.Dims[2]))
                : null;
        }

        return table.Rank == 2 && call.Input(3) is { Rank: 2 } positions && positions.Dims[0] == batch
            && positions.Dims[1] == length && call.Places(3, table.Dims[0]) is { } places
            ? table.Plain.IndexSelect(0, places.Reshape(new Shape(batch * length)))
                .Reshape(new Shape(batch, 1, length, table.Dims[1]))
            : null;
    }
}
