namespace FastNN.Testing;

/// <summary>
/// A network drawn from a list of numbers, so that a property test can shrink it: every node is a [Rows, Columns] matrix and
/// every instruction picks its operands among all nodes so far. Values with several consumers, shared parameters, diamonds,
/// chains of views and chains that may run in place all come up. Only smooth operators, so that differences tell the gradient.
/// </summary>
internal sealed class RandomProgram(int[] genes)
{
    public const int Rows = 3;
    public const int Columns = 4;
    public const int Inputs = 2;
    private const int LongestProgram = 12;

    /// <summary>Of normalizations: large beside the values' variances, so that no slope is steep.</summary>
    public const float Eps = 0.5f;

    /// <summary>Shapes of the parameters; all are used by several instructions.</summary>
    public static IReadOnlyList<Shape> ParameterShapes { get; } =
    [
        new(Columns, Columns), new(Columns), new(Columns, Columns), new(2 * Columns, Columns), new(Rows, 1),
    ];

    private readonly int[] _genes = genes.Length > LongestProgram ? genes[..LongestProgram] : genes;

    /// <summary>Runs the program in some arithmetic.</summary>
    /// <param name="inputs"><see cref="Inputs"/> matrices.</param>
    /// <param name="parameters">As <see cref="ParameterShapes"/>.</param>
    public T Run<T>(IArithmetic<T> arithmetic, IReadOnlyList<T> inputs, IReadOnlyList<T> parameters)
    {
        List<T> nodes = [.. inputs];
        foreach (int gene in _genes)
        {
            nodes.Add(Step(arithmetic, Mix(gene), nodes, parameters));
        }

        // Every input and parameter reaches the root, and the last node has two consumers.
        T all = arithmetic.Dense(arithmetic.Concat(inputs[0], inputs[1]), parameters[3], default);
        all = arithmetic.Add(
            arithmetic.Dense(all, parameters[0], parameters[1]), arithmetic.Dense(nodes[^1], parameters[2], default));
        return arithmetic.Add(arithmetic.Multiply(all, parameters[4]), nodes[^1]);
    }

    public override string ToString() => $"[{string.Join(", ", _genes)}]";

    /// <summary>Spreads small numbers, which property tests like, over all 32 bits (Knuth's multiplicative hash).</summary>
    public static uint Mix(int gene) => (uint)gene * 0x9E3779B1;

    private static T Step<T>(IArithmetic<T> arithmetic, uint gene, List<T> nodes, IReadOnlyList<T> parameters)
    {
        T a = nodes[(int)((gene >> 16 & 0xfff) % (uint)nodes.Count)];
        T b = nodes[(int)((gene >> 4 & 0xfff) % (uint)nodes.Count)];
        return (gene >> 28) switch
        {
            0 => arithmetic.Add(a, b),
            1 => arithmetic.Add(arithmetic.Normalize(a, parameters[1], parameters[1]), b),
            2 => arithmetic.Multiply(a, arithmetic.Activate(b, Activation.Tanh)),
            3 => arithmetic.Activate(a, Activation.Tanh),
            4 => arithmetic.Activate(a, Activation.Sigmoid),
            5 => arithmetic.Activate(a, Activation.Gelu),
            6 => arithmetic.Dense(a, parameters[0], parameters[1]),
            7 => arithmetic.Activate(arithmetic.Dense(a, parameters[0], parameters[1]), Activation.Tanh),
            8 => arithmetic.Dense(a, parameters[2], default),
            9 => arithmetic.Dense(arithmetic.Concat(a, b), parameters[3], default),
            10 => arithmetic.Add(a, parameters[1]),
            11 => arithmetic.Multiply(a, parameters[4]),
            12 => arithmetic.Softmax(a),
            13 => arithmetic.ThereAndBack(arithmetic.Activate(arithmetic.ThereAndBack(a), Activation.Sigmoid)),
            14 => arithmetic.Activate(arithmetic.Activate(a, Activation.Sigmoid), Activation.Tanh),
            _ => arithmetic.Add(arithmetic.Activate(a, Activation.Tanh), arithmetic.ThereAndBack(a)),
        };
    }
}

/// <summary>What a <see cref="RandomProgram"/> is written in.</summary>
internal interface IArithmetic<T>
{
    /// <summary>b: a matrix, a row [Columns] or a column [Rows, 1].</summary>
    T Add(T a, T b);

    T Multiply(T a, T b);

    T Activate(T x, Activation activation);

    T Dense(T x, T weight, T? bias);

    T Concat(T a, T b);

    T Softmax(T x);

    /// <summary>Each row, with weights and biases [Columns].</summary>
    T Normalize(T x, T weight, T bias);

