namespace FastNN.Onnx.Host;

/// <summary>Normalizations, computed in double precision and rounded once.</summary>
internal static class Normalizations
{
    public static OnnxValue?[] BatchNormalization(HostCall call)
    {
        OnnxTensor x = call.Tensor(0);
        int channels = x.Rank > 1 ? x.Dims[1] : 1, n = x.Dims[0], pixels = x.Count == 0 ? 0 : x.Count / (n * channels);
        double[] from = Numbers.Doubles(x), scale = Channels(call, 1, channels), bias = Channels(call, 2, channels);
        double[] mean = Channels(call, 3, channels), variance = Channels(call, 4, channels);
        double epsilon = call.Float("epsilon", 1e-5f), momentum = call.Float("momentum", 0.9f);
        bool training = call.Opset >= 14 && call.Flag("training_mode");
        double[] runningMean = mean, runningVariance = variance;
        if (training)
        {
            (mean, variance) = Moments(from, n, channels, pixels);
            runningMean = Blend(runningMean, mean, momentum);
            runningVariance = Blend(runningVariance, variance, momentum);
        }

        var to = new double[from.Length];
        for (int i = 0; i < to.Length; i++)
        {
            int c = i / pixels % channels;
            to[i] = ((from[i] - mean[c]) / Math.Sqrt(variance[c] + epsilon) * scale[c]) + bias[c];
        }

        OnnxTensor y = Rounded(to, x.Dims, x.ElementType);
        return training
            ? [y, Rounded(runningMean, [channels], call.Tensor(3).ElementType),
                Rounded(runningVariance, [channels], call.Tensor(4).ElementType)]
            : [y];
    }

    private static double[] Channels(HostCall call, int input, int channels) =>
        call.Tensor(input).Count == channels
            ? Numbers.Doubles(call.Tensor(input))
            : throw call.Error($"{channels} elements in input {input}, one per channel", call.Tensor(input).ToString());

    private static (double[] Mean, double[] Variance) Moments(double[] x, int n, int channels, int pixels)
    {
        var mean = new double[channels];
        var variance = new double[channels];
        for (int i = 0; i < x.Length; i++)
        {
            mean[i / pixels % channels] += x[i] / ((double)n * pixels);
        }

        for (int i = 0; i < x.Length; i++)
        {
            int c = i / pixels % channels;
            variance[c] += (x[i] - mean[c]) * (x[i] - mean[c]) / ((double)n * pixels);
        }

        return (mean, variance);
    }

    private static double[] Blend(double[] old, double[] now, double momentum)
    {
        var result = new double[old.Length];
        for (int i = 0; i < result.Length; i++)
        {
            result[i] = (old[i] * momentum) + (now[i] * (1 - momentum));
        }

        return result;
    }

    public static OnnxTensor Rounded(double[] values, int[] dims, OnnxElementType type) =>
        Numbers.Convert(new OnnxTensor(OnnxElementType.Float64, dims, values), type);

    /// <summary>LayerNormalization: mean and variance over all axes from one on; their values are outputs too.</summary>
    public static OnnxValue?[] LayerNormalization(HostCall call)
    {
        OnnxTensor x = call.Tensor(0);
        int axis = call.Axis(call.Int("axis", -1), x.Rank);
        int length = Shapes.Product(x.Dims.AsSpan(axis));
        double[] from = Numbers.Doubles(x);
        double[] scale = Affine(call, 1, x, axis)!;
        double[]? bias = Affine(call, 2, x, axis);
        double epsilon = call.Float("epsilon", 1e-5f);
        int rows = length == 0 ? 0 : from.Length / length;
        double[] to = new double[from.Length], means = new double[rows], inverses = new double[rows];
        for (int row = 0; row < rows; row++)
        {
            ReadOnlySpan<double> values = from.AsSpan(row * length, length);
            (means[row], double variance) = MeanAndVariance(values);
            inverses[row] = 1 / Math.Sqrt(variance + epsilon);
            for (int i = 0; i < length; i++)
            {
                to[(row * length) + i] = ((values[i] - means[row]) * inverses[row] * scale[i]) + (bias?[i] ?? 0);
            }
        }

        int[] dims = [.. x.Dims[..axis], .. Enumerable.Repeat(1, x.Rank - axis)];
        return [Rounded(to, x.Dims, x.ElementType), Rounded(means, dims, OnnxElementType.Float32),
            Rounded(inverses, dims, OnnxElementType.Float32)];
    }

