using FastNN.Kernels;
using FastNN.Tensors;

namespace FastNN.Cpu;

/// <content>
/// Few filters leave most lanes of a vector idle. P neighboring output pixels times OC filters are then taken for one pixel
/// of P*OC filters: they are neighbors in memory already, and their common window is KW + (P-1)*stride wide, with zeros in
/// the filter where a pixel does not reach. P-fold lanes for (KW + (P-1)*stride) / KW-fold sums.
/// An infinity or NaN in x also reaches the other pixels of its group, through those zeros.
/// </content>
internal static unsafe partial class Convolution<TLanes>
{
    private const double WidenAtLeast = 1.25;

    /// <summary>Output pixels to take as one; 1 where that would gain nothing.</summary>
    private static int WidenedPixels(in Conv2DGeometry g)
    {
        int best = 1;
        double bestGain = WidenAtLeast;
        if (g.Groups != 1 || g.Horizontal.Dilation != 1 || !g.Horizontal.IsInside)
        {
            return best;
        }
        for (int pixels = 2; pixels * g.OC <= TLanes.Count && pixels <= g.OW; pixels++)
        {
            double gain = (double)pixels * g.KW / WidenedTaps(g, pixels);
            if (g.OW % pixels == 0 && gain > bestGain)
            {
                (best, bestGain) = (pixels, gain);
            }
        }
        return best;
    }

    private static int WidenedTaps(in Conv2DGeometry g, int pixels) => g.KW + ((pixels - 1) * g.Horizontal.Stride);

    private static long WidenedWorkspaceBytes(in Conv2DGeometry g, int pixels) =>
        (((long)g.KH * WidenedTaps(g, pixels) * g.C) + 1) * pixels * g.OC * sizeof(float);

    private static ConvolutionOperands WidenedOperands(
        WorkerPool pool, in Conv2DGeometry g, int pixels, float* x, float* w, float* y, in Epilogue epilogue, float* workspace,
        FrozenValues? frozen)
    {
        int taps = WidenedTaps(g, pixels);
        int filters = pixels * g.OC;
        float* bias = workspace + ((nint)g.KH * taps * g.C * filters);
        var form = new WidenedFilter(g, pixels);
        float* filter = workspace;
        if (frozen is null)
        {
            form.Fill(w, filter);
        }
        else
        {
            filter = frozen.In(form, new PoolLoader(pool), w);
        }

        for (int i = 0; i < filters && epilogue.Bias != null; i++)
        {
            bias[i] = epilogue.Bias[i % g.OC];
        }
        WindowAxis horizontal = WindowAxis.Create("conv2d", "width", g.W, taps, pixels * g.Horizontal.Stride, 1, 0, 0);
        ConvolutionOperands operands = ForwardOperands(g, x, y);
        operands.TargetColumn = filters;
        operands.Cols = filters;
        operands.Filter = new ConvolutionFilter(filter, (long)g.KH * taps * g.C, filters, 1, PanelWidth, false);
        operands.Horizontal = ConvolutionAxis.Forward(horizontal);
        operands.Epilogue = epilogue.WithBias(bias);
        return operands;
    }

    /// <summary>The filter of several pixels.</summary>
    private readonly struct WidenedFilter(Conv2DGeometry geometry, int pixels) : IFrozenForm
    {
        public FrozenKey Key => new("widened filter", geometry.GroupC, pixels, geometry.FilterOffset);

        public long Floats => (long)geometry.KH * WidenedTaps(geometry, pixels) * geometry.C * pixels * geometry.OC;

        public void Fill(float* values, float* target) => WidenFilter(geometry, pixels, values, target);
    }

    /// <summary>wide [KH, taps, C, P, OC]: pixel p sees tap k of its own as tap k + p*stride of the window.</summary>
    private static void WidenFilter(in Conv2DGeometry g, int pixels, float* w, float* wide)
    {
        int taps = WidenedTaps(g, pixels);
        for (int kh = 0; kh < g.KH; kh++)
        {
            for (int tap = 0; tap < taps; tap++)
            {
                for (int c = 0; c < g.C; c++)
                {
                    for (int p = 0; p < pixels; p++, wide += g.OC)
                    {
                        int kw = tap - (p * g.Horizontal.Stride);
                        bool reached = kw >= 0 && kw < g.KW;
                        float* source = w + (((((nint)kh * g.KW) + (reached ? kw : 0)) * g.C) + c) * g.OC;
                        for (int oc = 0; oc < g.OC; oc++)
                        {
                            wide[oc] = reached ? source[oc] : 0;
                        }
                    }
                }
            }
        }
    }
}
