using FastNN.Functions;

namespace FastNN.Testing;

/// <summary>Functions of one number and their derivatives by definition, in double.</summary>
internal static class ActivationsReference
{
    private static readonly Dictionary<string, Definition> Definitions = new()
    {
        ["ReLU"] = new((x, s) => x < 0 ? 0 : x, (x, s) => x > 0 ? 1 : 0),
        ["LeakyReLU"] = new((x, s) => x > 0 ? x : s.First * x, (x, s) => x > 0 ? 1 : s.First),
        ["Sigmoid"] = new((x, s) => Sigmoid(x), (x, s) => Sigmoid(x) * (1 - Sigmoid(x))),
        ["Tanh"] = new((x, s) => Math.Tanh(x), (x, s) => 1 - (Math.Tanh(x) * Math.Tanh(x))),
        ["Gelu"] = new(
            (x, s) => x * NormalDistribution(x),
            (x, s) => NormalDistribution(x) + (x * Math.Exp(-0.5 * x * x) / Math.Sqrt(2 * Math.PI))),
        ["GeluTanh"] = new((x, s) => 0.5 * x * (1 + Math.Tanh(GeluArgument(x))), (x, s) => GeluTanhDerivative(x)),
        ["Exp"] = new((x, s) => Math.Exp(x)),
        ["Log"] = new((x, s) => Math.Log(x)),
        ["Expm1"] = new((x, s) => Math.Exp(x) - 1),
        ["Log1p"] = new((x, s) => Math.Log(1 + x)),
        ["Sqrt"] = new((x, s) => Math.Sqrt(x)),
        ["Rsqrt"] = new((x, s) => 1 / Math.Sqrt(x)),
        ["Square"] = new((x, s) => x * x),
        ["Reciprocal"] = new((x, s) => 1 / x),
        ["Abs"] = new((x, s) => Math.Abs(x)),
        ["Negate"] = new((x, s) => -x),
        ["Sign"] = new((x, s) => Math.Sign(x)),
        ["Sin"] = new((x, s) => Math.Sin(x)),
        ["Cos"] = new((x, s) => Math.Cos(x)),
        ["Elu"] = new((x, s) => x > 0 ? x : s.First * (Math.Exp(x) - 1)),
        ["Celu"] = new((x, s) => x > 0 ? x : s.First * (Math.Exp(x / s.First) - 1)),
        ["Selu"] = new((x, s) => 1.0507009873554805 * (x > 0 ? x : 1.6732632423543772 * (Math.Exp(x) - 1))),
        ["Softplus"] = new((x, s) => s.First * x > s.Second ? x : Math.Log(1 + Math.Exp(s.First * x)) / s.First),
        ["Softsign"] = new((x, s) => x / (1 + Math.Abs(x))),
        ["LogSigmoid"] = new((x, s) => -Math.Log(1 + Math.Exp(-x))),
        ["SiLU"] = new((x, s) => x * Sigmoid(x)),
        ["Mish"] = new((x, s) => x * Math.Tanh(Math.Log(1 + Math.Exp(x)))),
        ["ReLU6"] = new((x, s) => Math.Clamp(x, 0, 6)),
        ["HardTanh"] = new((x, s) => Math.Clamp(x, s.First, s.Second)),
        ["HardSigmoid"] = new((x, s) => Math.Clamp((s.First * x) + s.Second, 0, 1)),
        ["Clamp"] = new((x, s) => Math.Min(Math.Max(x, s.First), s.Second)),
        ["Round"] = new((x, s) => Math.Round(x), (x, s) => 0),
        ["Floor"] = new((x, s) => Math.Floor(x), (x, s) => 0),
        ["Ceiling"] = new((x, s) => Math.Ceiling(x), (x, s) => 0),
        ["Log2"] = new((x, s) => Math.Log2(x)),
        ["Log10"] = new((x, s) => Math.Log10(x)),
        ["Sinh"] = new((x, s) => Math.Sinh(x)),
        ["Cosh"] = new((x, s) => Math.Cosh(x)),
        ["Tan"] = new((x, s) => Math.Tan(x)),
        ["Atan"] = new((x, s) => Math.Atan(x)),
        ["Erf"] = new((x, s) => (2 * NormalDistribution(x * Math.Sqrt(2))) - 1),
        ["Threshold"] = new((x, s) => x > s.First ? x : s.Second),
        ["Asin"] = new((x, s) => Math.Asin(x), (x, s) => 1 / Math.Sqrt(1 - (x * x))),
        ["Acos"] = new((x, s) => Math.Acos(x), (x, s) => -1 / Math.Sqrt(1 - (x * x))),
        ["Asinh"] = new((x, s) => Math.Asinh(x)),
        ["Acosh"] = new((x, s) => Math.Acosh(x), (x, s) => 1 / Math.Sqrt((x * x) - 1)),
        ["Atanh"] = new((x, s) => Math.Atanh(x), (x, s) => 1 / (1 - (x * x))),
        ["Softshrink"] = new((x, s) => x > s.First ? x - s.First : x < -s.First ? x + s.First : 0),
        ["Hardshrink"] = new((x, s) => Math.Abs(x) > s.First ? x : 0),
        ["Tanhshrink"] = new((x, s) => x - Math.Tanh(x)),
        ["HardSwish"] = new((x, s) => x * Math.Clamp((x + 3) / 6, 0, 1)),
    };

    public static void Forward(Activation activation, ReadOnlySpan<double> x, Span<double> y)
    {
        for (int i = 0; i < x.Length; i++)
        {
            y[i] = Value(activation, x[i]);
        }
    }

    /// <summary>dX = dY f'(x), from the input whatever the kernel takes.</summary>
    public static void Backward(
        Activation activation, ReadOnlySpan<double> x, ReadOnlySpan<double> dY, Span<double> dX)
    {
        for (int i = 0; i < x.Length; i++)
        {
            dX[i] = dY[i] * Derivative(activation, x[i]);
        }
    }

    public static double Value(Activation activation, double x) =>
        activation.IsNone ? x : Function(activation).Value(x, activation.Scalars);

    public static double Derivative(Activation activation, double x)
    {
        if (activation.IsNone)
        {
            return 1;
        }

        Definition function = Function(activation);
        return function.Derivative is { } derivative
            ? derivative(x, activation.Scalars)
            : Difference(function, x, activation.Scalars);
    }

    private static Definition Function(Activation activation) =>
        Definitions.TryGetValue(activation.Name, out Definition? definition)
        ? definition
        : throw new ArgumentException($"There is no definition in double of {activation.Name}.", nameof(activation));

    /// <summary>Central differences with Richardson's extrapolation; for smooth places.</summary>
    private static double Difference(Definition function, double x, Scalars s)
    {
        double h = 1e-3 * Math.Max(1, Math.Abs(x));
        return ((4 * Slope(h / 2)) - Slope(h)) / 3;

        double Slope(double step) => (function.Value(x + step, s) - function.Value(x - step, s)) / (2 * step);
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

    private static double GeluTanhDerivative(double x)
    {
        double tanh = Math.Tanh(GeluArgument(x)), inner = Math.Sqrt(2 / Math.PI) * (1 + (3 * 0.044715 * x * x));
        return (0.5 * (1 + tanh)) + (0.5 * x * (1 - (tanh * tanh)) * inner);
    }

    private static double Sigmoid(double x) => 1 / (1 + Math.Exp(-x));

    /// <summary>A function, and its derivative where differences would not do.</summary>
    private sealed record Definition(Func<double, Scalars, double> Value, Func<double, Scalars, double>? Derivative = null);
}