    /// <summary>x, by way of two views.</summary>
    T ThereAndBack(T x);
}

/// <summary>Records.</summary>
internal sealed class GraphArithmetic : IArithmetic<Value>
{
    public Value Add(Value a, Value b) => a + b;

    public Value Multiply(Value a, Value b) => a * b;

    public Value Activate(Value x, Activation activation) => x.Activate(activation);

    public Value Dense(Value x, Value weight, Value? bias) => x.Dense(weight, bias);

    public Value Concat(Value a, Value b) => Operators.Concat(1, a, b);

    public Value Softmax(Value x) => x.Softmax();

    public Value Normalize(Value x, Value weight, Value bias) => x.GroupNorm(1, weight, bias, RandomProgram.Eps);

    public Value ThereAndBack(Value x) => x.Reshape(new Shape(RandomProgram.Rows * RandomProgram.Columns)).Reshape(x.Shape);
}

/// <summary>Computes in double, with loops of its own: nothing here is shared with the engine.</summary>
internal sealed class DoubleArithmetic : IArithmetic<double[]>
{
    private const int Rows = RandomProgram.Rows;

    public double[] Add(double[] a, double[] b) => Binary(a, b, (x, y) => x + y);

    public double[] Multiply(double[] a, double[] b) => Binary(a, b, (x, y) => x * y);

    public double[] Activate(double[] x, Activation activation) => Array.ConvertAll(x, value => activation.Name switch
    {
        "Tanh" => Math.Tanh(value),
        "Sigmoid" => 1 / (1 + Math.Exp(-value)),
        _ => value * NormalDistribution(value),
    });

    public double[] Dense(double[] x, double[] weight, double[]? bias)
    {
        int k = x.Length / Rows;
        int n = weight.Length / k;
        var y = new double[Rows * n];
        for (int i = 0; i < y.Length; i++)
        {
            y[i] = bias is null ? 0 : bias[i % n];
            for (int j = 0; j < k; j++)
            {
                y[i] += x[(i / n * k) + j] * weight[(j * n) + (i % n)];
            }
        }

        return y;
    }

    public double[] Concat(double[] a, double[] b)
    {
        int width = a.Length / Rows;
        var y = new double[a.Length + b.Length];
        for (int row = 0; row < Rows; row++)
        {
            a.AsSpan(row * width, width).CopyTo(y.AsSpan(2 * row * width));
            b.AsSpan(row * width, width).CopyTo(y.AsSpan(((2 * row) + 1) * width));
        }

        return y;
    }

    public double[] Softmax(double[] x)
    {
        int width = x.Length / Rows;
        double[] y = Array.ConvertAll(x, Math.Exp);
        for (int row = 0; row < Rows; row++)
        {
            double sum = y[(row * width)..((row + 1) * width)].Sum();
            for (int i = row * width; i < (row + 1) * width; i++)
            {
                y[i] /= sum;
            }
        }

        return y;
    }

    public double[] Normalize(double[] x, double[] weight, double[] bias)
    {
        int width = x.Length / Rows;
        var y = new double[x.Length];
        for (int row = 0; row < Rows; row++)
        {
            double[] values = x[(row * width)..((row + 1) * width)];
            double mean = values.Average();
            double scale = 1 / Math.Sqrt(values.Average(value => (value - mean) * (value - mean)) + RandomProgram.Eps);
            for (int i = 0; i < width; i++)
            {
                y[(row * width) + i] = ((values[i] - mean) * scale * weight[i]) + bias[i];
            }
        }

        return y;
    }

    public double[] ThereAndBack(double[] x) => x;

    /// <summary>The Gaussian distribution function, by Simpson's rule from 0: exact to 1e-12 for |x| below 10.</summary>
    private static double NormalDistribution(double x)
    {
        const int intervals = 400;
        double end = Math.Clamp(x, -10, 10);
        double h = end / intervals;
        double sum = 1 + Density(end);
        for (int i = 1; i < intervals; i++)
        {
            sum += (i % 2 == 1 ? 4 : 2) * Density(i * h);
        }

        return 0.5 + (sum * h / 3 / Math.Sqrt(2 * Math.PI));

        static double Density(double at) => Math.Exp(-at * at / 2);
    }

    private static double[] Binary(double[] a, double[] b, Func<double, double, double> f)
    {
        int width = a.Length / Rows;
        var y = new double[a.Length];
        for (int i = 0; i < y.Length; i++)
        {
            y[i] = f(a[i], b.Length == a.Length ? b[i] : b.Length == Rows ? b[i / width] : b[i % width]);
        }

        return y;
    }
}
