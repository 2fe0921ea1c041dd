namespace FastNN.Onnx.Host;

/// <summary>Attention, rotary positions and linear attention, in double precision.</summary>
internal static class Attentions
{
    /// <summary>Scaled dot-product attention (opset 23, 24): heads, grouped queries, masks, caches, windows and soft
    /// caps.</summary>
    public static OnnxValue?[] Attention(HostCall call)
    {
        OnnxTensor q = call.Tensor(0), k = call.Tensor(1), v = call.Tensor(2);
        OnnxElementType type = q.ElementType;
        bool packed = q.Rank == 3;
        q = Heads(call, q, call.Int("q_num_heads", 0));
        k = Heads(call, k, call.Int("kv_num_heads", 0));
        v = Heads(call, v, call.Int("kv_num_heads", 0));
        int past = 0;
        if (call.Optional(4) is { } pastKey && call.Optional(5) is { } pastValue)
        {
            past = pastKey.Dims[2];
            k = Shapes.Concat(call, [pastKey, k], 2);
            v = Shapes.Concat(call, [pastValue, v], 2);
        }

        int batch = q.Dims[0], heads = q.Dims[1], queries = q.Dims[2], width = q.Dims[3];
        int groups = k.Dims[1], keys = k.Dims[2], valueWidth = v.Dims[3];
        if (k.Dims[0] != batch || v.Dims[0] != batch || k.Dims[3] != width || v.Dims[1] != groups || v.Dims[2] != keys
            || groups == 0 || heads % groups != 0)
        {
            throw call.Error("keys of the queries' width and values of the keys' length, in heads that divide the queries'",
                $"{q}, {k}, {v}");
        }

        double scale = call.HasAttribute("scale") ? call.Float("scale", 1) : 1 / Math.Sqrt(width), cap = call.Float("softcap", 0);
        long[]? lengths = call.Longs(6);
        double[]? mask = Mask(call, batch, heads, queries, keys);
        double[] qs = Numbers.Doubles(q), ks = Numbers.Doubles(k), vs = Numbers.Doubles(v);
        var y = new double[Shapes.Product([batch, heads, queries, valueWidth])];
        int mode = (int)call.Int("qk_matmul_output_mode", 0);
        double[]? scores = call.Wants(3) ? new double[Shapes.Product([batch, heads, queries, keys])] : null;
        var visible = new Visible(call, past, lengths);
        var row = new double[keys];
        for (int bh = 0; bh < batch * heads; bh++)
        {
            int b = bh / heads, h = bh % heads, from = ((b * groups) + (h / (heads / groups))) * keys;
            for (int i = 0; i < queries; i++)
            {
                int at = ((bh * queries) + i) * keys;
                ReadOnlySpan<double> query = qs.AsSpan(((bh * queries) + i) * width, width);
                double max = double.NegativeInfinity;
                for (int j = 0; j < keys; j++)
                {
                    double score = System.Numerics.Tensors.TensorPrimitives.Dot(query, ks.AsSpan((from + j) * width, width))
                        * scale;
                    Keep(scores, at + j, score, mode == 0);
                    score = cap > 0 ? cap * Math.Tanh(score / cap) : score;
                    Keep(scores, at + j, score, mode == 1);
                    score += mask?[at + j] ?? 0;
                    row[j] = visible.Sees(b, i, j, queries) ? score : double.NegativeInfinity;
                    Keep(scores, at + j, row[j], mode == 2);
                    max = Math.Max(max, row[j]);
                }

                Span<double> output = y.AsSpan(((bh * queries) + i) * valueWidth, valueWidth);
                double sum = 0;
                for (int j = 0; j < keys; j++)
                {
                    // A query that sees no key has an output of zeros.
                    row[j] = double.IsNegativeInfinity(max) ? 0 : Math.Exp(row[j] - max);
                    sum += row[j];
                }

                for (int j = 0; j < keys; j++)
                {
                    double p = sum == 0 ? 0 : row[j] / sum;
                    Keep(scores, at + j, p, mode == 3);
                    for (int d = 0; d < valueWidth; d++)
                    {
                        output[d] += p * vs[((from + j) * valueWidth) + d];
                    }
                }
            }
        }

        OnnxTensor result = Normalizations.Rounded(y, [batch, heads, queries, valueWidth], type);
        return
        [
            packed ? Shapes.Transpose(result, [0, 2, 1, 3]).WithDims([batch, queries, heads * valueWidth]) : result,
            k,
            v,
            scores is null ? null : Normalizations.Rounded(scores, [batch, heads, queries, keys], type),
        ];
    }

    private static void Keep(double[]? scores, int place, double score, bool wanted)
    {
        if (wanted && scores is not null)
        {
            scores[place] = score;
        }
    }

