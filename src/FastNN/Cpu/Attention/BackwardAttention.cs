using FastNN.Kernels;

namespace FastNN.Cpu;

/// <summary>
/// Gradients for some heads, keys and queries: blocks of weights are computed once more from the logarithms of the sums. With
/// P the weights, dP = dY value^T and dS = scale P (dP - the row's product of dY and y): dValue += P^T dY, dQuery += dS key, dKey
/// += dS^T query.
/// </summary>
internal static unsafe class BackwardAttention<TLanes>
    where TLanes : struct, IVectorLanes<TLanes>
{
    private static int TileRows => AttentionScores<TLanes>.Rows;

    public static void Run(in AttentionPointers p, in GradientPointers gradients, in BackwardRange range, float* scratch)
    {
        AttentionGeometry g = p.Geometry;
        int keyHead = range.HeadFirst / g.Group;
        float* dValue = Begin(
            gradients.Value, g.Value, range.Batch, keyHead, keyHead + 1, range.KeyFirst, range.KeyEnd, g.ValueWidth,
            gradients.AccumulateValue);
        float* dKey = Begin(
            gradients.Key, g.Key, range.Batch, keyHead, keyHead + 1, range.KeyFirst, range.KeyEnd, g.Width,
            gradients.AccumulateKey);
        _ = Begin(
            gradients.Query, g.Query, range.Batch, range.HeadFirst, range.HeadEnd, range.QueryFirst, range.QueryEnd, g.Width,
            gradients.AccumulateQuery);
        int keys = p.KeysOf(range.Batch), shift = g.Shift(keys), lastKey = Math.Min(range.KeyEnd, keys);
        float* key = p.Key + AttentionPointers.Place(g.Key, range.Batch, keyHead, 0);
        float* value = p.Value + AttentionPointers.Place(g.Value, range.Batch, keyHead, 0);
        var block = new Block
        {
            Scale = g.Scale,
            Shift = shift,
            KeyPanels = scratch,
            ValuePanels = scratch + AttentionScores<TLanes>.PanelFloats(g.Width),
        };
        block.Weights = block.ValuePanels + AttentionScores<TLanes>.PanelFloats(g.ValueWidth);
        block.Gradients = block.Weights + (AttentionBlock.Queries * AttentionBlock.Keys);
        for (int firstKey = range.KeyFirst; firstKey < lastKey; firstKey += AttentionBlock.Keys)
        {
            block.FirstKey = firstKey;
            block.Keys = Math.Min(AttentionBlock.Keys, lastKey - firstKey);
            block.Key = key + (firstKey * (nint)g.Key.Row);
            block.DKey = dKey == null ? null : dKey + (firstKey * (nint)g.Key.Row);
            block.DValue = dValue == null ? null : dValue + (firstKey * (nint)g.Value.Row);
            AttentionScores<TLanes>.PackRows(block.Key, (nint)g.Key.Row, block.Keys, g.Width, block.KeyPanels);
            if (dKey != null || gradients.Query != null)
            {
                AttentionScores<TLanes>.PackRows(
                    value + (firstKey * (nint)g.Value.Row), (nint)g.Value.Row, block.Keys, g.ValueWidth, block.ValuePanels);
            }

            for (int head = range.HeadFirst; head < range.HeadEnd; head++)
            {
                block.DQuery = gradients.Query == null
                    ? null
                    : gradients.Query + AttentionPointers.Place(g.Query, range.Batch, head, 0);
                for (int row = range.QueryFirst; row < range.QueryEnd; row += AttentionBlock.Queries)
                {
                    Differentiate(p, block, range.Batch, head, row, Math.Min(row + AttentionBlock.Queries, range.QueryEnd));
                }
            }
        }
    }

    /// <summary>Where head 0's rows of a gradient begin; its rows are zero unless they are added to.</summary>
    private static float* Begin(
        float* gradient, in HeadLayout layout, int batch, int headFirst, int headEnd, int rowFirst, int rowEnd, int width,
        bool accumulate)
    {
        for (int head = headFirst; gradient != null && !accumulate && head < headEnd; head++)
        {
            for (int row = rowFirst; row < rowEnd; row++)
            {
                new Span<float>(gradient + AttentionPointers.Place(layout, batch, head, row), width).Clear();
            }
        }

        return gradient == null ? null : gradient + AttentionPointers.Place(layout, batch, headFirst, 0);
    }

    /// <summary>One block of queries beside one block of keys.</summary>
    private static void Differentiate(in AttentionPointers p, in Block block, int batch, int head, int first, int end)
    {
        AttentionGeometry g = p.Geometry;
        int columns = Math.Clamp(end + block.Shift - block.FirstKey, 0, block.Keys);
        if (columns == 0)
        {
            return;
        }

        (nint queryRow, nint outputRow) = ((nint)g.Query.Row, (nint)g.Output.Row);
        float* query = p.Query + AttentionPointers.Place(g.Query, batch, head, 0);
        float* dY = p.OutputGradient + AttentionPointers.Place(g.Output, batch, head, 0);
        bool scores = block.DQuery != null || block.DKey != null;
        for (int row = first; row < end; row += TileRows)
        {
            int rows = Math.Min(TileRows, end - row);
            int width = Math.Clamp(row + rows + block.Shift - block.FirstKey, 0, columns);
            float* weights = block.Weights + ((row - first) * AttentionBlock.Keys);
            float* gradients = block.Gradients + ((row - first) * AttentionBlock.Keys);
            if (width > 0)
            {
                AttentionScores<TLanes>.Multiply(
                    query + (row * queryRow), queryRow, rows, g.Width, block.KeyPanels, width, weights);
                if (scores)
                {
                    AttentionScores<TLanes>.Multiply(
                        dY + (row * outputRow), outputRow, rows, g.ValueWidth, block.ValuePanels, width, gradients);
                }
            }

            for (int r = 0; r < rows; r++)
            {
                int visible = Math.Clamp(row + r + 1 + block.Shift - block.FirstKey, 0, width);
                Weigh(
                    p, block, batch, head, row + r, weights + (r * AttentionBlock.Keys),
                    scores ? gradients + (r * AttentionBlock.Keys) : null, visible, columns);
            }

            if (block.DQuery != null && width > 0)
            {
                AttentionScores<TLanes>.MultiplyRows(
                    gradients, rows, width, block.Key, (nint)g.Key.Row, g.Width, block.DQuery + (row * queryRow), queryRow,
                    Epilogue.Add);
            }
        }

        for (int column = 0; column < columns; column += TileRows)
        {
            // Queries before this one do not see the first of these keys, nor those after it.
            int skipped = Math.Clamp(block.FirstKey + column - block.Shift - first, 0, end - first);
            (int rows, int terms) = (Math.Min(TileRows, columns - column), end - first - skipped);
            nint place = ((nint)skipped * AttentionBlock.Keys) + column;
            if (terms > 0 && block.DValue != null)
            {
                AttentionScores<TLanes>.MultiplyTransposed(
                    block.Weights + place, rows, terms, dY + ((first + skipped) * outputRow), outputRow, g.ValueWidth,
                    block.DValue + (column * (nint)g.Value.Row), (nint)g.Value.Row);
            }

            if (terms > 0 && block.DKey != null)
            {
                AttentionScores<TLanes>.MultiplyTransposed(
                    block.Gradients + place, rows, terms, query + ((first + skipped) * queryRow), queryRow, g.Width,
                    block.DKey + (column * (nint)g.Key.Row), (nint)g.Key.Row);
            }
        }
    }

    /// <summary>A row of scores becomes weights, and what came down to them, where it is wanted, the scores' gradients.</summary>
    private static void Weigh(
        in AttentionPointers p, in Block block, int batch, int head, int query, float* row, float* gradients, int visible,
        int columns)
    {
        AttentionGeometry g = p.Geometry;
        nint place = p.Statistic(batch, head, query);
        float factor = g.Scale;
        if (g.MaskKind != MaskKind.None)
        {
            byte* mask = p.MaskRow(batch, head, query);
            mask += block.FirstKey * (nint)g.Mask.Key * (g.MaskKind == MaskKind.Added ? sizeof(float) : 1);
            _ = AttentionScores<TLanes>.Mask(row, visible, g.Scale, g.MaskKind, mask, g.Mask.Key);
            factor = 1;
        }

        if (gradients == null)
        {
            AttentionScores<TLanes>.Weights(row, visible, columns, factor, p.LogSums[place]);
        }
        else
        {
            AttentionScores<TLanes>.Gradients(
                row, gradients, visible, columns, factor, p.LogSums[place], p.Products[place], block.Scale);
        }
    }

    /// <summary>A block of keys, and where its gradients and those of the queries go.</summary>
    private struct Block
    {
        public float Scale;
        public int Shift;
        public int FirstKey;
        public int Keys;
        public float* Key;
        public float* KeyPanels;
        public float* ValuePanels;
        public float* Weights;
        public float* Gradients;
        public float* DQuery;
        public float* DKey;
        public float* DValue;
    }
}
