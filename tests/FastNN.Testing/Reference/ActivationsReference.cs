namespace FastNN.Testing;

/// <summary>Activations and their derivatives by definition, in double.</summary>
internal static class ActivationsReference
{
    public static void Forward(Activation activation, double slope, ReadOnlySpan<double> x, Span<double> y)
    {
        for (int i = 0; i < x.Length; i++)
        {
            y[i] = Value(activation, slope, x[i]);
        }
    }

    /// <summary>dX = dY f'(x), from the input whatever the kernel takes.</summary>
    public static void Backward(
        Activation activation, double slope, ReadOnlySpan<double> x, ReadOnlySpan<double> dY, Span<double> dX)
    {
        for (int i = 0; i < x.Length; i++)
        {
            dX[i] = dY[i] * Derivative(activation, slope, x[i]);
        }
    }

    public static double Value(Activation activation, double slope, double x) => activation switch
    {
        Activation.None => x,
        Activation.ReLU => x < 0 ? 0 : x,
        Activation.LeakyReLU => x > 0 ? x : slope * x,
        Activation.Sigmoid => 1 / (1 + Math.Exp(-x)),
        Activation.Tanh => Math.Tanh(x),
        Activation.Gelu => x * NormalDistribution(x),
        Activation.GeluTanh => 0.5 * x * (1 + Math.Tanh(GeluArgument(x))),
        _ => throw new ArgumentOutOfRangeException(nameof(activation)),
    };

    public static double Derivative(Activation activation, double slope, double x)
    {
        double y = Value(activation, slope, x);
        switch (activation)
        {
            case Activation.None:
                return 1;
            case Activation.ReLU:
                return x > 0 ? 1 : 0;
            case Activation.LeakyReLU:
                return x > 0 ? 1 : slope;
            case Activation.Sigmoid:
                return y * (1 - y);
            case Activation.Tanh:
                return 1 - (y * y);
            case Activation.Gelu:
                return NormalDistribution(x) + (x * Math.Exp(-0.5 * x * x) / Math.Sqrt(2 * Math.PI));
            default:
                double tanh = Math.Tanh(GeluArgument(x));
                double inner = Math.Sqrt(2 / Math.PI) * (1 + (3 * 0.044715 * x * x));
                return (0.5 * (1 + tanh)) + (0.5 * x * (1 - (tanh * tanh)) * inner);
        }
    }

    /// <summary>
    /// Phi(x): the Taylor series of the integral up to 3, Laplace's continued fraction of the upper tail beyond; both to double's
    /// precision.
    /// </summary>
    public static double NormalDistribution(double x)
    {
        double z = Math.Abs(x);
        double density = Math.Exp(-0.5 * x * x) / Math.Sqrt(2 * Math.PI);
        if (z < 3)
        {
            // Phi(x) = 1/2 + phi(x) (x + x^3/3 + x^5/15 + ...).
            double term = x, sum = x;
            for (int k = 3; Math.Abs(term) > 1e-18 * Math.Abs(sum); k += 2)
            {
                term *= x * x / k;
                sum += term;
            }

            return 0.5 + (density * sum);
        }

        double fraction = z;
        for (int k = 200; k > 0; k--)
        {
            fraction = z + (k / fraction);
        }

        double tail = density / fraction;
        return x > 0 ? 1 - tail : tail;
    }

    private static double GeluArgument(double x) => Math.Sqrt(2 / Math.PI) * (x + (0.044715 * x * x * x));
}
