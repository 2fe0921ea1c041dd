namespace FastNN.Onnx.Host;

/// <summary>Fourier transforms, windows and mel weights. Transforms are sums over all samples, which is right for any
/// length.</summary>
internal static class Signals
{
    public static OnnxValue?[] Dft(HostCall call)
    {
        OnnxTensor x = call.Tensor(0);
        int axis = call.Axis(call.Opset >= 20 ? call.Long(2) ?? -2 : call.Int("axis", 1), x.Rank);
        bool inverse = call.Flag("inverse"), oneSided = call.Flag("onesided");
        int extent = x.Dims[axis], parts = x.Dims[^1];
        if (axis == x.Rank - 1 || parts is not (1 or 2))
        {
            throw call.Error("a last axis of 1 or 2 (real and imaginary part) and another one to transform", $"{x}, axis {axis}");
        }

        bool realOutput = inverse && oneSided;
        int length = (int)(call.Long(1) ?? (realOutput ? 2 * (extent - 1) : extent));
        if (length <= 0)
        {
            throw call.Error("a positive length", $"{length}");
        }

        int bins = oneSided && !inverse ? (length / 2) + 1 : length, outParts = realOutput ? 1 : 2;
        int[] dims = (int[])x.Dims.Clone();
        dims[axis] = bins;
        dims[^1] = outParts;
        int outer = Shapes.Product(x.Dims.AsSpan(0, axis)), inner = Shapes.Product(x.Dims.AsSpan(axis + 1, x.Rank - axis - 2));
        double[] from = Numbers.Doubles(x), to = new double[Shapes.Product(dims)];
        double[] re = new double[length], im = new double[length];
        for (int o = 0; o < outer; o++)
        {
            for (int i = 0; i < inner; i++)
            {
                Array.Clear(re);
                Array.Clear(im);
                for (int n = 0; n < Math.Min(length, extent); n++)
                {
                    int at = ((((o * extent) + n) * inner) + i) * parts;
                    re[n] = from[at];
                    im[n] = parts == 2 ? from[at + 1] : 0;
                }

                if (realOutput)
                {
                    // The other half of a real signal's spectrum is its mirror.
                    for (int n = extent; n < length; n++)
                    {
                        re[n] = length - n < extent ? re[length - n] : 0;
                        im[n] = length - n < extent ? -im[length - n] : 0;
                    }
                }

                (double[] real, double[] imaginary) = Transform(re, im, bins, inverse);
                for (int k = 0; k < bins; k++)
                {
                    int at = ((((o * bins) + k) * inner) + i) * outParts;
                    to[at] = real[k];
                    if (outParts == 2)
                    {
                        to[at + 1] = imaginary[k];
                    }
                }
            }
        }

        return HostCall.One(Normalizations.Rounded(to, dims, x.ElementType));
    }

    private static (double[] Re, double[] Im) Transform(double[] re, double[] im, int bins, bool inverse)
    {
        int length = re.Length;
        double[] cos = new double[length], sin = new double[length];
        for (int n = 0; n < length; n++)
        {
            (sin[n], cos[n]) = Math.SinCos((inverse ? 2 : -2) * Math.PI * n / length);
        }

        double[] outRe = new double[bins], outIm = new double[bins];
        double scale = inverse ? 1.0 / length : 1;
        for (int k = 0; k < bins; k++)
        {
            double sumRe = 0, sumIm = 0;
            for (int n = 0; n < length; n++)
            {
                int turn = (int)((long)k * n % length);
                sumRe += (re[n] * cos[turn]) - (im[n] * sin[turn]);
                sumIm += (re[n] * sin[turn]) + (im[n] * cos[turn]);
            }

            outRe[k] = sumRe * scale;
            outIm[k] = sumIm * scale;
        }

        return (outRe, outIm);
    }

