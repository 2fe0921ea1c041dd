using System.Numerics;

namespace FastNN.Onnx.Host;

/// <summary>
/// erf in double precision, from its series near zero and the continued fraction of erfc elsewhere (Abramowitz and Stegun 7.1.6
/// and 7.1.14). The relative error stays below 1e-15 by a few units.
/// </summary>
internal static class ErrorFunction
{
    public static T Of<T>(T x)
        where T : unmanaged, IFloatingPointIeee754<T> => T.CreateTruncating(Of(double.CreateTruncating(x)));

    private static double Of(double x)
    {
        double magnitude = Math.Abs(x);
        if (double.IsNaN(x))
        {
            return x;
        }

        if (magnitude > 6)
        {
            return Math.Sign(x);
        }

        if (magnitude < 2.5)
        {
            // erf(x) = 2/sqrt(pi) exp(-x^2) sum of 2^n x^(2n+1) / (2n+1)!!: all terms have one sign.
            double term = magnitude, sum = magnitude;
            for (int n = 1; term > sum * 1e-17; n++)
            {
                term *= 2 * magnitude * magnitude / ((2 * n) + 1);
                sum += term;
            }

            return Math.CopySign(2 / Math.Sqrt(Math.PI) * Math.Exp(-magnitude * magnitude) * sum, x);
        }

        double fraction = 0;
        for (int n = 60; n > 0; n--)
        {
            fraction = n / 2.0 / (magnitude + fraction);
        }

        return Math.CopySign(1 - (Math.Exp(-magnitude * magnitude) / Math.Sqrt(Math.PI) / (magnitude + fraction)), x);
    }
}
