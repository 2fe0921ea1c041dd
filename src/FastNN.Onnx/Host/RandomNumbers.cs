namespace FastNN.Onnx.Host;

/// <summary>
/// Random tensors. The standard leaves the generator open. Here it is the Mersenne Twister as NumPy seeds and reads it, since the
/// standard's own expected outputs of dropout with a seed come from it; without a seed the node's place in the graph is one, so
/// that a run can be repeated.
/// </summary>
internal static class RandomNumbers
{
    private static MersenneTwister Generator(HostCall call) => new(
        !call.Node.Attributes.TryGetValue("seed", out Model.AttributeDef? seed) ? (uint)call.NodeSeed
        : seed.Kind == Model.AttributeKind.Int ? (uint)seed.Int
        : seed.Float == MathF.Floor(seed.Float) ? (uint)(long)seed.Float
        : BitConverter.SingleToUInt32Bits(seed.Float));

    public static OnnxValue?[] Uniform(HostCall call) => Fill(call, Dims(call), UniformNumbers(call));

    public static OnnxValue?[] UniformLike(HostCall call) => Fill(call, call.Tensor(0).Dims, UniformNumbers(call));

    public static OnnxValue?[] Normal(HostCall call) => Fill(call, Dims(call), NormalNumbers(call));

    public static OnnxValue?[] NormalLike(HostCall call) => Fill(call, call.Tensor(0).Dims, NormalNumbers(call));

    private static int[] Dims(HostCall call) => Shapes.Extents(call, call.Ints("shape") ?? throw call.Error("a shape", "none"));

    private static Func<double> UniformNumbers(HostCall call)
    {
        MersenneTwister random = Generator(call);
        double low = call.Float("low", 0), high = call.Float("high", 1);
        return () => low + ((high - low) * random.NextDouble());
    }

    // Box and Muller (1958).
    private static Func<double> NormalNumbers(HostCall call)
    {
        MersenneTwister random = Generator(call);
        double mean = call.Float("mean", 0), scale = call.Float("scale", 1);
        return () => mean + (scale * Math.Sqrt(-2 * Math.Log(1 - random.NextDouble()))
            * Math.Cos(2 * Math.PI * random.NextDouble()));
    }

    private static OnnxValue?[] Fill(HostCall call, int[] dims, Func<double> next)
    {
        var values = new double[Shapes.Product(dims)];
        for (int i = 0; i < values.Length; i++)
        {
            values[i] = next();
        }

        var given = (OnnxElementType)call.Int("dtype", 0);
        OnnxElementType type = given != OnnxElementType.Undefined ? given
            : call.InputCount > 0 ? call.Tensor(0).ElementType : OnnxElementType.Float32;
        return HostCall.One(Normalizations.Rounded(values, dims, type));
    }

    public static OnnxValue?[] Bernoulli(HostCall call)
    {
        OnnxTensor x = call.Tensor(0);
        MersenneTwister random = Generator(call);
        double[] values = Array.ConvertAll(Numbers.Doubles(x), p => random.NextDouble() < p ? 1.0 : 0);
        return HostCall.One(Normalizations.Rounded(values, x.Dims, (OnnxElementType)call.Int("dtype", (int)x.ElementType)));
    }

    public static OnnxValue?[] Multinomial(HostCall call)
    {
        OnnxTensor x = call.Tensor(0);
        int rows = x.Dims[0], classes = x.Dims[1], samples = (int)call.Int("sample_size", 1);
        MersenneTwister random = Generator(call);
        double[] logits = Numbers.Doubles(x), chosen = new double[rows * samples];
        for (int row = 0; row < rows; row++)
        {
            double[] weights = [.. logits.AsSpan(row * classes, classes).ToArray().Select(Math.Exp)];
            double sum = weights.Sum();
            for (int s = 0; s < samples; s++)
            {
                double left = random.NextDouble() * sum;
                int c = 0;
                while (c < classes - 1 && (left -= weights[c]) >= 0)
                {
                    c++;
                }

                chosen[(row * samples) + s] = c;
            }
        }

        return HostCall.One(Normalizations.Rounded(chosen, [rows, samples],
            (OnnxElementType)call.Int("dtype", (int)OnnxElementType.Int32)));
    }

    /// <summary>Dropout in training mode: what is kept is scaled up.</summary>
    public static OnnxValue?[] Dropout(HostCall call, OnnxTensor x, double ratio)
    {
        MersenneTwister random = Generator(call);
        double[] values = Numbers.Doubles(x), result = new double[values.Length];
        var mask = new bool[values.Length];
        for (int i = 0; i < values.Length; i++)
        {
            mask[i] = random.NextDouble() >= ratio;
            result[i] = mask[i] ? values[i] / (1 - ratio) : 0;
        }

        return [Normalizations.Rounded(result, x.Dims, x.ElementType), new OnnxTensor(OnnxElementType.Bool, x.Dims, mask)];
    }
}