    private static OnnxTensor Heads(HostCall call, OnnxTensor x, long heads)
    {
        if (x.Rank == 4)
        {
            return x;
        }

        if (x.Rank != 3 || heads <= 0 || x.Dims[2] % heads != 0)
        {
            throw call.Error("[batch, heads, length, width], or [batch, length, heads * width] and the number of heads",
                $"{x}, {heads} heads");
        }

        return Shapes.Transpose(x.WithDims([x.Dims[0], x.Dims[1], (int)heads, x.Dims[2] / (int)heads]), [0, 2, 1, 3]);
    }

    /// <summary>What is added to the scores: 0 and minus infinity for a mask of truth values; a short mask hides the keys behind
    /// it.</summary>
    private static double[]? Mask(HostCall call, int batch, int heads, int queries, int keys)
    {
        if (call.Optional(3) is not { } mask)
        {
            return null;
        }

        double[] values = mask.ElementType == OnnxElementType.Bool
            ? Array.ConvertAll(mask.Array<bool>(), seen => seen ? 0 : double.NegativeInfinity)
            : Numbers.Doubles(mask);
        var wide = new OnnxTensor(OnnxElementType.Float64, mask.Dims, values);
        if (mask.Rank > 0 && mask.Dims[^1] < keys && mask.Dims[^1] != 1)
        {
            int[] dims = [.. mask.Dims[..^1], keys];
            wide = Shapes.Take(wide, Indexing.Windowed(mask.Dims, dims, new int[mask.Rank]), dims,
                OnnxTensor.Create([double.NegativeInfinity]));
        }

        int[] all = [batch, heads, queries, keys];
        return Shapes.Broadcast(call, wide.Dims, all).AsSpan().SequenceEqual(all)
            ? Shapes.BroadcastTo(wide, all).Array<double>()
            : throw call.Error($"a mask that broadcasts to {OnnxTensor.Text(all)}", mask.ToString());
    }

    /// <summary>Which keys a query may attend to, by place alone.</summary>
    private readonly struct Visible(HostCall call, int past, long[]? lengths)
    {
        private readonly bool _causal = call.Flag("is_causal");
        private readonly long _left = call.Int("left_window_size", -1);
        private readonly long _right = call.Int("right_window_size", -1);

        public bool Sees(int b, int query, int key, int queries)
        {
            if (lengths is not null && key >= lengths[b])
            {
                return false;
            }

            long place = query + (past > 0 || lengths is null ? past : lengths[b] - queries);
            return (!_causal || key <= place) && (_left < 0 || key >= place - _left) && (_right < 0 || key <= place + _right);
        }
    }

    /// <summary>RotaryEmbedding (opset 23; Su et al., 2021): pairs of elements turned by an angle that the position
    /// decides.</summary>
    public static OnnxValue?[] Rotary(HostCall call)
    {
        OnnxTensor x = call.Tensor(0);
        bool packed = x.Rank == 3;
        OnnxTensor heads = Heads(call, x, call.Int("num_heads", 0));
        int batch = heads.Dims[0], count = heads.Dims[1], length = heads.Dims[2], width = heads.Dims[3];
        int turned = (int)call.Int("rotary_embedding_dim", 0) is > 0 and var some ? some : width, half = turned / 2;
        double[] from = Numbers.Doubles(heads), to = (double[])from.Clone();
        double[] cosines = Numbers.Doubles(call.Tensor(1)), sines = Numbers.Doubles(call.Tensor(2));
        long[]? positions = call.Longs(3);
        int rows = call.Tensor(1).Count / Math.Max(half, 1);
        if (turned > width || call.Tensor(1).Dims[^1] != half || call.Tensor(2).Count != call.Tensor(1).Count)
        {
            throw call.Error($"cosines and sines of {half} angles", $"{call.Tensor(1)} and {call.Tensor(2)}");
        }

        bool interleaved = call.Flag("interleaved");
        for (int i = 0; i < batch * count * length; i++)
        {
            int t = i % length, b = i / (count * length);
            long angles = positions is null ? (b * (long)length) + t : positions[(b * length) + t];
            if (angles < 0 || angles >= rows)
            {
                throw call.Error($"positions from 0 to {rows - 1}", $"{angles}");
            }

            for (int d = 0; d < half; d++)
            {
                int first = (i * width) + (interleaved ? 2 * d : d), second = first + (interleaved ? 1 : half);
                double cos = cosines[(angles * half) + d], sin = sines[(angles * half) + d];
                to[first] = (cos * from[first]) - (sin * from[second]);
                to[second] = (sin * from[first]) + (cos * from[second]);
            }
        }

        OnnxTensor result = Normalizations.Rounded(to, heads.Dims, x.ElementType);
        return HostCall.One(packed ? Shapes.Transpose(result, [0, 2, 1, 3]).WithDims(x.Dims) : result);
    }

