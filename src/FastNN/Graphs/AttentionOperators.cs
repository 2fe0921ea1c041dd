using FastNN.Graphs;
using FastNN.Ops;

namespace FastNN;

/// <summary>Attention and positions, as fluent calls on values.</summary>
public static class AttentionOperators
{
    /// <summary>
    /// softmax(scale query key^T + mask) value, as PyTorch's scaled_dot_product_attention; memory grows with the length, not its
    /// square. A query that may see no key gives 0, as in PyTorch since 2.5 (before, NaN). With dropout, or a mask that is
    /// computed
    /// from parameters and so gets a gradient, the scores are written out.
    /// </summary>
    /// <param name="query">[B, H, Tq, D], or without the axis of heads or also the batch axis.</param>
    /// <param name="key">[B, Hk, Tk, D]; Hk divides H, and neighboring heads of queries share one (grouped queries).</param>
    /// <param name="value">[B, Hk, Tk, Dv].</param>
    /// <param name="mask">Broadcasts to [B, H, Tq, Tk]: Bool, true where a key may be seen, or Float32, added to the scaled
    /// scores;
    /// null for none.</param>
    /// <param name="causal">Which keys a query sees by its place; default all. May stand beside a mask.</param>
    /// <param name="scale">Default 1 / sqrt(D).</param>
    /// <param name="dropout">The probability that a weight becomes 0 while training; default 0.</param>
    /// <param name="lengths">How many keys are valid, Int32 [B] or [1], such as the filled part of a buffer of keys and
    /// values; with
    /// <see cref="CausalMask.LowerRight"/> the last query sees the last valid one. Null: all are.</param>
    /// <param name="headsLast">Operands and result are [B, T, H, D], as a product gives them; default false.</param>
    /// <returns>[B, H, Tq, Dv].</returns>
    /// <exception cref="ShapeException">The shapes or types do not fit, or the rate is out of range.</exception>
    public static Value ScaledDotProductAttention(
        this Value query, Value key, Value value, Value? mask = null, CausalMask causal = CausalMask.None, float? scale = null,
        float dropout = 0, Value? lengths = null, bool headsLast = false)
    {
        ArgumentNullException.ThrowIfNull(key);
        ArgumentNullException.ThrowIfNull(value);
        RequireCausal(nameof(ScaledDotProductAttention), causal);
        int rank = query.Shape.Rank;
        if (rank is 2 or 3 && key.Shape.Rank == rank && value.Shape.Rank == rank && !headsLast)
        {
            Shape shape = query.Shape;
            Value? expanded = mask is { Shape.Rank: 3 } && rank == 3 ? WithHeads(mask) : mask;
            Value y = WithHeads(query).ScaledDotProductAttention(
                WithHeads(key), WithHeads(value), expanded, causal, scale, dropout, lengths);
            return y.Reshape([.. shape[..^1], value.Shape[-1]]);
        }

        if (query.Graph.Decoding is { } decoding && rank == 4 && key.Shape.Rank == 4 && value.Shape.Rank == 4
            && key.Shape[headsLast ? 1 : 2] == decoding.Steps)
        {
            bool isPlain = mask is null && lengths is null;
            return headsLast
                ? decoding.Attend(query, key, value, causal, scale, isPlain)
                : decoding.Attend(
                    query.Transpose(1, 2), key.Transpose(1, 2), value.Transpose(1, 2), causal, scale, isPlain).Transpose(1, 2);
        }

        if (dropout != 0 || (mask is not null && ComposedAttention.DependsOnParameters(mask)))
        {
            if (lengths is not null)
            {
                throw new ShapeException(
                    $"ScaledDotProductAttention: expected no lengths beside a dropout (got {dropout}) or a mask with a gradient; give a boolean mask.");
            }

            return ComposedAttention.Record(query, key, value, mask, causal, scale, dropout, headsLast, out _);
        }

        var op = new ScaledDotProductOp(
            headsLast ? AttentionLayout.HeadsLast : AttentionLayout.HeadsFirst, 0, 0, scale, causal, mask is not null,
            lengths is not null);
        return query.Graph.Add(op, [query, key, value, .. Optional(mask), .. Optional(lengths)]);
    }