    private static (double Mean, double Variance) MeanAndVariance(ReadOnlySpan<double> values)
    {
        double mean = 0, variance = 0;
        foreach (double value in values)
        {
            mean += value;
        }

        mean /= values.Length;
        foreach (double value in values)
        {
            variance += (value - mean) * (value - mean);
        }

        return (mean, variance / values.Length);
    }

    /// <summary>A scale or bias that broadcasts to the normalized axes.</summary>
    private static double[]? Affine(HostCall call, int input, OnnxTensor x, int axis) => call.Optional(input) is { } tensor
        ? Numbers.Doubles(Shapes.BroadcastTo(tensor, Checked(call, tensor, x.Dims[axis..])))
        : null;

    private static int[] Checked(HostCall call, OnnxTensor tensor, int[] dims) =>
        Shapes.Broadcast(call, tensor.Dims, dims).AsSpan().SequenceEqual(dims)
            ? dims
            : throw call.Error($"a scale that broadcasts to {OnnxTensor.Text(dims)}", tensor.ToString());

    public static OnnxValue?[] RMSNormalization(HostCall call)
    {
        OnnxTensor x = call.Tensor(0);
        int axis = call.Axis(call.Int("axis", -1), x.Rank);
        int length = Shapes.Product(x.Dims.AsSpan(axis));
        double[] from = Numbers.Doubles(x), scale = Affine(call, 1, x, axis)!, to = new double[from.Length];
        double epsilon = call.Float("epsilon", 1e-5f);
        for (int at = 0; at + length <= from.Length && length > 0; at += length)
        {
            double squares = 0;
            for (int i = 0; i < length; i++)
            {
                squares += from[at + i] * from[at + i];
            }

            double inverse = 1 / Math.Sqrt((squares / length) + epsilon);
            for (int i = 0; i < length; i++)
            {
                to[at + i] = from[at + i] * inverse * scale[i];
            }
        }

        return HostCall.One(Rounded(to, x.Dims, x.ElementType));
    }

    public static OnnxValue?[] InstanceNormalization(HostCall call)
    {
        OnnxTensor x = call.Tensor(0);
        return Grouped(call, x.Dims[1], perChannel: true);
    }

    /// <summary>GroupNormalization; before opset 21 scale and bias are per group.</summary>
    public static OnnxValue?[] GroupNormalization(HostCall call) =>
        Grouped(call, (int)call.Int("num_groups", 1), perChannel: call.Opset >= 21);

    private static OnnxValue?[] Grouped(HostCall call, int groups, bool perChannel)
    {
        OnnxTensor x = call.Tensor(0);
        int n = x.Dims[0], channels = x.Dims[1], pixels = Shapes.Product(x.Dims.AsSpan(2));
        if (groups <= 0 || channels % groups != 0)
        {
            throw call.Error($"a number of groups that divides {channels} channels", $"{groups}");
        }

        double[] from = Numbers.Doubles(x), to = new double[from.Length];
        double[] scale = Channels(call, 1, perChannel ? channels : groups),
            bias = Channels(call, 2, perChannel ? channels : groups);
        double epsilon = call.Float("epsilon", 1e-5f);
        int each = channels / groups, length = each * pixels;
        for (int row = 0; row < n * groups; row++)
        {
            ReadOnlySpan<double> values = from.AsSpan(row * length, length);
            (double mean, double variance) = MeanAndVariance(values);
            double inverse = 1 / Math.Sqrt(variance + epsilon);
            for (int i = 0; i < length; i++)
            {
                int c = perChannel ? (row % groups * each) + (i / pixels) : row % groups;
                to[(row * length) + i] = ((values[i] - mean) * inverse * scale[c]) + bias[c];
            }
        }

        return HostCall.One(Rounded(to, x.Dims, x.ElementType));
    }

