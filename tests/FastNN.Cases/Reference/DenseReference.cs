namespace FastNN.Testing;

/// <summary>Dense layers, in double: x [M, K], weight [K, N], y [M, N].</summary>
internal static class DenseReference
{
    /// <param name="bias">[N] or empty.</param>
    public static void Forward(
        ReadOnlySpan<double> x, ReadOnlySpan<double> weight, ReadOnlySpan<double> bias, Span<double> y, int m, int k, int n)
    {
        for (int i = 0; i < m; i++)
        {
            for (int j = 0; j < n; j++)
            {
                double sum = bias.IsEmpty ? 0 : bias[j];
                for (int l = 0; l < k; l++)
                {
                    sum += x[(i * k) + l] * weight[(l * n) + j];
                }

                y[(i * n) + j] = sum;
            }
        }
    }

    public static void BackwardData(ReadOnlySpan<double> dY, ReadOnlySpan<double> weight, Span<double> dX, int m, int k, int n)
    {
        for (int i = 0; i < m; i++)
        {
            for (int l = 0; l < k; l++)
            {
                double sum = 0;
                for (int j = 0; j < n; j++)
                {
                    sum += dY[(i * n) + j] * weight[(l * n) + j];
                }

                dX[(i * k) + l] = sum;
            }
        }
    }

    public static void BackwardWeight(
        ReadOnlySpan<double> x, ReadOnlySpan<double> dY, Span<double> dWeight, Span<double> dBias, int m, int k, int n)
    {
        dWeight.Clear();
        dBias.Clear();
        for (int i = 0; i < m; i++)
        {
            for (int j = 0; j < n; j++)
            {
                for (int l = 0; l < k; l++)
                {
                    dWeight[(l * n) + j] += x[(i * k) + l] * dY[(i * n) + j];
                }

                if (!dBias.IsEmpty)
                {
                    dBias[j] += dY[(i * n) + j];
                }
            }
        }
    }
}
