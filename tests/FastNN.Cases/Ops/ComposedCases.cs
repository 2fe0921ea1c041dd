using FastNN.Functions;

namespace FastNN.Testing;

/// <summary>
/// What a user builds of the operators: attention over several heads from one product, and a residual block with batch
/// normalization.
/// </summary>
internal sealed class ComposedCases : IOpCases
{
    private static readonly (string Name, Func<Value, int, Value> Build, string Function)[] Gates =
    [
        ("GLU", (x, axis) => x.GLU(axis), "Sigmoid"), ("SwiGLU", (x, axis) => x.SwiGLU(axis), "SiLU"),
        ("GeGLU", (x, axis) => x.GeGLU(axis), "Gelu"), ("ReGLU", (x, axis) => x.ReGLU(axis), "ReLU"),
    ];

    public static IEnumerable<OpCase> Cases { get; } = [
        Attention(2, 5, 3, 4), Attention(1, 17, 2, 8), Residual(7, 5), Residual(33, 13), Autoencoder(5, 7, 3),
        .. from gate in Gates
           from pattern in new (int[] Shape, int Axis)[] { ([3, 8], -1), ([4, 5], 0), ([2, 6, 7], 1), ([33, 34], 1) }
           select Gate(gate, new Shape(pattern.Shape), pattern.Axis),
        MaskedFill(new Shape(13, 7), new Shape(7), 3), MaskedFill(new Shape(33), new Shape(33), float.NegativeInfinity),
        NumberBeside(new Shape(5, 7)),
    ];

    private static OpCase Gate((string Name, Func<Value, int, Value> Build, string Function) gate, Shape shape, int axis)
    {
        UnaryFunction row = FunctionTable.Unary.Single(row => row.Info.Name == gate.Function);
        var function = new Activation(row, row.Info.Defaults);
        int at = shape.NormalizeAxis(axis), half = shape[at] / 2, inner = (int)shape.Product(at + 1, shape.Rank);
        return new OpCase(
            $"{gate.Name} {shape} along {axis}", [OpInput.AwayFromZero("x", shape, 2)], values => gate.Build(values[0], axis),
            values =>
            {
                var y = new double[values[0].Length / 2];
                for (int i = 0; i < y.Length; i++)
                {
                    int from = (i / (half * inner) * 2 * half * inner) + (i % (half * inner));
                    y[i] = values[0][from] * ActivationsReference.Value(function, values[0][from + (half * inner)]);
                }

                return y;
            });
    }

    private static OpCase MaskedFill(Shape shape, Shape mask, float number) => new(
        $"masked fill of {shape} by {mask} with {number}", [OpInput.Uniform("x", shape), OpInput.Bits("mask", mask)],
        values => values[0].MaskedFill(values[1], number).Exp(),
        values =>
        [
            .. values[0].Select((x, i) => Math.Exp(values[1][i % mask.Count] != 0 ? number : x)),
        ])
    {
        Tolerance = 2e-5,
    };

    private static OpCase NumberBeside(Shape shape) => new(
        $"where with numbers {shape}", [OpInput.AwayFromZero("x", shape)],
        values => ShapeOperators.Where(values[0] > 0, values[0], -0.5f)
            + ShapeOperators.Where(values[0] > 0.5f, 2f, values[0] * 3f) + ShapeOperators.Where(values[0] > 0, 1, 4),
        values =>
        [
            .. values[0].Select(x => (x > 0 ? x : -0.5) + (x > 0.5 ? 2 : 3 * x) + (x > 0 ? 1 : 4)),
        ])
    {
        Samples = 0,
    };