    /// <summary>
    /// Attention of queries, keys and values that lie side by side, as one product gives them: nothing is copied. As
    /// <see cref="ScaledDotProductAttention"/>.
    /// </summary>
    /// <param name="packed">[B, T, (heads + 2 keyHeads) D]: the heads of the queries, then those of the keys and of the
    /// values.</param>
    /// <param name="heads">Heads of the queries.</param>
    /// <param name="keyHeads">Heads of keys and values, which divide those; default as many.</param>
    /// <param name="mask">Broadcasts to [B, heads, T, T]; null for none.</param>
    /// <param name="causal">Which keys a query sees by its place; default all.</param>
    /// <param name="scale">Default 1 / sqrt(D).</param>
    /// <param name="lengths">How many keys are valid, Int32 [B] or [1]; null: all are.</param>
    /// <returns>[B, T, heads D].</returns>
    /// <exception cref="ShapeException">The shapes or types do not fit.</exception>
    public static Value PackedAttention(
        this Value packed, int heads, int? keyHeads = null, Value? mask = null, CausalMask causal = CausalMask.None,
        float? scale = null, Value? lengths = null)
    {
        RequireCausal(nameof(PackedAttention), causal);
        if (packed.Graph.Decoding is { } decoding)
        {
            return packed.Graph.Compose(
                () => DecodePacked(decoding, packed, heads, keyHeads ?? heads, causal, scale, mask is null && lengths is null));
        }

        var op = new ScaledDotProductOp(
            AttentionLayout.Packed, heads, keyHeads ?? heads, scale, causal, mask is not null, lengths is not null);
        return packed.Graph.Compose(() => packed.Graph.Add(op, [packed, .. Optional(mask), .. Optional(lengths)]));
    }

    /// <summary>
    /// Rotates rows by their positions (rotary embedding, Su et al., 2021): pair i of position p is turned by p base^(-2i / D).
    /// </summary>
    /// <param name="x">Positions along one axis, D along the last: [B, T, H, D] by default.</param>
    /// <param name="maxPositions">Positions are 0 to this less 1.</param>
    /// <param name="timeAxis">The axis of positions; default -3, the third from the end; -2 for [B, H, T, D].</param>
    /// <param name="theta">The base; default 10,000.</param>
    /// <param name="interleaved">Elements 2i and 2i + 1 are a pair, as the authors have it; default false, i and i + D / 2 (as
    /// GPT-NeoX and LLaMA in transformers).</param>
    /// <param name="positions">Int32 [T] or [B, T]; default 0, 1, 2 ... from <paramref name="offset"/> on.</param>
    /// <param name="offset">The position of the first row where they are not given; default 0.</param>
    /// <param name="rotated">Rows of a position that are rotated, the others are kept: heads of queries and keys, but not of
    /// values, in a packed product. Default all.</param>
    /// <returns>A value of x's shape.</returns>
    /// <exception cref="ShapeException">The shapes do not fit, D is odd, or there are more positions.</exception>
    public static Value Rotary(
        this Value x, int maxPositions, int timeAxis = -3, float theta = 10_000, bool interleaved = false,
        Value? positions = null, int offset = 0, int? rotated = null)
    {
        ArgumentNullException.ThrowIfNull(x);
        if (!(theta > 0) || !float.IsFinite(theta))
        {
            throw new ArgumentOutOfRangeException(nameof(theta), $"Rotary: expected a finite theta above 0, got {theta}.");
        }

        int rank = x.Shape.Rank, width = rank == 0 ? 0 : x.Shape[-1];

        if (rank < 2 || Dim.IsSymbol(width))
        {
            throw new ShapeException($"Rotary: expected rows of a known width and an axis of positions, got {x.Shape}.");
        }

        int time = x.Shape.NormalizeAxis(timeAxis, nameof(Rotary));
        if (x.Graph.Decoding is { } decoding && positions is null && x.Shape[time] == decoding.Steps)
        {
            decoding.RequirePositions(maxPositions - offset);
            positions = decoding.Positions(offset);
        }

        Value table = x.Graph.Constant(PositionTables.Rotary(maxPositions, width, theta), new Shape(maxPositions, width));
        var op = new RotaryOp(time - rank, rotated ?? -1, interleaved, offset);
        return positions is null ? x.Graph.Add(op, x, table) : x.Graph.Add(op, x, table, positions);
    }

