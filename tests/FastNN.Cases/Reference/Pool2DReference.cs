using FastNN.Kernels;

namespace FastNN.Testing;

/// <summary>Pooling by definition, in double: x [N, H, W, C], y [N, OH, OW, C].</summary>
internal static class Pool2DReference
{
    /// <summary>The first of equal taps wins, NaN wins over numbers; winners are indices into x.</summary>
    public static void MaxForward(
        in Pool2DGeometry geometry, ReadOnlySpan<double> x, Span<double> y, Span<int> winners, bool relu)
    {
        for (int output = 0; output < y.Length; output++)
        {
            int winner = -1;
            for (int tap = 0; tap < geometry.Vertical.Taps * geometry.Horizontal.Taps; tap++)
            {
                int i = Index(geometry, output, tap);
                bool wins = i >= 0 && (winner < 0 || x[i] > x[winner] || (double.IsNaN(x[i]) && !double.IsNaN(x[winner])));
                winner = wins ? i : winner;
            }

            winners[output] = winner;
            y[output] = relu && x[winner] < 0 ? 0 : x[winner];
        }
    }

    public static void MaxBackward(
        ReadOnlySpan<double> dY, ReadOnlySpan<double> y, ReadOnlySpan<int> winners, Span<double> dX, bool relu)
    {
        dX.Clear();
        for (int output = 0; output < dY.Length; output++)
        {
            dX[winners[output]] += !relu || y[output] > 0 ? dY[output] : 0;
        }
    }

    public static void AverageForward(in Pool2DGeometry geometry, ReadOnlySpan<double> x, Span<double> y)
    {
        for (int output = 0; output < y.Length; output++)
        {
            double sum = 0;
            for (int tap = 0; tap < geometry.Vertical.Taps * geometry.Horizontal.Taps; tap++)
            {
                int i = Index(geometry, output, tap);
                sum += i >= 0 ? x[i] : 0;
            }

            y[output] = sum / Divisor(geometry, output);
        }
    }

    public static void AverageBackward(in Pool2DGeometry geometry, ReadOnlySpan<double> dY, Span<double> dX)
    {
        dX.Clear();
        for (int output = 0; output < dY.Length; output++)
        {
            for (int tap = 0; tap < geometry.Vertical.Taps * geometry.Horizontal.Taps; tap++)
            {
                int i = Index(geometry, output, tap);
                if (i >= 0)
                {
                    dX[i] += dY[output] / Divisor(geometry, output);
                }
            }
        }
    }

    /// <summary>Where a tap of an output lies in x, -1 in the padding.</summary>
    private static int Index(in Pool2DGeometry g, int output, int tap)
    {
        (int n, int oh, int ow, int c) = Place(g, output);
        int h = g.Vertical.Start(oh) + (tap / g.Horizontal.Taps * g.Vertical.Dilation);
        int w = g.Horizontal.Start(ow) + (tap % g.Horizontal.Taps * g.Horizontal.Dilation);
        return h >= 0 && h < g.H && w >= 0 && w < g.W ? (((((n * g.H) + h) * g.W) + w) * g.C) + c : -1;
    }

    private static double Divisor(in Pool2DGeometry g, int output)
    {
        (_, int oh, int ow, _) = Place(g, output);
        return g.DivisorOverride != 0 ? g.DivisorOverride
            : Covered(g.Vertical, oh, g.CountIncludePad) * Covered(g.Horizontal, ow, g.CountIncludePad);
    }

    /// <summary>Taps on the input, or on the padded input, beyond which ceil mode may let a window reach.</summary>
    private static int Covered(WindowAxis axis, int output, bool includePad)
    {
        int first = includePad ? -axis.PadBefore : 0, end = axis.Input + (includePad ? axis.PadAfter : 0);
        int count = 0;
        for (int tap = 0; tap < axis.Taps; tap++)
        {
            int i = axis.Start(output) + tap;
            count += i >= first && i < end ? 1 : 0;
        }

        return count;
    }

    private static (int N, int OH, int OW, int C) Place(in Pool2DGeometry g, int output) =>
        (output / g.C / g.OW / g.OH, output / g.C / g.OW % g.OH, output / g.C % g.OW, output % g.C);
}
