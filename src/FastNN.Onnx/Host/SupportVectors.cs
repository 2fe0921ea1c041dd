using System.Globalization;
using System.Numerics.Tensors;

namespace FastNN.Onnx.Host;

/// <summary>Support vector machines of ai.onnx.ml: sums of kernels between a row and the support vectors, in double.</summary>
internal sealed class SupportVectors
{
    // What pairs of classes give is kept off 0 and 1, as in libsvm (Chang and Lin, 2011).
    private const double LeastProbability = 1e-7;

    private readonly string _kernel;
    private readonly double _gamma, _shift, _degree;
    private readonly double[] _coefficients, _vectors, _rho, _slopes, _offsets;
    private readonly int[] _starts;
    private readonly int _classes, _count;

    private SupportVectors(HostCall call, int classes, long[] perClass)
    {
        float[] parameters = call.Floats("kernel_params") is { Length: 3 } given ? given : [0, 0, 0];
        (_gamma, _shift, _degree) = (parameters[0], parameters[1], parameters[2]);
        _coefficients = Doubles(call, "coefficients");
        _vectors = Doubles(call, "support_vectors");
        _rho = Doubles(call, "rho");
        _slopes = Doubles(call, "prob_a");
        _offsets = Doubles(call, "prob_b");
        _classes = classes;
        _starts = new int[perClass.Length + 1];
        for (int i = 0; i < perClass.Length; i++)
        {
            _starts[i + 1] = perClass[i] >= 0 && perClass[i] <= _vectors.Length - _starts[i]
                ? _starts[i] + (int)perClass[i]
                : throw call.Error("as many support vectors as the classes have",
                    perClass[i].ToString(CultureInfo.InvariantCulture));
        }

        _count = _starts[^1];

        // Without vectors the coefficients are planes of their own.
        _kernel = _count == 0 ? "LINEAR" : call.Text("kernel_type", "LINEAR");
        int pairs = classes * (classes - 1) / 2;
        int coefficients = _count * Math.Max(1, classes - 1), offsets = _count == 0 ? 1 : Math.Max(1, pairs);
        if ((_count > 0 && _coefficients.Length != coefficients) || _rho.Length < offsets || _slopes.Length != _offsets.Length
            || (_slopes.Length > 0 && _slopes.Length < pairs) || (_count > 0 && _vectors.Length % _count != 0))
        {
            throw call.Error(
                string.Create(CultureInfo.InvariantCulture,
                    $"{coefficients} coefficients, {offsets} of rho, and no or {pairs} of prob_a and prob_b"),
                string.Create(CultureInfo.InvariantCulture,
                    $"{_coefficients.Length}, {_rho.Length}, {_slopes.Length} and {_offsets.Length}"));
        }
    }

    public static OnnxValue?[] Regressor(HostCall call)
    {
        SupportVectors machine = call.Prepared(first => new SupportVectors(first, 1, [first.Int("n_supports", 0)]));
        double[] x = Rows(call, machine._count == 0 ? machine._coefficients.Length
            : machine._vectors.Length / machine._count, out int rows, out int features);
        var y = new double[rows];
        var kernels = new double[machine._count];
        for (int row = 0; row < rows; row++)
        {
            ReadOnlySpan<double> of = x.AsSpan(row * features, features);
            machine.Kernels(call, of, kernels);
            double sum = machine._rho[0] + (machine._count == 0
                ? TensorPrimitives.Dot(of, machine._coefficients)
                : TensorPrimitives.Dot<double>(kernels, machine._coefficients));
            y[row] = call.Flag("one_class") ? (sum > 0 ? 1 : -1) : sum;
        }

        Scores.Transform(call, y, 1, call.Text("post_transform", "NONE"));
        return HostCall.One(Normalizations.Rounded(y, [rows, 1], OnnxElementType.Float32));
    }

    /// <summary>
    /// A label and scores per row: of each pair of classes, or where the file has the parameters of each class's probability,
    /// by pairwise coupling (Wu, Lin and Weng, 2004).
    /// </summary>
    public static OnnxValue?[] Classifier(HostCall call)
    {
        string[]? texts = call.Texts("classlabels_strings") is { Length: > 0 } some ? some : null;
        long[] numbers = call.Ints("classlabels_ints") ?? [];
        int classes = Math.Max(1, texts?.Length ?? numbers.Length);
        SupportVectors machine = call.Prepared(first =>
            new SupportVectors(first, classes, first.Ints("vectors_per_class") ?? []));
        if (machine._count > 0 && machine._starts.Length != classes + 1)
        {
            throw call.Error("a number of support vectors for each class",
                string.Create(CultureInfo.InvariantCulture, $"{machine._starts.Length - 1}"));
        }

        double[] x = Rows(call, machine._count == 0 ? machine._coefficients.Length / classes
            : machine._vectors.Length / machine._count, out int rows, out int features);
        int[] best = new int[rows];
        var all = new List<double>();
        for (int row = 0; row < rows; row++)
        {
            ReadOnlySpan<double> of = x.AsSpan(row * features, features);
            best[row] = machine._count == 0 ? machine.Planes(of, all) : machine.Pairs(call, of, all);
        }

        // One score stands for the second of two labels.
        int width = rows == 0 ? 1 : all.Count / rows;
        double[] y = width == 1 && classes == 2 ? [.. all.SelectMany(score => new[] { -score, score })] : [.. all];
        width = rows == 0 ? 1 : y.Length / rows;
        Scores.Transform(call, y, width, call.Text("post_transform", "NONE"));
        OnnxTensor labels = texts is not null
            ? OnnxTensor.Create(Array.ConvertAll(best, place => texts[place]), rows)
            : OnnxTensor.Create(Array.ConvertAll(best, place => place < numbers.Length ? numbers[place] : place), rows);
        return [labels, Normalizations.Rounded(y, [rows, width], OnnxElementType.Float32)];
    }