    /// <summary>The first rows of a table, of which there must be so many; their number may be a symbol. Moves nothing.</summary>
    internal static Value FirstRows(this Value table, int count) =>
        table.Graph.Decoding is { } decoding && count == decoding.Steps ? decoding.Rows(table)
        : table.Shape[0] == count ? table
        : table.Graph.Add(new SliceOp(-table.Shape.Rank, 0, count, 1, IsLeading: true) { IsExact = true }, table);

    private static Value DecodePacked(
        Decoding decoding, Value packed, int heads, int keyHeads, CausalMask causal, float? scale, bool isPlain)
    {
        Shape x = packed.Shape;
        int rows = heads + (2 * keyHeads);
        if (heads < 1 || keyHeads < 1 || x.Rank != 3 || x[2] % rows != 0)
        {
            throw new ShapeException(
                $"PackedAttention: expected queries, keys and values as [B, T, {rows} D] for {heads} heads and {keyHeads} of the keys, got {x}.");
        }

        int width = x[2] / rows;
        Value[] parts = packed.Split(2, heads * width, keyHeads * width, keyHeads * width);
        Value Heads(int part, int count) => parts[part].Reshape([x[0], x[1], count, width]);
        return decoding.Attend(Heads(0, heads), Heads(1, keyHeads), Heads(2, keyHeads), causal, scale, isPlain)
            .Reshape([x[0], x[1], heads * width]);
    }

    private static Value[] Optional(Value? value) => value is null ? [] : [value];

    /// <summary>[T, D] or [B, T, D] with one head.</summary>
    private static Value WithHeads(Value x)
    {
        Shape shape = x.Shape;
        return x.Reshape(shape.Rank == 2 ? [1, 1, shape[0], shape[1]] : [shape[0], 1, shape[1], shape[2]]);
    }

    private static void RequireCausal(string name, CausalMask causal)
    {
        if (!Enum.IsDefined(causal))
        {
            throw new ArgumentOutOfRangeException(
                nameof(causal), $"{name}: expected a member of CausalMask, got {causal}.");
        }
    }
}

/// <summary>Attention written from products and a softmax, where its weights are wanted themselves.</summary>
internal static class ComposedAttention
{
    /// <summary>y as <see cref="AttentionOperators.ScaledDotProductAttention"/> has it.</summary>
    /// <param name="weights">[B, H, Tq, Tk] before dropout.</param>
    public static Value Record(
        Value query, Value key, Value value, Value? mask, CausalMask causal, float? scale, float dropout, bool headsLast,
        out Value weights)
    {
        if (query.Shape.Rank != 4 || key.Shape.Rank != 4 || value.Shape.Rank != 4)
        {
            string form = headsLast ? "[B, T, H, D]" : "[B, H, T, D]";
            throw new ShapeException(
                $"ScaledDotProductAttention: expected query, key and value {form}, got {query.Shape}, {key.Shape} and {value.Shape}.");
        }

        Graph graph = query.Graph;
        if (graph.Decoding is { } decoding && key.Shape[headsLast ? 1 : 2] == decoding.Steps)
        {
            throw new ShapeException(
                "ScaledDotProductAttention: a decoder cannot give the weights of self-attention; expected them not to be asked for.");
        }

        if (headsLast)
        {
            (query, key, value) = (query.Transpose(1, 2), key.Transpose(1, 2), value.Transpose(1, 2));
        }

        int heads = query.Shape[1], keyHeads = key.Shape[1];
        if (keyHeads < 1 || heads % keyHeads != 0)
        {
            throw new ShapeException(
                $"ScaledDotProductAttention: expected a number of heads of the keys that divides that of the queries, got {keyHeads} and {heads}.");
        }

        // Heads that share one of the keys are an axis along which the products broadcast.
        bool grouped = keyHeads != heads;
        Shape q = query.Shape, k = key.Shape;
        if (grouped)
        {
            query = query.Reshape([q[0], keyHeads, heads / keyHeads, q[2], q[3]]);
            key = key.Reshape([k[0], keyHeads, 1, k[2], k[3]]);
            value = value.Reshape([k[0], keyHeads, 1, k[2], value.Shape[3]]);
        }

        Value scores = query.MatMul(key, transposeB: true)
            * graph.Constant(scale ?? (float)(1 / Math.Sqrt(q[3])));
        Shape full = [q[0], heads, q[2], k[2]];
        scores = grouped ? scores.Reshape(full) : scores;
        Value never = graph.Constant(float.NegativeInfinity);
        if (causal != CausalMask.None)
        {
            scores = ShapeOperators.Where(Allowed(graph, q[2], k[2], causal), scores, never);
        }

        if (mask is not null)
        {
            scores = mask.Type == DType.Bool ? ShapeOperators.Where(mask, scores, never) : scores + mask;
        }

        weights = scores.Softmax();
        Value kept = weights.Dropout(dropout);
        kept = grouped ? kept.Reshape([q[0], keyHeads, heads / keyHeads, q[2], k[2]]) : kept;
        Value y = kept.MatMul(value);
        y = grouped ? y.Reshape([q[0], heads, q[2], value.Shape[^1]]) : y;
        return headsLast ? y.Transpose(1, 2) : y;
    }

