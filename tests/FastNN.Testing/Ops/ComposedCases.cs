namespace FastNN.Testing;

/// <summary>What a user builds of the operators: attention over several heads from one product, and a residual block with batch normalization.</summary>
internal sealed class ComposedCases : IOpCases
{
    public static IEnumerable<OpCase> Cases { get; } = [Attention(2, 5, 3, 4), Attention(1, 17, 2, 8), Residual(7, 5), Residual(33, 13)];

    /// <summary>x [B, T, H D] weight [H D, 3 H D]: split into queries, keys and values, each [B, H, T, D].</summary>
    private static OpCase Attention(int batch, int length, int heads, int width)
    {
        int features = heads * width;
        return new OpCase(
            $"attention of {heads} heads over [{batch}, {length}, {features}]",
            [OpInput.Uniform("x", new Shape(batch, length, features)), OpInput.Uniform("weight", new Shape(features, 3 * features))],
            values =>
            {
                Value[] parts = [.. values[0].MatMul(values[1]).Chunk(3).Select(part => part.Reshape([batch, length, heads, width]).Permute(0, 2, 1, 3))];
                Value scores = parts[0].MatMul(parts[1], transposeB: true) * values[0].Graph.Constant(1 / MathF.Sqrt(width));
                return scores.Softmax().MatMul(parts[2]).Permute(0, 2, 1, 3).Reshape([batch, length, features]);
            },
            values => Attend(values[0], values[1], batch, length, heads, width))
        {
            Tolerance = 2e-5,
        };
    }

    private static double[] Attend(double[] x, double[] weight, int batch, int length, int heads, int width)
    {
        int features = heads * width;
        double Project(int b, int t, int column) => Enumerable.Range(0, features).Sum(k => x[(((b * length) + t) * features) + k] * weight[(k * 3 * features) + column]);
        var y = new double[x.Length];
        for (int b = 0; b < batch; b++)
        {
            double[][] projected = [.. Enumerable.Range(0, length).Select(t => Enumerable.Range(0, 3 * features).Select(column => Project(b, t, column)).ToArray())];
            for (int head = 0; head < heads; head++)
            {
                for (int t = 0; t < length; t++)
                {
                    double[] scores = [.. projected.Select(key => Math.Exp(
                        Enumerable.Range(head * width, width).Sum(d => projected[t][d] * key[features + d]) / Math.Sqrt(width)))];
                    for (int d = head * width; d < (head + 1) * width; d++)
                    {
                        y[(((b * length) + t) * features) + d] = scores.Select((score, s) => score * projected[s][(2 * features) + d]).Sum() / scores.Sum();
                    }
                }
            }
        }

        return y;
    }

    /// <summary>x + tanh(batchnorm(x weight)): smooth, so that differences are good everywhere.</summary>
    private static OpCase Residual(int rows, int features) => new(
        $"residual block of [{rows}, {features}]",
        [
            OpInput.Uniform("x", new Shape(rows, features)), OpInput.Uniform("weight", new Shape(features, features)),
            OpInput.Uniform("gain", new Shape(features), 0.5, 1.5), OpInput.Uniform("shift", new Shape(features)),
        ],
        values =>
        {
            Value zeros = values[0].Graph.Constant(new float[features], new Shape(features));
            return values[0] + values[0].MatMul(values[1]).BatchNorm(zeros, zeros, values[2], values[3], eps: 1e-3f).Tanh();
        },
        values =>
        {
            Shape shape = new(rows, features);
            double[] hidden = MatMulReference.Forward(values[0], shape, values[1], new Shape(features, features), shape, false, false);
            double[] normalized = NormalizationReference.Forward(hidden, values[2], values[3], i => i % features, i => i % features, 1e-3f);
            return [.. values[0].Zip(normalized, (x, value) => x + Math.Tanh(value))];
        })
    {
        Samples = 16,
        Tolerance = 5e-5,
    };
}
