using System.Globalization;

namespace FastNN.Onnx.Compile;

/// <summary>A polynomial of degree 2 at most in each of some symbols.</summary>
internal sealed class MemoryPolynomial
{
    /// <summary>Points along each axis that settle it.</summary>
    public const int Points = 3;

    /// <summary>What a value may be off for its coefficients' rounding; bytes are whole.</summary>
    public const double Rounding = 0.5;

    // As if the exponents were the digits of a number, the last symbol's first.
    private readonly double[] _coefficients;
    private readonly int _symbols;

    private MemoryPolynomial(double[] coefficients, int symbols) => (_coefficients, _symbols) = (coefficients, symbols);

    /// <summary>The polynomial with given values at a grid of points.</summary>
    /// <param name="values">The values at first, first + step and first + 2 step of each symbol, the last symbol's varying
    /// first.</param>
    /// <param name="first">Each symbol's first point.</param>
    /// <param name="steps">The distance of the points.</param>
    public static MemoryPolynomial Through(ReadOnlySpan<long> values, int[] first, int[] steps)
    {
        var numbers = new double[values.Length];
        for (int i = 0; i < numbers.Length; i++)
        {
            numbers[i] = values[i];
        }

        for (int axis = first.Length - 1, stride = 1; axis >= 0; axis--, stride *= Points)
        {
            double x = first[axis], step = steps[axis];
            for (int i = 0; i < numbers.Length; i++)
            {
                if (i / stride % Points == 0)
                {
                    // Newton's form, multiplied out.
                    double slope = (numbers[i + stride] - numbers[i]) / step;
                    double bend = (numbers[i + (2 * stride)] - (2 * numbers[i + stride]) + numbers[i]) / (2 * step * step);
                    numbers[i] += (-slope * x) + (bend * x * (x + step));
                    numbers[i + stride] = slope - (bend * ((2 * x) + step));
                    numbers[i + (2 * stride)] = bend;
                }
            }
        }

        return new MemoryPolynomial(Array.ConvertAll(numbers, Settled), first.Length);
    }

    /// <summary>The value for these extents.</summary>
    public double At(int[] extents)
    {
        double sum = 0;
        for (int term = 0; term < _coefficients.Length; term++)
        {
            double product = _coefficients[term];
            for (int axis = 0; product != 0 && axis < _symbols; axis++)
            {
                product *= Math.Pow(extents[axis], Exponent(term, axis));
            }

            sum += product;
        }

        return sum;
    }

    /// <summary>Whether these bytes are the value for these extents.</summary>
    public bool Gives(int[] extents, long bytes) => Math.Abs(At(extents) - bytes) < Rounding;

    /// <summary>As in <c>401,408 + 3,072 batch</c>.</summary>
    public string ToString(string[] symbols)
    {
        string text = "";
        for (int term = 0; term < _coefficients.Length; term++)
        {
            double coefficient = _coefficients[term];
            if (coefficient != 0)
            {
                string sign = text.Length == 0 ? (coefficient < 0 ? "-" : "") : coefficient < 0 ? " - " : " + ";
                text += string.Create(CultureInfo.InvariantCulture, $"{sign}{Math.Abs(coefficient):#,0.###}{Factors(term)}");
            }
        }

        return text.Length == 0 ? "0" : text;

        string Factors(int term) => string.Concat(symbols.Select((symbol, axis) => Exponent(term, axis) switch
        {
            0 => "",
            1 => $" {symbol}",
            _ => $" {symbol}²",
        }));
    }

    /// <summary>Without what rounding left of a whole number.</summary>
    private static double Settled(double value)
    {
        double whole = Math.Round(value);
        return Math.Abs(value - whole) <= (1e-9 * Math.Max(1, Math.Abs(whole))) + 1e-6 ? whole : value;
    }

    private int Exponent(int term, int axis)
    {
        for (int i = _symbols - 1; i > axis; i--)
        {
            term /= Points;
        }

        return term % Points;
    }
}
