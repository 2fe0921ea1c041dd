namespace FastNN.Testing;

/// <summary>Softmax and its logarithm along the middle axis of [outer, axis, inner], in double.</summary>
internal static class SoftmaxReference
{
    public static void Forward(ReadOnlySpan<double> x, Span<double> y, int outer, int axis, int inner, bool logarithm)
    {
        for (int o = 0; o < outer; o++)
        {
            for (int i = 0; i < inner; i++)
            {
                int origin = (o * axis * inner) + i;
                double largest = double.NegativeInfinity;
                for (int k = 0; k < axis; k++)
                {
                    largest = Math.Max(largest, x[origin + (k * inner)]);
                }

                double sum = 0;
                for (int k = 0; k < axis; k++)
                {
                    sum += Math.Exp(x[origin + (k * inner)] - largest);
                }

                for (int k = 0; k < axis; k++)
                {
                    double score = x[origin + (k * inner)] - largest - Math.Log(sum);
                    y[origin + (k * inner)] = logarithm ? score : Math.Exp(score);
                }
            }
        }
    }

    /// <summary>dX from y = the result of <see cref="Forward"/>.</summary>
    public static void Backward(
        ReadOnlySpan<double> y, ReadOnlySpan<double> dY, Span<double> dX, int outer, int axis, int inner, bool logarithm)
    {
        for (int o = 0; o < outer; o++)
        {
            for (int i = 0; i < inner; i++)
            {
                int origin = (o * axis * inner) + i;
                double sum = 0;
                for (int k = 0; k < axis; k++)
                {
                    int at = origin + (k * inner);
                    sum += logarithm ? dY[at] : dY[at] * y[at];
                }

                for (int k = 0; k < axis; k++)
                {
                    int at = origin + (k * inner);
                    dX[at] = logarithm ? dY[at] - (Math.Exp(y[at]) * sum) : y[at] * (dY[at] - sum);
                }
            }
        }
    }
}
