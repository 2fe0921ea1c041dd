using FastNN.Kernels;

namespace FastNN.Testing;

/// <summary>
/// Convolution by definition, in double: x [N, H, W, C], weight [KH, KW, C / groups, OC], y [N, OH, OW, OC]. All passes visit
/// the same products; what they do with one is all that differs.
/// </summary>
internal static class Conv2DReference
{
    private delegate void Product(int x, int weight, int y);

    /// <param name="bias">[OC] or empty.</param>
    public static void Forward(in Conv2DGeometry geometry, double[] x, double[] weight, double[] bias, double[] y)
    {
        for (int i = 0; i < y.Length; i++)
        {
            y[i] = bias.Length == 0 ? 0 : bias[i % geometry.OC];
        }

        Visit(geometry, (i, w, o) => y[o] += x[i] * weight[w]);
    }

    public static void BackwardData(in Conv2DGeometry geometry, double[] dY, double[] weight, double[] dX)
    {
        Array.Clear(dX);
        Visit(geometry, (i, w, o) => dX[i] += dY[o] * weight[w]);
    }

    public static void BackwardFilter(in Conv2DGeometry geometry, double[] x, double[] dY, double[] dWeight, double[] dBias)
    {
        Array.Clear(dWeight);
        Visit(geometry, (i, w, o) => dWeight[w] += dY[o] * x[i]);
        Array.Clear(dBias);
        for (int i = 0; i < dY.Length && dBias.Length > 0; i++)
        {
            dBias[i % geometry.OC] += dY[i];
        }
    }

    private static void Visit(Conv2DGeometry g, Product product)
    {
        for (int output = 0; output < g.OutputCount; output++)
        {
            int oc = output % g.OC, ow = output / g.OC % g.OW, oh = output / g.OC / g.OW % g.OH, n = output / g.OC / g.OW / g.OH;
            int group = oc / (g.OC / g.Groups), depth = g.C / g.Groups;
            for (int tap = 0; tap < g.KH * g.KW; tap++)
            {
                int h = (oh * g.Vertical.Stride) - g.Vertical.PadBefore + (tap / g.KW * g.Vertical.Dilation);
                int w = (ow * g.Horizontal.Stride) - g.Horizontal.PadBefore + (tap % g.KW * g.Horizontal.Dilation);
                for (int c = 0; c < depth && h >= 0 && h < g.H && w >= 0 && w < g.W; c++)
                {
                    product(
                        (((((n * g.H) + h) * g.W) + w) * g.C) + (group * depth) + c, (((tap * depth) + c) * g.OC) + oc, output);
                }
            }
        }
    }
}