    /// <summary>LinearAttention (opset 27): a matrix of state per head, decayed and updated step by step.</summary>
    public static OnnxValue?[] Linear(HostCall call)
    {
        OnnxTensor query = call.Tensor(0), key = call.Tensor(1), value = call.Tensor(2);
        int heads = (int)call.Int("q_num_heads", 1), groups = (int)call.Int("kv_num_heads", 1);
        int batch = query.Dims[0], steps = query.Dims[1], width = query.Dims[2] / heads, valueWidth = value.Dims[2] / groups;
        string rule = call.Text("update_rule", "gated_delta");
        bool gated = rule is "gated" or "gated_delta", delta = rule is "delta" or "gated_delta";
        double scale = call.Float("scale", 0) is var s && s != 0 ? s : 1 / Math.Sqrt(width);
        double[] q = Numbers.Doubles(query), k = Numbers.Doubles(key), v = Numbers.Doubles(value);
        double[]? decay = gated ? Numbers.Doubles(call.Tensor(4)) : null, beta = delta ? Numbers.Doubles(call.Tensor(5)) : null;
        int decayWidth = gated ? call.Tensor(4).Dims[2] : 0, betaWidth = delta ? call.Tensor(5).Dims[2] : 0;
        double[] state = call.Optional(3) is { } past ? (double[])Numbers.Doubles(past).Clone()
            : new double[batch * groups * width * valueWidth];
        var y = new double[Shapes.Product([batch, steps, heads, valueWidth])];
        for (int b = 0; b < batch; b++)
        {
            for (int g = 0; g < groups; g++)
            {
                Span<double> matrix = state.AsSpan(((b * groups) + g) * width * valueWidth, width * valueWidth);
                for (int t = 0; t < steps; t++)
                {
                    int at = (b * steps) + t;
                    for (int i = 0; i < width && gated; i++)
                    {
                        double rate = Math.Exp(decay![(at * decayWidth) + (decayWidth == groups ? g : (g * width) + i)]);
                        System.Numerics.Tensors.TensorPrimitives
                            .Multiply(matrix.Slice(i * valueWidth, valueWidth), rate, matrix.Slice(i * valueWidth, valueWidth));
                    }

                    ReadOnlySpan<double> keys = k.AsSpan(((at * groups) + g) * width, width);
                    double rateOfUpdate = delta ? beta![(at * betaWidth) + (betaWidth == 1 ? 0 : g)] : 1;
                    for (int d = 0; d < valueWidth; d++)
                    {
                        double known = 0;
                        for (int i = 0; i < width && delta; i++)
                        {
                            known += matrix[(i * valueWidth) + d] * keys[i];
                        }

                        double update = rateOfUpdate * (v[(((at * groups) + g) * valueWidth) + d] - known);
                        for (int i = 0; i < width; i++)
                        {
                            matrix[(i * valueWidth) + d] += keys[i] * update;
                        }
                    }

                    for (int h = g * (heads / groups); h < (g + 1) * (heads / groups); h++)
                    {
                        for (int d = 0; d < valueWidth; d++)
                        {
                            double sum = 0;
                            for (int i = 0; i < width; i++)
                            {
                                sum += q[(((at * heads) + h) * width) + i] * matrix[(i * valueWidth) + d];
                            }

                            y[(((at * heads) + h) * valueWidth) + d] = scale * sum;
                        }
                    }
                }
            }
        }

        return
        [
            Normalizations.Rounded(y, [batch, steps, heads * valueWidth], query.ElementType),
            Normalizations.Rounded(state, [batch, groups, width, valueWidth], query.ElementType),
        ];
    }

    /// <summary>CausalConvWithState (opset 27): a depthwise convolution over the past, which the state carries from call to
    /// call.</summary>
    public static OnnxValue?[] CausalConv(HostCall call)
    {
        OnnxTensor x = call.Tensor(0), weight = call.Tensor(1);
        int batch = x.Dims[0], channels = x.Dims[1], length = x.Dims[2], size = weight.Dims[2];
        OnnxTensor past = call.Optional(3) ?? OnnxTensor.Zeros(x.ElementType, [batch, channels, size - 1]);
        OnnxTensor all = Shapes.Concat(call, [past, x], 2);
        double[] from = Numbers.Doubles(all), filter = Numbers.Doubles(weight), to = new double[x.Count];
        double[]? bias = call.Optional(2) is { } b ? Numbers.Doubles(b) : null;
        bool silu = call.Text("activation", "none") is "silu" or "swish";
        for (int row = 0; row < batch * channels; row++)
        {
            for (int t = 0; t < length; t++)
            {
                double sum = (bias?[row % channels] ?? 0)
                    + System.Numerics.Tensors.TensorPrimitives.Dot<double>(
                        from.AsSpan((row * (length + size - 1)) + t, size), filter.AsSpan(row % channels * size, size));
                to[(row * length) + t] = silu ? sum / (1 + Math.Exp(-sum)) : sum;
            }
        }

        return [Normalizations.Rounded(to, x.Dims, x.ElementType), Shapes.Slice(all, 2, length, size - 1)];
    }
}
