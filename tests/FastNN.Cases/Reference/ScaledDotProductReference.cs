using FastNN.Kernels;

namespace FastNN.Testing;

/// <summary>
/// Attention by its definition, in double: all scores of a query, their softmax, the weighted sum of the values. A query that
/// sees
/// no key gives 0.
/// </summary>
internal sealed class ScaledDotProductReference(AttentionGeometry g, double[] query, double[] key, double[] value, double[]? mask)
{
    /// <summary>How many keys of each example are valid; null: all.</summary>
    public int[]? Lengths { get; init; }

    public double[] Forward()
    {
        var y = new double[g.Batch * g.Heads * g.Queries * g.ValueWidth];
        ForEachRow((batch, head, row, weights) =>
        {
            for (int k = 0; k < g.Keys; k++)
            {
                for (int c = 0; c < g.ValueWidth; c++)
                {
                    y[At(g.Output, batch, head, row, c)] +=
                        weights[k] * value[At(g.Value, batch, head / g.Group, k, c)];
                }
            }
        });
        return y;
    }

    /// <summary>Adds the gradients; those of packed operands may be one array.</summary>
    public void Backward(double[] dY, double[] dQuery, double[] dKey, double[] dValue)
    {
        ForEachRow((batch, head, row, weights) =>
        {
            int keyHead = head / g.Group;
            var slopes = new double[g.Keys];
            double mean = 0;
            for (int k = 0; k < g.Keys; k++)
            {
                for (int c = 0; c < g.ValueWidth; c++)
                {
                    double upstream = dY[At(g.Output, batch, head, row, c)];
                    dValue[At(g.Value, batch, keyHead, k, c)] += weights[k] * upstream;
                    slopes[k] += upstream * value[At(g.Value, batch, keyHead, k, c)];
                }

                mean += weights[k] * slopes[k];
            }

            for (int k = 0; k < g.Keys; k++)
            {
                double slope = weights[k] * (slopes[k] - mean) * g.Scale;
                for (int c = 0; c < g.Width; c++)
                {
                    dQuery[At(g.Query, batch, head, row, c)] += slope * key[At(g.Key, batch, keyHead, k, c)];
                    dKey[At(g.Key, batch, keyHead, k, c)] += slope * query[At(g.Query, batch, head, row, c)];
                }
            }
        });
    }

    private void ForEachRow(Action<int, int, int, double[]> visit)
    {
        for (int batch = 0; batch < g.Batch; batch++)
        {
            for (int head = 0; head < g.Heads; head++)
            {
                for (int row = 0; row < g.Queries; row++)
                {
                    visit(batch, head, row, Weights(batch, head, row));
                }
            }
        }
    }

    private double[] Weights(int batch, int head, int row)
    {
        int keys = Lengths is null ? g.Keys : Lengths[Lengths.Length == 1 ? 0 : batch];
        int last = g.Causal switch
        {
            CausalMask.UpperLeft => row,
            CausalMask.LowerRight => row + keys - g.Queries,
            _ => keys - 1,
        };
        var scores = new double[g.Keys];
        for (int k = 0; k < g.Keys; k++)
        {
            double product = 0;
            for (int c = 0; c < g.Width; c++)
            {
                product += query[At(g.Query, batch, head, row, c)] * key[At(g.Key, batch, head / g.Group, k, c)];
            }

            double masked = mask is null ? 0
                : mask[(batch * g.Mask.Batch) + (head * g.Mask.Head) + (row * g.Mask.Query) + (k * g.Mask.Key)];
            bool seen = k < keys && k <= last && (g.MaskKind != MaskKind.Allowed || masked != 0);
            scores[k] = seen ? (product * g.Scale) + (g.MaskKind == MaskKind.Added ? masked : 0) : double.NegativeInfinity;
        }

        double largest = scores.Length == 0 ? double.NegativeInfinity : scores.Max();
        double[] weights = Array.ConvertAll(
            scores, score => double.IsNegativeInfinity(score) ? 0 : Math.Exp(score - largest));
        double sum = weights.Sum();
        return sum == 0 ? weights : Array.ConvertAll(weights, weight => weight / sum);
    }

    private static long At(HeadLayout layout, int batch, int head, int row, int column) =>
        layout.Offset + (batch * layout.Batch) + (head * layout.Head) + (row * layout.Row) + column;
}
