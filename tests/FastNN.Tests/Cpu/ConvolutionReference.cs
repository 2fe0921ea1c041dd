using FastNN.Kernels;

namespace FastNN.Tests.Cpu;

/// <summary>
/// Convolution by its definition, in double. Beside each result stands the sum of the terms' magnitudes, in which rounding
/// errors are measured.
/// </summary>
internal sealed class ConvolutionReference
{
    private readonly Conv2DGeometry _g;

    public ConvolutionReference(Conv2DGeometry geometry, float[] x, float[] w, float[] bias, float[] dy)
    {
        _g = geometry;
        Y = new Sums(geometry.OutputCount);
        DX = new Sums(geometry.InputCount);
        DW = new Sums(geometry.FilterCount);
        DBias = new Sums(geometry.OC);
        for (long i = 0; i < Y.Value.Length; i++)
        {
            Y.Add(i, bias[i % geometry.OC]);
            DBias.Add(i % geometry.OC, dy[i]);
        }
        for (int n = 0; n < geometry.N; n++)
        {
            Sample(n, x, w, dy);
        }
    }

    public Sums Y { get; }

    public Sums DX { get; }

    public Sums DW { get; }

    public Sums DBias { get; }

    private void Sample(int n, float[] x, float[] w, float[] dy)
    {
        for (int oh = 0; oh < _g.OH; oh++)
        {
            for (int ow = 0; ow < _g.OW; ow++)
            {
                for (int kh = 0; kh < _g.KH; kh++)
                {
                    for (int kw = 0; kw < _g.KW; kw++)
                    {
                        int ih = (oh * _g.Vertical.Stride) - _g.Vertical.PadBefore + (kh * _g.Vertical.Dilation);
                        int iw = (ow * _g.Horizontal.Stride) - _g.Horizontal.PadBefore + (kw * _g.Horizontal.Dilation);
                        if (ih >= 0 && ih < _g.H && iw >= 0 && iw < _g.W)
                        {
                            Tap(
                                ((((long)n * _g.H) + ih) * _g.W) + iw, ((((long)n * _g.OH) + oh) * _g.OW) + ow, (kh * _g.KW) + kw,
                                x, w, dy);
                        }
                    }
                }
            }
        }
    }

    private void Tap(long input, long output, int tap, float[] x, float[] w, float[] dy)
    {
        for (int oc = 0; oc < _g.OC; oc++)
        {
            int group = oc / _g.GroupOC;
            long o = (output * _g.OC) + oc;
            for (int k = 0; k < _g.GroupC; k++)
            {
                long i = (input * _g.C) + (group * _g.GroupC) + k;
                long f = (((tap * _g.GroupC) + k) * (long)_g.OC) + oc;
                Y.Add(o, (double)x[i] * w[f]);
                DX.Add(i, (double)dy[o] * w[f]);
                DW.Add(f, (double)dy[o] * x[i]);
            }
        }
    }

    /// <summary>Sums in double with the sums of magnitudes and the counts of terms.</summary>
    internal sealed class Sums(long count)
    {
        public double[] Value { get; } = new double[count];

        public double[] Magnitude { get; } = new double[count];

        public int[] Terms { get; } = new int[count];

        public void Add(long i, double term)
        {
            Value[i] += term;
            Magnitude[i] += Math.Abs(term);
            Terms[i]++;
        }

        /// <summary>
        /// What a float32 sum may differ by: some 2 sqrt(terms) roundings of 2^-24 (the random walk; the worst case would be
        /// one for each term).
        /// </summary>
        public double Tolerance(long i) => Magnitude[i] * Math.Pow(2, -24) * (6 + (2 * Math.Sqrt(Terms[i])));
    }
}
