namespace FastNN.Explain;

/// <summary>Places and weights of integration rules over [0, 1].</summary>
internal static class GaussLegendre
{
    /// <summary>
    /// The rule of so many points that is exact for polynomials of degree 2 n - 1: zeros of Legendre's polynomial by Newton's
    /// method, from Tricomi's first approximation.
    /// </summary>
    public static (double At, double Weight)[] Rule(int points)
    {
        var rule = new (double At, double Weight)[points];
        for (int i = 0; i < points; i++)
        {
            double x = Math.Cos(Math.PI * (i + 0.75) / (points + 0.5)), slope = 1;
            for (int round = 0; round < 100; round++)
            {
                (double value, slope) = Legendre(points, x);
                double step = value / slope;
                x -= step;
                if (Math.Abs(step) < 1e-15)
                {
                    break;
                }
            }

            (_, slope) = Legendre(points, x);
            rule[points - 1 - i] = ((x + 1) / 2, 1 / ((1 - (x * x)) * slope * slope));
        }

        return rule;
    }

    /// <summary>The trapezoidal rule: equal steps, both ends included with half the weight.</summary>
    public static (double At, double Weight)[] Trapezoid(int points)
    {
        var rule = new (double At, double Weight)[points];
        for (int i = 0; i < points; i++)
        {
            rule[i] = ((double)i / (points - 1), (i == 0 || i == points - 1 ? 0.5 : 1) / (points - 1));
        }

        return rule;
    }

    /// <summary>Legendre's polynomial of a degree and its derivative.</summary>
    private static (double Value, double Slope) Legendre(int degree, double x)
    {
        double before = 1, value = x;
        for (int k = 2; k <= degree; k++)
        {
            (before, value) = (value, ((((2 * k) - 1) * x * value) - ((k - 1) * before)) / k);
        }

        return (value, degree * ((x * value) - before) / ((x * x) - 1));
    }
}
