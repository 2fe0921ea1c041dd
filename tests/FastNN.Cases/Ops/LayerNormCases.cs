namespace FastNN.Testing;

/// <summary>
/// Layer and root mean square normalization; the reference has no backward of its own, central differences of it are what
/// gradients are held to. Lengths reach every kernel of CUDA: rows in a warp's registers, in a block's, and read again.
/// </summary>
internal sealed class LayerNormCases : IOpCases
{
    private const float Eps = 1e-3f;

    private static readonly (int[] Shape, int Axes)[] Shapes =
    [
        ([3, 7], 1), ([5, 33], 1), ([2, 3, 4, 5], 2), ([7, 13], 2), ([17, 129], 1), ([1, 4, 31], 1), ([260, 300], 1), ([1, 1], 1),
        ([33, 256], 1), ([19, 1000], 1), ([3, 1025], 1), ([3, 4096], 1), ([2, 5003], 1), ([2, 8201], 1),
        ([37, 515], 1), ([18, 2045], 1), ([35, 67], 1),
    ];

    public static IEnumerable<OpCase> Cases
    {
        get
        {
            foreach ((int[] shape, int axes) in Shapes)
            {
                for (int parameters = shape[^1] > 300 ? 2 : 0; parameters <= 2; parameters++)
                {
                    yield return Layer(new Shape(shape), axes, parameters);
                }

                yield return Rms(new Shape(shape), axes, 1);
            }

            yield return Rms(new Shape(5, 33), 1, 0);
            yield return Rms(new Shape(2, 3, 5, 7), 3, 0);
        }
    }

    private static OpCase Layer(Shape x, int axes, int parameters)
    {
        Shape own = x[^axes..];
        var size = (int)own.Count;
        OpInput[] inputs = [OpInput.Uniform("x", x), OpInput.Uniform("weight", own, 0.5, 1.5), OpInput.Uniform("bias", own)];
        return new OpCase(
            $"layer {x} over {axes}, {parameters} parameters", inputs[..(1 + parameters)],
            values => values[0].LayerNorm(values.ElementAtOrDefault(1), values.ElementAtOrDefault(2), axes, Eps),
            values => NormalizationReference.Forward(
                values[0], values.ElementAtOrDefault(1), values.ElementAtOrDefault(2), i => i / size, i => i % size, Eps))
        {
            Samples = x.Count > 10_000 ? 3 : 16,
            Tolerance = 1e-5 * Math.Max(1, Math.Sqrt(x.Count / (double)size) / 2),
        };
    }

    private static OpCase Rms(Shape x, int axes, int parameters)
    {
        Shape own = x[^axes..];
        var size = (int)own.Count;
        OpInput[] inputs = [OpInput.Uniform("x", x), OpInput.Uniform("weight", own, 0.5, 1.5)];
        return new OpCase(
            $"RMS {x} over {axes}, {parameters} parameters", inputs[..(1 + parameters)],
            values => values[0].RMSNorm(values.ElementAtOrDefault(1), axes, Eps),
            values => NormalizationReference.RootMeanSquare(values[0], values.ElementAtOrDefault(1), size, Eps))
        {
            Samples = x.Count > 10_000 ? 3 : 16,
            Tolerance = 1e-5 * Math.Max(1, Math.Sqrt(x.Count / (double)size) / 2),
        };
    }
}
