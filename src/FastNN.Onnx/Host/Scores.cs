using System.Globalization;

namespace FastNN.Onnx.Host;

/// <summary>Linear models of ai.onnx.ml, and what becomes of any classifier's scores: transforms and labels.</summary>
internal static class Scores
{
    public static OnnxValue?[] LinearRegressor(HostCall call)
    {
        int targets = (int)call.Int("targets", 1);
        double[] y = Linear(call, targets);
        Transform(call, y, targets, call.Text("post_transform", "NONE"));
        return HostCall.One(Normalizations.Rounded(y, [y.Length / targets, targets], OnnxElementType.Float32));
    }

    public static OnnxValue?[] LinearClassifier(HostCall call)
    {
        int labels = call.Texts("classlabels_strings")?.Length ?? call.Ints("classlabels_ints")?.Length ?? 0;
        int rows = Math.Max(1, call.Floats("intercepts")?.Length ?? labels);
        return Classify(call, Linear(call, rows), rows, 0, false);
    }

    private static double[] Linear(HostCall call, int targets)
    {
        OnnxTensor input = call.Tensor(0);
        float[] weights = call.Floats("coefficients") ?? throw call.Error("coefficients", "none");
        float[] intercepts = call.Floats("intercepts") is { Length: > 0 } given ? given : new float[Math.Max(targets, 1)];
        int features = input.Rank == 0 ? 1 : input.Dims[^1];
        if (targets <= 0 || weights.Length != targets * features || intercepts.Length != targets)
        {
            throw call.Error(
                string.Create(CultureInfo.InvariantCulture, $"{targets} x {features} coefficients and {targets} intercepts"),
                string.Create(CultureInfo.InvariantCulture, $"{weights.Length} and {intercepts.Length}"));
        }

        double[] x = Numbers.Doubles(input), y = new double[x.Length / features * targets];
        for (int i = 0; i < y.Length; i++)
        {
            int row = i / targets * features, of = i % targets * features;
            double sum = intercepts[i % targets];
            for (int f = 0; f < features; f++)
            {
                sum += x[row + f] * weights[of + f];
            }

            y[i] = sum;
        }

        return y;
    }

    /// <summary>Labels and scores. A single score per row stands for the second of two labels.</summary>
    /// <param name="threshold">What a single score has to exceed for the second label.</param>
    /// <param name="probability">Whether the first label's score is 1 less the other, rather than its negative.</param>
    public static OnnxValue?[] Classify(HostCall call, double[] y, int width, double threshold, bool probability)
    {
        string[]? texts = call.Texts("classlabels_strings") is { Length: > 0 } some ? some : null;
        long[] numbers = call.Ints("classlabels_int64s") ?? call.Ints("classlabels_ints") ?? [];
        string transform = call.Text("post_transform", "NONE");
        int rows = y.Length / width, classes = Math.Max(width, Math.Min(2, texts?.Length ?? numbers.Length));
        var best = new int[rows];
        for (int row = 0; row < rows; row++)
        {
            ReadOnlySpan<double> scores = y.AsSpan(row * width, width);
            best[row] = width == 1 ? (classes == 2 && scores[0] > threshold ? 1 : 0)
                : System.Numerics.Tensors.TensorPrimitives.IndexOfMax(scores);
        }

        if (width == 1 && classes == 2)
        {
            var both = new double[rows * 2];
            for (int row = 0; row < rows; row++)
            {
                double score = y[row];
                both[row * 2] = probability ? 1 - score : -score;
                both[(row * 2) + 1] = score;
            }

            y = both;
            transform = probability || transform is "SOFTMAX" or "SOFTMAX_ZERO" ? "NONE" : transform;
        }

        Transform(call, y, classes, transform);
        if ((texts?.Length ?? numbers.Length) < classes)
        {
            throw call.Error(string.Create(CultureInfo.InvariantCulture, $"{classes} class labels"), "fewer");
        }

        OnnxTensor labels = texts is not null
            ? OnnxTensor.Create(Array.ConvertAll(best, place => texts[place]), rows)
            : OnnxTensor.Create(Array.ConvertAll(best, place => numbers[place]), rows);
        return [labels, Normalizations.Rounded(y, [rows, classes], OnnxElementType.Float32)];
    }

    /// <summary>Applies a post_transform to every row.</summary>
    public static void Transform(HostCall call, double[] y, int width, string transform)
    {
        for (int at = 0; at < y.Length; at += width)
        {
            Span<double> row = y.AsSpan(at, width);
            switch (transform)
            {
                case "NONE":
                    return;
                case "LOGISTIC":
                    for (int i = 0; i < width; i++)
                    {
                        row[i] = 1 / (1 + Math.Exp(-row[i]));
                    }

                    break;
                case "PROBIT":
                    for (int i = 0; i < width; i++)
                    {
                        row[i] = Math.Sqrt(2) * InverseErrorFunction((2 * row[i]) - 1);
                    }

                    break;
                case "SOFTMAX" or "SOFTMAX_ZERO":
                    Softmax(row, keepZeros: transform == "SOFTMAX_ZERO");
                    break;
                default:
                    throw call.Error("a post_transform of NONE, SOFTMAX, LOGISTIC, SOFTMAX_ZERO or PROBIT", transform);
            }
        }
    }

    private static void Softmax(Span<double> row, bool keepZeros)
    {
        double max = System.Numerics.Tensors.TensorPrimitives.Max(row), sum = 0;
        for (int i = 0; i < row.Length; i++)
        {
            row[i] = keepZeros && row[i] == 0 ? 0 : Math.Exp(row[i] - max);
            sum += row[i];
        }

        for (int i = 0; i < row.Length && sum != 0; i++)
        {
            row[i] /= sum;
        }
    }

    // Winitzki's formula and two steps of Newton's method: exact to double precision but at the ends.
    private static double InverseErrorFunction(double x)
    {
        const double A = 0.147;
        if (Math.Abs(x) >= 1)
        {
            return Math.Abs(x) == 1 ? x * double.PositiveInfinity : double.NaN;
        }

        double log = Math.Log(1 - (x * x)), half = (2 / (Math.PI * A)) + (log / 2);
        double y = Math.CopySign(Math.Sqrt(Math.Sqrt((half * half) - (log / A)) - half), x);
        for (int i = 0; i < 2; i++)
        {
            y -= (ErrorFunction.Of(y) - x) / (2 / Math.Sqrt(Math.PI) * Math.Exp(-y * y));
        }

        return y;
    }
}