    public static OnnxValue?[] MeanVarianceNormalization(HostCall call)
    {
        OnnxTensor x = call.Tensor(0);
        var rows = Reductions.Rows.Of(call, x, call.Ints("axes") ?? [0, 2, 3], keep: true);
        double[] from = Numbers.Doubles(rows.Tensor), to = new double[from.Length];
        for (int at = 0; at < from.Length; at += rows.Length)
        {
            ReadOnlySpan<double> values = from.AsSpan(at, rows.Length);
            (double mean, double variance) = MeanAndVariance(values);
            for (int i = 0; i < rows.Length; i++)
            {
                to[at + i] = (values[i] - mean) / (Math.Sqrt(variance) + 1e-9);
            }
        }

        int[] order = [.. rows.Kept, .. Enumerable.Range(0, x.Rank).Where(axis => Array.IndexOf(rows.Kept, axis) < 0)];
        var moved = new OnnxTensor(OnnxElementType.Float64, Array.ConvertAll(order, axis => x.Dims[axis]), to);
        int[] back = [.. Enumerable.Range(0, x.Rank).Select(axis => Array.IndexOf(order, axis))];
        return HostCall.One(Numbers.Convert(Shapes.Transpose(moved, back), x.ElementType));
    }

    public static OnnxValue?[] LpNormalization(HostCall call)
    {
        OnnxTensor x = call.Tensor(0);
        int axis = call.Axis(call.Int("axis", -1), x.Rank), extent = x.Dims[axis],
            inner = Shapes.Product(x.Dims.AsSpan(axis + 1));
        double p = call.Int("p", 2);
        double[] from = Numbers.Doubles(x), to = new double[from.Length];
        for (int o = 0; o < Shapes.Product(x.Dims.AsSpan(0, axis)); o++)
        {
            for (int i = 0; i < inner; i++)
            {
                double sum = 0;
                for (int e = 0; e < extent; e++)
                {
                    sum += Math.Pow(Math.Abs(from[(((o * extent) + e) * inner) + i]), p);
                }

                double norm = Math.Pow(sum, 1 / p);
                for (int e = 0; e < extent; e++)
                {
                    int place = (((o * extent) + e) * inner) + i;
                    to[place] = norm == 0 ? 0 : from[place] / norm;
                }
            }
        }

        return HostCall.One(Rounded(to, x.Dims, x.ElementType));
    }

    /// <summary>LRN over neighboring channels (Krizhevsky et al., 2012); the sum is divided by the size.</summary>
    public static OnnxValue?[] LRN(HostCall call)
    {
        OnnxTensor x = call.Tensor(0);
        int channels = x.Dims[1], pixels = Shapes.Product(x.Dims.AsSpan(2)), size = (int)call.Int("size", 1);
        double alpha = call.Float("alpha", 1e-4f), beta = call.Float("beta", 0.75f), bias = call.Float("bias", 1);
        double[] from = Numbers.Doubles(x), to = new double[from.Length];
        for (int i = 0; i < to.Length; i++)
        {
            int c = i / pixels % channels;
            double squares = 0;
            for (int k = Math.Max(0, c - ((size - 1) / 2)); k <= Math.Min(channels - 1, c + (size / 2)); k++)
            {
                double value = from[i + ((k - c) * pixels)];
                squares += value * value;
            }

            to[i] = from[i] / Math.Pow(bias + (alpha / size * squares), beta);
        }

        return HostCall.One(Rounded(to, x.Dims, x.ElementType));
    }
}
