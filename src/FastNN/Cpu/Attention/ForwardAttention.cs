using FastNN.Kernels;

namespace FastNN.Cpu;

/// <summary>
/// One head's outputs for a span of queries: block after block of keys, with the running maximum and sum of each row (Milakov and
/// Gimelshein, 2018); what was added up so far is scaled down where a block has a larger maximum.
/// </summary>
internal static unsafe class ForwardAttention<TLanes>
    where TLanes : struct, IVectorLanes<TLanes>
{
    private static int TileRows => AttentionScores<TLanes>.Rows;

    public static void Run(in AttentionPointers p, int batch, int head, int first, int end, float* scratch)
    {
        AttentionGeometry g = p.Geometry;
        int keys = p.KeysOf(batch), shift = g.Shift(keys);
        float* query = p.Query + AttentionPointers.Place(g.Query, batch, head, 0);
        float* key = p.Key + AttentionPointers.Place(g.Key, batch, head / g.Group, 0);
        float* value = p.Value + AttentionPointers.Place(g.Value, batch, head / g.Group, 0);
        float* output = p.Output + AttentionPointers.Place(g.Output, batch, head, 0);
        (nint queryRow, nint outputRow, nint valueRow) = ((nint)g.Query.Row, (nint)g.Output.Row, (nint)g.Value.Row);

        float* panels = scratch;
        float* scores = panels + AttentionScores<TLanes>.PanelFloats(g.Width);
        float* largest = scores + (TileRows * AttentionBlock.Keys);
        float* sums = largest + (end - first);
        new Span<float>(largest, end - first).Fill(float.NegativeInfinity);
        new Span<float>(sums, end - first).Clear();
        int seen = Math.Clamp(end + shift, 0, keys);
        for (int firstKey = 0; firstKey < seen; firstKey += AttentionBlock.Keys)
        {
            int count = Math.Min(AttentionBlock.Keys, seen - firstKey);
            AttentionScores<TLanes>.PackRows(
                key + (firstKey * (nint)g.Key.Row), (nint)g.Key.Row, count, g.Width, panels);
            for (int row = first; row < end; row += TileRows)
            {
                int rows = Math.Min(TileRows, end - row), columns = Math.Clamp(row + rows + shift - firstKey, 0, count);
                if (columns == 0)
                {
                    continue;
                }

                AttentionScores<TLanes>.Multiply(
                    query + (row * queryRow), queryRow, rows, g.Width, panels, columns, scores);
                for (int r = 0; r < rows; r++)
                {
                    int visible = Math.Clamp(row + r + 1 + shift - firstKey, 0, columns);
                    ref float peak = ref largest[row + r - first];
                    float factor = Weigh(
                        p, batch, head, row + r, firstKey, scores + (r * AttentionBlock.Keys), visible, columns, ref peak,
                        ref sums[row + r - first]);
                    if (firstKey > 0 && factor != 1)
                    {
                        AttentionScores<TLanes>.Scale(output + ((row + r) * outputRow), g.ValueWidth, factor);
                    }
                }

                AttentionScores<TLanes>.MultiplyRows(
                    scores, rows, columns, value + (firstKey * valueRow), valueRow, g.ValueWidth, output + (row * outputRow),
                    outputRow, firstKey == 0 ? Epilogue.Store : Epilogue.Add);
            }
        }

        for (int row = first; row < end; row++)
        {
            float sum = sums[row - first], peak = largest[row - first];
            if (sum == 0)
            {
                new Span<float>(output + (row * outputRow), g.ValueWidth).Clear();
            }
            else
            {
                AttentionScores<TLanes>.Scale(output + (row * outputRow), g.ValueWidth, 1 / sum);
            }

            if (p.LogSums != null)
            {
                p.LogSums[p.Statistic(batch, head, row)] = sum == 0 ? float.PositiveInfinity : peak + MathF.Log(sum);
            }
        }
    }

    /// <summary>Scores of a row become weights; the factor for what was added up so far.</summary>
    private static float Weigh(
        in AttentionPointers p, int batch, int head, int query, int firstKey, float* row, int visible, int columns,
        ref float peak, ref float sum)
    {
        AttentionGeometry g = p.Geometry;
        byte* mask = p.MaskRow(batch, head, query);
        if (mask != null)
        {
            mask += firstKey * (nint)g.Mask.Key * (g.MaskKind == MaskKind.Added ? sizeof(float) : 1);
        }

        float largest = Math.Max(
            peak, AttentionScores<TLanes>.Mask(row, visible, g.Scale, g.MaskKind, mask, g.Mask.Key));

        // Where everything is forbidden so far, nothing may be subtracted from -infinity.
        float shift = float.IsNegativeInfinity(largest) ? 0 : largest;
        float factor = float.IsNegativeInfinity(peak) ? 1 : MathF.Exp(peak - shift);
        sum = (sum * factor) + AttentionScores<TLanes>.Exponentials(row, visible, columns, shift);
        peak = largest;
        return factor;
    }
}
