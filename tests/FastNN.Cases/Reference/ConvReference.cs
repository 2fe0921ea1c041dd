namespace FastNN.Testing;

/// <summary>
/// Convolutions along one to three axes by definition, in double: x [N, ..., C], weight [K..., C / groups, OC], y [N, ..., OC]
/// with y[o] = sum over taps k of x[o stride - padding + k dilation] weight[k]. A transposed convolution visits the same
/// products with the roles of x and y exchanged. All passes visit the same products; what they do with one is all that differs.
/// </summary>
/// <param name="N">Examples.</param>
/// <param name="C">Channels of x.</param>
/// <param name="OC">Channels of y.</param>
/// <param name="Groups">Of channels.</param>
/// <param name="X">Extents of x between N and C; three, 1 where there are fewer axes.</param>
/// <param name="Y">Those of y.</param>
/// <param name="Taps">Those of the kernel.</param>
/// <param name="Stride">From window to window.</param>
/// <param name="Padding">In front.</param>
/// <param name="Dilation">From tap to tap.</param>
internal sealed record ConvReference(
    int N, int C, int OC, int Groups, int[] X, int[] Y, int[] Taps, int[] Stride, int[] Padding, int[] Dilation)
{
    public int InputCount => N * C * Product(X);

    public int OutputCount => N * OC * Product(Y);

    public int FilterCount => Product(Taps) * (C / Groups) * OC;

    /// <summary>Products in all.</summary>
    public double Work => (double)OutputCount * Product(Taps) * (C / Groups);

    /// <summary>y without bias.</summary>
    public double[] Forward(double[] x, double[] weight)
    {
        var y = new double[OutputCount];
        Visit((i, w, o) => y[o] += x[i] * weight[w]);
        return y;
    }

    public double[] BackwardData(double[] dY, double[] weight)
    {
        var dX = new double[InputCount];
        Visit((i, w, o) => dX[i] += dY[o] * weight[w]);
        return dX;
    }

    public double[] BackwardFilter(double[] x, double[] dY)
    {
        var dWeight = new double[FilterCount];
        Visit((i, w, o) => dWeight[w] += dY[o] * x[i]);
        return dWeight;
    }

    /// <summary>values + bias, which repeats; unchanged without one.</summary>
    public static double[] AddBias(double[] values, double[] bias) =>
        bias.Length == 0 ? values : [.. values.Select((value, i) => value + bias[i % bias.Length])];

    /// <summary>The sums per channel.</summary>
    public static double[] SumChannels(double[] dY, int channels)
    {
        var sums = new double[channels];
        for (int i = 0; i < dY.Length; i++)
        {
            sums[i % channels] += dY[i];
        }

        return sums;
    }

    private static int Product(int[] extents) => extents[0] * extents[1] * extents[2];

    private void Visit(Action<int, int, int> product)
    {
        int depth = C / Groups;
        var at = new int[3];
        for (int output = 0; output < OutputCount; output++)
        {
            int oc = output % OC, pixel = output / OC, n = pixel / Product(Y);
            for (int tap = 0; tap < Product(Taps); tap++)
            {
                bool inside = true;
                for (int axis = 2, o = pixel, k = tap; axis >= 0; o /= Y[axis], k /= Taps[axis], axis--)
                {
                    at[axis] = (o % Y[axis] * Stride[axis]) - Padding[axis] + (k % Taps[axis] * Dilation[axis]);
                    inside &= at[axis] >= 0 && at[axis] < X[axis];
                }

                int place = (((((n * X[0]) + at[0]) * X[1]) + at[1]) * X[2]) + at[2];
                for (int c = 0; c < depth && inside; c++)
                {
                    product((place * C) + (oc / (OC / Groups) * depth) + c, (((tap * depth) + c) * OC) + oc, output);
                }
            }
        }
    }
}