    private int Planes(ReadOnlySpan<double> x, List<double> scores)
    {
        var row = new double[_classes];
        for (int c = 0; c < _classes; c++)
        {
            row[c] = _rho[0] + TensorPrimitives.Dot(x, _coefficients.AsSpan(c * x.Length, x.Length));
        }

        scores.AddRange(row);
        return TensorPrimitives.IndexOfMax<double>(row);
    }

    private int Pairs(HostCall call, ReadOnlySpan<double> x, List<double> scores)
    {
        var kernels = new double[_count];
        Kernels(call, x, kernels);
        var votes = new int[_classes];
        var pairs = new double[_classes * (_classes - 1) / 2];
        int at = 0;
        for (int i = 0; i < _classes; i++)
        {
            for (int j = i + 1; j < _classes; j++, at++)
            {
                pairs[at] = _rho[at] + Part(kernels, i, j - 1) + Part(kernels, j, i);
                votes[pairs[at] > 0 ? i : j]++;
            }
        }

        scores.AddRange(_slopes.Length > 0 ? Coupled(pairs) : pairs);
        return TensorPrimitives.IndexOfMax<int>(votes);
    }

    /// <summary>What the vectors of a class add to a pair's score.</summary>
    private double Part(double[] kernels, int of, int row)
    {
        int start = _starts[of], count = _starts[of + 1] - start;
        return TensorPrimitives.Dot<double>(kernels.AsSpan(start, count), _coefficients.AsSpan((row * _count) + start, count));
    }

    /// <summary>The probabilities p that come nearest to those of all pairs: r[j,i] p[i] = r[i,j] p[j].</summary>
    private double[] Coupled(double[] pairs)
    {
        int n = _classes;
        var r = new double[n, n];
        for (int i = 0, at = 0; i < n; i++)
        {
            for (int j = i + 1; j < n; j++, at++)
            {
                double p = 1 / (1 + Math.Exp((pairs[at] * _slopes[at]) + _offsets[at]));
                r[i, j] = Math.Clamp(p, LeastProbability, 1 - LeastProbability);
                r[j, i] = 1 - r[i, j];
            }
        }

        var q = new double[n, n];
        for (int i = 0; i < n; i++)
        {
            for (int j = 0; j < n; j++)
            {
                if (i != j)
                {
                    q[i, i] += r[j, i] * r[j, i];
                    q[i, j] = -r[j, i] * r[i, j];
                }
            }
        }

        var found = new double[n];
        var slope = new double[n];
        Array.Fill(found, 1.0 / n);
        for (int round = 0; round < Math.Max(100, n); round++)
        {
            double whole = 0;
            for (int i = 0; i < n; i++)
            {
                slope[i] = 0;
                for (int j = 0; j < n; j++)
                {
                    slope[i] += q[i, j] * found[j];
                }

                whole += found[i] * slope[i];
            }

            if (slope.Max(value => Math.Abs(value - whole)) < 0.005 / n)
            {
                break;
            }

            for (int i = 0; i < n; i++)
            {
                double step = (whole - slope[i]) / q[i, i];
                found[i] += step;
                whole = (whole + (step * ((step * q[i, i]) + (2 * slope[i])))) / ((1 + step) * (1 + step));
                for (int j = 0; j < n; j++)
                {
                    slope[j] = (slope[j] + (step * q[i, j])) / (1 + step);
                    found[j] /= 1 + step;
                }
            }
        }

        return found;
    }

    private void Kernels(HostCall call, ReadOnlySpan<double> x, double[] kernels)
    {
        for (int i = 0; i < kernels.Length; i++)
        {
            ReadOnlySpan<double> vector = _vectors.AsSpan(i * x.Length, x.Length);
            if (_kernel == "RBF")
            {
                double distance = TensorPrimitives.Distance(x, vector);
                kernels[i] = Math.Exp(-_gamma * distance * distance);
                continue;
            }

            double product = TensorPrimitives.Dot(x, vector);
            kernels[i] = _kernel switch
            {
                "LINEAR" => product,
                "POLY" => Math.Pow((_gamma * product) + _shift, _degree),
                "SIGMOID" => Math.Tanh((_gamma * product) + _shift),
                _ => throw call.Error("a kernel_type of LINEAR, POLY, RBF or SIGMOID", _kernel),
            };
        }
    }

    private static double[] Rows(HostCall call, int expected, out int rows, out int features)
    {
        OnnxTensor input = call.Tensor(0);
        features = input.Rank == 0 ? 1 : input.Dims[^1];
        rows = features == 0 ? 0 : input.Count / features;
        return input.Rank is 1 or 2 && features == expected
            ? Numbers.Doubles(input)
            : throw call.Error(string.Create(CultureInfo.InvariantCulture, $"rows of {expected} features"), input.ToString());
    }

    private static double[] Doubles(HostCall call, string name) =>
        Array.ConvertAll(call.Floats(name) ?? [], value => (double)value);
}
