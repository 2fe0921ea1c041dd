namespace FastNN.Data;

/// <summary>
/// The discrete Fourier transform of a length that is a power of two (Cooley and Tukey, 1965; radix 2, decimation in time), in
/// double precision. Two real signals are transformed at once, one as real and one as imaginary part.
/// </summary>
internal sealed class FourierTransform
{
    private readonly double[] _cos;
    private readonly double[] _sin;
    private readonly int[] _reversed;

    public FourierTransform(int length)
    {
        Length = length;
        _cos = new double[length / 2];
        _sin = new double[length / 2];
        for (int i = 0; i < length / 2; i++)
        {
            (_sin[i], _cos[i]) = Math.SinCos(-2 * Math.PI * i / length);
        }

        _reversed = new int[length];
        for (int i = 1; i < length; i++)
        {
            _reversed[i] = (_reversed[i >> 1] >> 1) | ((i & 1) == 0 ? 0 : length >> 1);
        }
    }

    public int Length { get; }

    /// <summary>Transforms in place.</summary>
    public void Transform(Span<double> re, Span<double> im)
    {
        re = re[..Length];
        im = im[..Length];
        for (int i = 0; i < _reversed.Length; i++)
        {
            int j = _reversed[i];
            if (i < j)
            {
                (re[i], re[j], im[i], im[j]) = (re[j], re[i], im[j], im[i]);
            }
        }

        for (int half = 1, step = Length / 2; half < Length; half *= 2, step /= 2)
        {
            for (int begin = 0; begin < Length; begin += 2 * half)
            {
                Span<double> re0 = re.Slice(begin, half), im0 = im.Slice(begin, half);
                Span<double> re1 = re.Slice(begin + half, half), im1 = im.Slice(begin + half, half);
                for (int k = 0; k < re0.Length; k++)
                {
                    double cos = _cos[k * step], sin = _sin[k * step];
                    double a = (re1[k] * cos) - (im1[k] * sin), b = (re1[k] * sin) + (im1[k] * cos);
                    (re1[k], im1[k]) = (re0[k] - a, im0[k] - b);
                    (re0[k], im0[k]) = (re0[k] + a, im0[k] + b);
                }
            }
        }
    }

    /// <summary>
    /// The power spectra, half the length and one bins each, of the two signals of which <see cref="Transform"/> made the parts.
    /// </summary>
    public void Powers(ReadOnlySpan<double> re, ReadOnlySpan<double> im, Span<double> first, Span<double> second)
    {
        int mask = Length - 1;
        for (int k = 0; k <= Length / 2; k++)
        {
            int mirror = (Length - k) & mask;
            double even = re[k] + re[mirror], odd = im[k] - im[mirror];
            first[k] = ((even * even) + (odd * odd)) / 4;
            (even, odd) = (im[k] + im[mirror], re[mirror] - re[k]);
            second[k] = ((even * even) + (odd * odd)) / 4;
        }
    }
}