    /// <summary>Whether training would give the value a gradient.</summary>
    public static bool DependsOnParameters(Value value)
    {
        var seen = new HashSet<Value>();
        var open = new Stack<Value>([value]);
        while (open.TryPop(out Value? next))
        {
            if (next.Parameter is { IsBuffer: false })
            {
                return true;
            }

            foreach (Value input in next.Producer?.Inputs ?? [])
            {
                if (seen.Add(input))
                {
                    open.Push(input);
                }
            }
        }

        return false;
    }

    private static Value Allowed(Graph graph, int queries, int keys, CausalMask causal)
    {
        if (Dim.IsSymbol(queries) || Dim.IsSymbol(keys))
        {
            throw new ShapeException(
                "ScaledDotProductAttention: expected numbers for the lengths where weights are dropped or wanted themselves under a causal mask; give a boolean mask instead.");
        }

        int shift = causal == CausalMask.LowerRight ? keys - queries : 0;
        var allowed = new float[queries * keys];
        for (int i = 0; i < allowed.Length; i++)
        {
            allowed[i] = i % keys <= (i / keys) + shift ? 1 : 0;
        }

        return graph.Constant(allowed, new Shape(queries, keys)).Cast(DType.Bool);
    }
}

/// <summary>Tables of positions.</summary>
internal static class PositionTables
{
    /// <summary>A gigabyte; it is computed number by number while recording.</summary>
    public const int MaxElements = 1 << 28;

    /// <summary>[positions, width]: the cosines of the pairs' angles, then their sines.</summary>
    public static float[] Rotary(int positions, int width, float theta)
    {
        Require("Rotary", positions, width);
        var table = new float[positions * width];
        for (int position = 0; position < positions; position++)
        {
            for (int pair = 0; pair < width / 2; pair++)
            {
                double angle = position * Math.Pow(theta, -2.0 * pair / width);
                table[(position * width) + pair] = (float)Math.Cos(angle);
                table[(position * width) + (width / 2) + pair] = (float)Math.Sin(angle);
            }
        }

        return table;
    }

    private static void Require(string name, int positions, int width)
    {
        if (positions < 1 || (long)positions * width > MaxElements)
        {
            throw new ArgumentOutOfRangeException(
                nameof(positions),
                $"{name}: expected at least one position and at most {MaxElements} numbers in a table of {width} per position, got {positions}.");
        }
    }

    /// <summary>
    /// [positions, width] of Vaswani et al. (2017): at 2i the sine of position / 10000^(2i / width), at 2i + 1 its cosine.
    /// </summary>
    public static float[] Sinusoidal(int positions, int width)
    {
        Require("SinusoidalPositions", positions, width);
        var table = new float[positions * width];
        for (int i = 0; i < table.Length; i++)
        {
            (int position, int column) = Math.DivRem(i, width);
            double angle = position * Math.Pow(10_000, -2.0 * (column / 2) / width);
            table[i] = (float)(column % 2 == 0 ? Math.Sin(angle) : Math.Cos(angle));
        }

        return table;
    }
}
