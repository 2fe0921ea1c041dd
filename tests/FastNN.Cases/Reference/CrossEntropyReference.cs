using FastNN.Kernels;

namespace FastNN.Testing;

/// <summary>
/// Cross-entropy in double. Class indices become rows of target probabilities (nothing but zeros where ignored), so that one
/// definition serves all: loss = -sum of q log p, with q smoothed and weighted by class.
/// </summary>
internal static class CrossEntropyReference
{
    /// <param name="loss">One number, or one per row where not reduced.</param>
    /// <param name="dLoss">As many.</param>
    public static void Run(
        in CrossEntropyOptions options, ReadOnlySpan<double> x, int classes, ReadOnlySpan<int> indices,
        ReadOnlySpan<double> targets,
        ReadOnlySpan<double> weights, Span<double> loss, ReadOnlySpan<double> dLoss, Span<double> dX)
    {
        int rows = x.Length / classes;
        var rowLoss = new double[rows];
        var slope = new double[x.Length];
        double divisor = 0;
        for (int row = 0; row < rows; row++)
        {
            var q = new double[classes];
            bool counts = indices.IsEmpty || indices[row] != options.IgnoreIndex;
            for (int c = 0; c < classes && counts; c++)
            {
                double target = indices.IsEmpty ? targets[(row * classes) + c] : indices[row] == c ? 1 : 0;
                double weight = weights.IsEmpty ? 1 : weights[c];
                q[c] = weight * ((target * (1 - (double)options.LabelSmoothing)) + ((double)options.LabelSmoothing / classes));
            }

            divisor += indices.IsEmpty ? 1 : !counts ? 0 : weights.IsEmpty ? 1 : weights[indices[row]];
            rowLoss[row] = Row(options.Input, x.Slice(row * classes, classes), q, slope.AsSpan(row * classes, classes));
        }

        double total = 0;
        for (int row = 0; row < rows; row++)
        {
            total += rowLoss[row];
            for (int c = 0; c < classes; c++)
            {
                double scale = options.Reduction switch
                {
                    Reduction.Mean => dLoss[0] / divisor,
                    Reduction.Sum => dLoss[0],
                    _ => dLoss[row],
                };

                // A row that does not count has no gradient, even where the mean is over nothing.
                dX[(row * classes) + c] = slope[(row * classes) + c] == 0 ? 0 : scale * slope[(row * classes) + c];
            }
        }

        if (options.Reduction == Reduction.None)
        {
            rowLoss.CopyTo(loss);
        }
        else
        {
            loss[0] = options.Reduction == Reduction.Mean ? total / divisor : total;
        }
    }

    private static double Row(CrossEntropyInput input, ReadOnlySpan<double> x, ReadOnlySpan<double> q, Span<double> slope)
    {
        int classes = x.Length;
        var logarithm = new double[classes];
        if (input == CrossEntropyInput.Logits)
        {
            SoftmaxReference.Forward(x, logarithm, 1, classes, 1, logarithm: true);
        }

        double loss = 0, sum = 0;
        for (int c = 0; c < classes; c++)
        {
            double clipped = Math.Clamp(x[c], (double)1e-7f, (double)(1 - 1e-7f));
            double p = input switch
            {
                CrossEntropyInput.Logits => logarithm[c],
                CrossEntropyInput.LogProbabilities => x[c],
                _ => Math.Log(clipped),
            };
            loss -= q[c] == 0 ? 0 : q[c] * p;
            sum += q[c];
            slope[c] = input switch
            {
                CrossEntropyInput.LogProbabilities => -q[c],
                CrossEntropyInput.Probabilities => clipped == x[c] ? -q[c] / x[c] : 0,
                _ => 0,
            };
        }

        for (int c = 0; c < classes && input == CrossEntropyInput.Logits; c++)
        {
            slope[c] = (sum * Math.Exp(logarithm[c])) - q[c];
        }

        return loss;
    }
}