    /// <summary>x [B, T, H D] weight [H D, 3 H D]: split into queries, keys and values, each [B, H, T, D].</summary>
    private static OpCase Attention(int batch, int length, int heads, int width)
    {
        int features = heads * width;
        return new OpCase(
            $"attention of {heads} heads over [{batch}, {length}, {features}]",
            [
                OpInput.Uniform("x", new Shape(batch, length, features)),
                OpInput.Uniform("weight", new Shape(features, 3 * features))],
            values =>
            {
                Value[] parts = [
                    .. values[0].MatMul(values[1]).Chunk(3)
                        .Select(part => part.Reshape([batch, length, heads, width]).Permute(0, 2, 1, 3))];
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
        double Project(int b, int t, int column) =>
            Enumerable.Range(0, features).Sum(k => x[(((b * length) + t) * features) + k] * weight[(k * 3 * features) + column]);
        var y = new double[x.Length];
        for (int b = 0; b < batch; b++)
        {
            double[][] projected = [
                .. Enumerable.Range(0, length).Select(
                    t => Enumerable.Range(0, 3 * features).Select(column => Project(b, t, column)).ToArray())];
            for (int head = 0; head < heads; head++)
            {
                for (int t = 0; t < length; t++)
                {
                    double[] scores = [.. projected.Select(key => Math.Exp(
                        Enumerable.Range(head * width, width).Sum(d => projected[t][d] * key[features + d]) / Math.Sqrt(width)))];
                    for (int d = head * width; d < (head + 1) * width; d++)
                    {
                        y[(((b * length) + t) * features) + d] = scores.Select(
                            (score, s) => score * projected[s][(2 * features) + d]).Sum() / scores.Sum();
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
            double[] hidden = MatMulReference.Forward(
                values[0], shape, values[1], new Shape(features, features), shape, false, false);
            double[] normalized = NormalizationReference.Forward(
                hidden, values[2], values[3], i => i % features, i => i % features, 1e-3f);
            return [.. values[0].Zip(normalized, (x, value) => x + Math.Tanh(value))];
        })
    {
        Samples = 16,
        Tolerance = 5e-5,
    };

    /// <summary>
    /// A variational autoencoder (Kingma and Welling, 2013): the squared error of the reconstruction from z = mean + exp(logvar /
    /// 2) noise, and the divergence from the standard normal, both per example.
    /// </summary>
    private static OpCase Autoencoder(int batch, int features, int latent) => new(
        $"variational autoencoder of [{batch}, {features}] by {latent}",
        [
            OpInput.Uniform("x", new Shape(batch, features)), OpInput.Uniform("encoder", new Shape(features, 2 * latent)),
            OpInput.Uniform("decoder", new Shape(latent, features)),
            OpInput.Uniform("noise", new Shape(batch, latent)).Constant(),
        ],
        values =>
        {
            Graph graph = values[0].Graph;
            Value minus = graph.Constant(-1f), half = graph.Constant(0.5f);
            Value[] code = values[0].MatMul(values[1]).Chunk(2);
            (Value mean, Value logarithm) = (code[0], code[1]);
            Value z = mean + ((half * logarithm).Exp() * values[3]);
            Value error = z.MatMul(values[2]).Sigmoid() + (minus * values[0]);
            Value divergence = (graph.Constant(1f) + logarithm + (minus * mean * mean) + (minus * logarithm.Exp()))
                * graph.Constant(-0.5f);
            return (error * error).Sum([1]) + divergence.Sum([1]);
        },
        values => [.. Enumerable.Range(0, batch).Select(row =>
        {
            double[] x = values[0][(row * features)..((row + 1) * features)];
            double[] code = [
                .. Enumerable.Range(0, 2 * latent).Select(
                    k => x.Select((value, i) => value * values[1][(i * 2 * latent) + k]).Sum())];
            double[] z = [
                .. Enumerable.Range(0, latent).Select(
                    k => code[k] + (Math.Exp(0.5 * code[latent + k]) * values[3][(row * latent) + k]))];
            double error = x.Select((value, i) =>
            {
                double y = 1 / (1 + Math.Exp(-z.Select((part, k) => part * values[2][(k * features) + i]).Sum()));
                return (y - value) * (y - value);
            }).Sum();
            return error
                - (0.5 * Enumerable.Range(0, latent).Sum(
                    k => 1 + code[latent + k] - (code[k] * code[k]) - Math.Exp(code[latent + k])));
        })])
    {
        Tolerance = 2e-5,
    };
}