    public static OnnxValue?[] Stft(HostCall call)
    {
        OnnxTensor x = call.Tensor(0);
        int step = (int)(call.Long(1) ?? throw call.Error("a frame step", "none"));
        double[]? window = call.Optional(2) is { } w ? Numbers.Doubles(w) : null;
        int length = (int)(call.Long(3) ?? window?.Length ?? throw call.Error("a window or a frame length", "neither"));
        int parts = x.Rank == 3 ? x.Dims[2] : 1, batch = x.Dims[0], samples = x.Dims[1];
        if (step <= 0 || length <= 0 || length > samples || (window is not null && window.Length != length))
        {
            throw call.Error($"a positive step and frames of at most {samples} samples with a window of their length",
                $"step {step}, length {length}");
        }

        bool oneSided = call.Int("onesided", 1) != 0 && parts == 1;
        int bins = oneSided ? (length / 2) + 1 : length, frames = 1 + ((samples - length) / step);
        double[] from = Numbers.Doubles(x), to = new double[Shapes.Product([batch, frames, bins, 2])];
        double[] re = new double[length], im = new double[length];
        for (int b = 0, at = 0; b < batch; b++)
        {
            for (int f = 0; f < frames; f++)
            {
                for (int n = 0; n < length; n++)
                {
                    int place = ((b * samples) + (f * step) + n) * parts;
                    double factor = window?[n] ?? 1;
                    re[n] = from[place] * factor;
                    im[n] = parts == 2 ? from[place + 1] * factor : 0;
                }

                (double[] real, double[] imaginary) = Transform(re, im, bins, inverse: false);
                for (int k = 0; k < bins; k++)
                {
                    to[at++] = real[k];
                    to[at++] = imaginary[k];
                }
            }
        }

        return HostCall.One(Normalizations.Rounded(to, [batch, frames, bins, 2], x.ElementType));
    }

    public static OnnxValue?[] HannWindow(HostCall call) => Window(call, 0.5, 0.5, 0);

    public static OnnxValue?[] HammingWindow(HostCall call) => Window(call, 25.0 / 46, 21.0 / 46, 0);

    public static OnnxValue?[] BlackmanWindow(HostCall call) => Window(call, 0.42, 0.5, 0.08);

    private static OnnxValue?[] Window(HostCall call, double a, double b, double c)
    {
        int size = (int)(call.Long(0) ?? throw call.Error("a size", "none"));
        double period = call.Int("periodic", 1) != 0 ? size : size - 1;
        var values = new double[Math.Max(size, 0)];
        for (int n = 0; n < values.Length; n++)
        {
            values[n] = a - (b * Math.Cos(2 * Math.PI * n / period)) + (c * Math.Cos(4 * Math.PI * n / period));
        }

        return HostCall.One(Normalizations.Rounded(values, [values.Length], (OnnxElementType)call.Int("output_datatype", 1)));
    }

    public static OnnxValue?[] MelWeightMatrix(HostCall call)
    {
        int bands = (int)call.Long(0)!.Value, length = (int)call.Long(1)!.Value;
        double rate = call.Long(2)!.Value, low = call.Number(3)!.Value, high = call.Number(4)!.Value;
        int bins = (length / 2) + 1;
        double lowMel = Mel(low), highMel = Mel(high), step = (highMel - lowMel) / (bands + 2);
        var edges = new int[bands + 2];
        for (int i = 0; i < edges.Length; i++)
        {
            double hertz = 700 * (Math.Pow(10, (lowMel + (i * step)) / 2595) - 1);
            edges[i] = (int)Math.Floor((length + 1) * hertz / rate);
        }

        var weights = new double[bins * bands];
        for (int band = 0; band < bands; band++)
        {
            int from = edges[band], peak = edges[band + 1], to = edges[band + 2];
            if (peak == from && peak < bins)
            {
                weights[(peak * bands) + band] = 1;
            }

            for (int bin = from; bin <= peak && peak > from && bin < bins; bin++)
            {
                weights[(bin * bands) + band] = (double)(bin - from) / (peak - from);
            }

            for (int bin = peak; bin < to && bin < bins; bin++)
            {
                weights[(bin * bands) + band] = (double)(to - bin) / (to - peak);
            }
        }

        return HostCall.One(Normalizations.Rounded(weights, [bins, bands], (OnnxElementType)call.Int("output_datatype", 1)));
    }

    private static double Mel(double hertz) => 2595 * Math.Log10(1 + (hertz / 700));
}
