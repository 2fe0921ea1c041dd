using FastNN.Kernels;

namespace FastNN.Testing;

/// <summary>
/// Interpolation and averages by definition, in double: along each axis a matrix [output, input] of weights, and an output is the
/// sum over all inputs of x times its three weights.
/// </summary>
internal static class WindowSumReference
{
    /// <summary>x [N, D, H, W, C]; missing leading axes have extent 1.</summary>
    public static double[] Apply(double[] x, int batch, int channels, params double[][,] axes)
    {
        double[,] one = new double[,] { { 1 } };
        double[][,] three = [.. Enumerable.Repeat(one, 3 - axes.Length), .. axes];
        int[] from = Array.ConvertAll(three, axis => axis.GetLength(1)), to = Array.ConvertAll(three, axis => axis.GetLength(0));
        var y = new double[batch * to[0] * to[1] * to[2] * channels];
        for (int i = 0; i < y.Length; i++)
        {
            int c = i % channels, w = i / channels % to[2], h = i / channels / to[2] % to[1];
            int d = i / channels / to[2] / to[1] % to[0], n = i / channels / to[2] / to[1] / to[0];
            for (int id = 0; id < from[0]; id++)
            {
                for (int ih = 0; ih < from[1]; ih++)
                {
                    double weight = three[0][d, id] * three[1][h, ih];
                    for (int iw = 0; weight != 0 && iw < from[2]; iw++)
                    {
                        y[i] += weight * three[2][w, iw]
                            * x[(((((((n * from[0]) + id) * from[1]) + ih) * from[2]) + iw) * channels) + c];
                    }
                }
            }
        }

        return y;
    }

    /// <summary>
    /// PyTorch's interpolate along one axis: a kernel around the position of each output, its taps held at the borders.
    /// </summary>
    public static double[,] Interpolation(
        InterpolationMode mode, int input, int output, bool alignCorners = false, double? scale = null)
    {
        if (mode == InterpolationMode.Area)
        {
            return Bins(input, output);
        }

        double ratio = alignCorners ? (output == 1 ? 0 : (input - 1.0) / (output - 1)) : 1 / (scale ?? (double)output / input);
        var weights = new double[output, input];
        for (int o = 0; o < output; o++)
        {
            double at = alignCorners ? o * ratio : ((o + 0.5) * ratio) - 0.5;
            switch (mode)
            {
                // PyTorch computes positions in float, which decides where a product is all but whole.
                case InterpolationMode.Nearest:
                    weights[o, Math.Min((int)((float)o * (float)ratio), input - 1)] = 1;
                    break;
                case InterpolationMode.NearestExact:
                    weights[o, Math.Min((int)((o + 0.5f) * (float)ratio), input - 1)] = 1;
                    break;
                default:
                    double reach = mode == InterpolationMode.Linear ? 1 : 2;
                    for (int tap = (int)Math.Floor(at - reach); tap <= at + reach; tap++)
                    {
                        weights[o, Math.Clamp(tap, 0, input - 1)] += mode == InterpolationMode.Linear
                            ? Math.Max(0, 1 - Math.Abs(at - tap)) : Keys(Math.Abs(at - tap));
                    }

                    break;
            }
        }

        return weights;
    }

    /// <summary>Bin o takes inputs from floor(o input / output) up to ceil((o + 1) input / output).</summary>
    public static double[,] Bins(int input, int output)
    {
        var weights = new double[output, input];
        for (int o = 0; o < output; o++)
        {
            int first = o * input / output, end = (int)Math.Ceiling((o + 1) * input / (double)output);
            for (int i = first; i < end; i++)
            {
                weights[o, i] = 1.0 / (end - first);
            }
        }

        return weights;
    }

    /// <summary>Averages of windows, divided by what lies on the padded input or on the input, or sums.</summary>
    public static double[,] Windows(WindowAxis axis, bool? countIncludePad)
    {
        var weights = new double[axis.Output, axis.Input];
        for (int o = 0; o < axis.Output; o++)
        {
            int[] taps = [.. Enumerable.Range(axis.Start(o), axis.Taps)];
            int[] inside = [.. taps.Where(i => i >= 0 && i < axis.Input)];
            int counted = countIncludePad switch
            {
                null => 1,
                true => taps.Count(i => i < axis.Input + axis.PadAfter),
                false => inside.Length,
            };
            foreach (int i in inside)
            {
                weights[o, i] = 1.0 / counted;
            }
        }

        return weights;
    }

    /// <summary>Cubic convolution with a = -0.75.</summary>
    private static double Keys(double x) =>
        x <= 1 ? (1.25 * x * x * x) - (2.25 * x * x) + 1 : x < 2 ? -0.75 * ((x * x * x) - (5 * x * x) + (8 * x) - 4) : 0;
}
