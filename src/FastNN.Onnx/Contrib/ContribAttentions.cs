using FastNN.Onnx.Model;
using FastNN.Onnx.Passes;

namespace FastNN.Onnx.Contrib;

/// <summary>Attention in ONNX Runtime's forms, by the standard's Attention.</summary>
internal static class ContribAttentions
{
    /// <summary>
    /// Attention with its projection: input, weights, bias, mask [B, keys]. Lengths in the mask's place, pasts and shared
    /// buffers are not here.
    /// </summary>
    public static FunctionDef? Attention(FunctionBody body)
    {
        long heads = body.Int("num_heads", 0);
        if (body.Has(4) || body.Int("do_rotary", 0) != 0 || heads <= 0)
        {
            return null;
        }

        string packed = body.Sum(body.Add("MatMul", [body.In(0), body.In(1)]), body.In(2));
        string[] parts = body.Attribute("qkv_hidden_sizes") is { Ints: [var q, var k, var v] }
            ? body.Add("Split", [packed, body.Longs(q, k, v)], 3, InitializerDef.Int("axis", -1))
            : body.Add("Split", [packed], 3, InitializerDef.Int("axis", -1), InitializerDef.Int("num_outputs", 3));
        string mask = body.Has(3) ? Padding(body, body.In(0), body.In(0), body.In(3)) : "";
        mask = mask.Length == 0 ? body.In(5) : body.Sum(mask, body.In(5));
        return body.Returns(Attended(body, parts, heads, heads, mask, "", "")[0]);
    }

    /// <summary>Attention of projected queries, keys and values [B, length, heads times width].</summary>
    public static FunctionDef? MultiHead(FunctionBody body)
    {
        long heads = body.Int("num_heads", 0);
        if (!body.Has(1) || !body.Has(2) || heads <= 0 || body.Has(6) != body.Has(7) || body.Has(8))
        {
            return null;
        }

        string[] parts = [body.In(0), body.In(1), body.In(2)];
        if (body.Has(3))
        {
            string sizes = body.Add(
                "Concat", [body.Extent(parts[0], 2), body.Extent(parts[1], 2), body.Extent(parts[2], 2)],
                InitializerDef.Int("axis", 0));
            string[] biases = body.Add("Split", [body.In(3), sizes], 3, InitializerDef.Int("axis", 0));
            parts = [.. parts.Zip(biases, body.Sum)];
        }

        string mask = body.Has(4) ? Padding(body, parts[0], parts[1], body.In(4)) : "";
        mask = mask.Length == 0 ? body.In(5) : body.Sum(mask, body.In(5));
        return body.Returns(Attended(body, parts, heads, heads, mask, body.In(6), body.In(7)));
    }

    /// <summary>
    /// Attention of grouped queries with a cache and rotary positions. All sequences of a batch are as long as the past and the
    /// new tokens together, as they are where nothing is padded; windows and packed positions are not here.
    /// </summary>
    public static FunctionDef? GroupQuery(FunctionBody body)
    {
        long heads = body.Int("num_heads", 0), groups = body.Int("kv_num_heads", 0);
        if (heads <= 0 || groups <= 0 || body.Int("local_window_size", -1) > 0 || body.Has(9) || body.Has(11)
            || body.Int("smooth_softmax", 0) > 0 || body.Has(3) != body.Has(4))
        {
            return null;
        }

        string[] parts = [body.In(0), body.In(1), body.In(2)];
        if (!body.Has(1))
        {
            string width = body.Add("Div", [body.Extent(parts[0], 2), body.Longs(heads + (2 * groups))]);
            string sizes = body.Add("Mul", [body.Longs(heads, groups, groups), width]);
            parts = body.Add("Split", [parts[0], sizes], 3, InitializerDef.Int("axis", -1));
        }

        if (body.Int("do_rotary", 0) != 0)
        {
            string places = Places(body, parts[0]);
            AttributeDef interleaved = InitializerDef.Int("interleaved", body.Int("rotary_interleaved", 0));
            parts[0] = body.Add("RotaryEmbedding", [parts[0], body.In(7), body.In(8), places],
                InitializerDef.Int("num_heads", heads), interleaved);
            parts[1] = body.Add("RotaryEmbedding", [parts[1], body.In(7), body.In(8), places],
                InitializerDef.Int("num_heads", groups), interleaved);
        }

        return body.Returns(Attended(body, parts, heads, groups, body.In(10), body.In(3), body.In(4), isCausal: true));
    }

    /// <summary>The places of new tokens behind the past, [B, length].</summary>
    private static string Places(FunctionBody body, string x)
    {
        string past = body.Has(3) ? body.Extent(body.In(3), 2) : body.Longs(0), length = body.Extent(x, 1);
        string end = body.Add("Squeeze", [body.Add("Add", [past, length])]), start = body.Add("Squeeze", [past]);
        string range = body.Add("Range", [start, end, body.Constant(OnnxTensor.Create([1L]))]);
        return body.Add("Expand", [range, body.Add("Concat", [body.Extent(x, 0), length], InitializerDef.Int("axis", 0))]);
    }

    private static string[] Attended(
        FunctionBody body, string[] parts, long heads, long groups, string mask, string pastKey, string pastValue,
        bool isCausal = false)
    {
        var attributes = new List<AttributeDef>
        {
            InitializerDef.Int("q_num_heads", heads), InitializerDef.Int("kv_num_heads", groups),
            InitializerDef.Int("is_causal", isCausal ? 1 : body.Int("unidirectional", 0)),
            InitializerDef.Float("softcap", body.Float("softcap", 0)),
        };
        if (body.Float("scale", 0) is not 0 and var scale)
        {
            attributes.Add(InitializerDef.Float("scale", scale));
        }

        return body.Add("Attention", [.. parts, mask, pastKey, pastValue], 3, [.. attributes]);
    }

    /// <summary>A mask [B, keys] of ones and zeros as what is added to scores [B, heads, queries, keys].</summary>
    private static string Padding(FunctionBody body, string queries, string keys, string mask)
    {
        string shape = body.Add(
            "Concat", [body.Extent(queries, 0), body.Longs(1, 1), body.Extent(keys, 1)], InitializerDef.Int("axis", 0));
        string rows = body.Cast(body.Add("Reshape", [mask, shape]), OnnxElementType.Bool);
        float hidden = body.Float("mask_filter_value", -10000);
        string added = body.Add("Where", [rows, body.Number(0), body.Number(hidden)]);
        string full = body.Add(
            "Concat", [body.Extent(queries, 0), body.Longs(1), body.Extent(queries, 1), body.Extent(keys, 1)],
            InitializerDef.Int("axis", 0));
        return body.Add("Expand", [added, full]);
    }

    /// <summary>Rotary positions [B, length] of heads [B, heads, length, width], or of rows with the number of heads.</summary>
    public static FunctionDef? Rotary(FunctionBody body) => body.Int("scale", 1) != 1 ? null : body.Returns(body.Add(
        "RotaryEmbedding", [body.In(0), body.In(2), body.In(3), body.In(1)],
        InitializerDef.Int("num_heads", body.Int("num_heads", 0)), InitializerDef.Int("interleaved", body.Int("interleaved", 0)),
        InitializerDef.Int("rotary_embedding_dim", body.Int("rotary_embedding_dim", 0))));
}
