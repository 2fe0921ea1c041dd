using System.Runtime.CompilerServices;

namespace FastNN.Cpu;

/// <content>
/// Depthwise loops over several pixels or taps at once, in the order of the loops over one, so with the same bits. A pixel alone
/// needs two loads for a multiply-add and waits for each sum; a block shares the filter's, and its sums do not depend on each
/// other.
/// </content>
internal static unsafe partial class Convolution<TLanes>
{
    /// <summary>y = f(sums + bias), or f(y + that), for <see cref="DepthwiseBlock.Pixels"/> neighboring pixels.</summary>
    [MethodImpl(KernelCode.Loop)]
    private static void Pixels(in DepthwiseBlock b, float* source, float* filter, float* y, in Epilogue epilogue)
    {
        nint row = b.SourceRow, column = b.SourceColumn, pixel = b.SourcePixel, channels = b.Channels;
        for (int c = 0; c < b.Channels; c += TLanes.Count)
        {
            TLanes mask = TLanes.Mask(Math.Min(TLanes.Count, b.Channels - c));
            TLanes sum0 = epilogue.Bias != null ? TLanes.LoadMasked(epilogue.Bias + c, mask) : default(TLanes);
            TLanes sum1 = sum0, sum2 = sum0, sum3 = sum0;
            for (int kh = 0; kh < b.Rows; kh++)
            {
                float* x = source + (kh * row) + c;
                float* w = filter + (kh * b.FilterRow) + c;
                for (int kw = 0; kw < b.Columns; kw++, x += column, w += b.FilterColumn)
                {
                    TLanes weight = TLanes.LoadMasked(w, mask);
                    sum0 = TLanes.MultiplyAdd(TLanes.LoadMasked(x, mask), weight, sum0);
                    sum1 = TLanes.MultiplyAdd(TLanes.LoadMasked(x + pixel, mask), weight, sum1);
                    sum2 = TLanes.MultiplyAdd(TLanes.LoadMasked(x + (2 * pixel), mask), weight, sum2);
                    sum3 = TLanes.MultiplyAdd(TLanes.LoadMasked(x + (3 * pixel), mask), weight, sum3);
                }
            }
            DepthwiseStore(epilogue, sum0, y + c, mask);
            DepthwiseStore(epilogue, sum1, y + channels + c, mask);
            DepthwiseStore(epilogue, sum2, y + (2 * channels) + c, mask);
            DepthwiseStore(epilogue, sum3, y + (3 * channels) + c, mask);
        }
    }

    private readonly partial struct DepthwiseFilterBody
    {
        /// <summary>A row of three taps, whose sums go side by side where all of them lie inside.</summary>
        [MethodImpl(KernelCode.Loop)]
        private void RowOfThree(float* x, float* dy, float* dw)
        {
            (int first0, int end0) = _g.Horizontal.ValidOutputs(0);
            (int first1, int end1) = _g.Horizontal.ValidOutputs(1);
            (int first2, int end2) = _g.Horizontal.ValidOutputs(2);
            int first = Math.Max(first0, Math.Max(first1, first2));
            int end = Math.Max(first, Math.Min(end0, Math.Min(end1, end2)));
            nint step = (nint)_g.Horizontal.Stride * _g.C, tap = (nint)_g.Horizontal.Dilation * _g.C;
            for (int c = 0; c < _g.C; c += TLanes.Count)
            {
                TLanes mask = TLanes.Mask(Math.Min(TLanes.Count, _g.C - c));
                float* source = x + ((nint)_g.Horizontal.Start(0) * _g.C) + c;
                float* gradient = dy + c;
                float* sums = dw + c;
                TLanes sum0 = Sum(source, gradient, first0, Math.Min(first, end0), TLanes.LoadMasked(sums, mask), mask);
                TLanes sum1 = Sum(
                    source + tap, gradient, first1, Math.Min(first, end1), TLanes.LoadMasked(sums + _g.C, mask), mask);
                TLanes sum2 = TLanes.LoadMasked(sums + (2 * _g.C), mask);
                sum2 = Sum(source + (2 * tap), gradient, first2, Math.Min(first, end2), sum2, mask);
                float* xs = source + (first * step);
                float* dys = gradient + ((nint)first * _g.C);
                for (int ow = first; ow < end; ow++, xs += step, dys += _g.C)
                {
                    TLanes d = TLanes.LoadMasked(dys, mask);
                    sum0 = TLanes.MultiplyAdd(TLanes.LoadMasked(xs, mask), d, sum0);
                    sum1 = TLanes.MultiplyAdd(TLanes.LoadMasked(xs + tap, mask), d, sum1);
                    sum2 = TLanes.MultiplyAdd(TLanes.LoadMasked(xs + (2 * tap), mask), d, sum2);
                }

                TLanes.StoreMasked(Sum(source, gradient, Math.Max(end, first0), end0, sum0, mask), sums, mask);
                TLanes.StoreMasked(Sum(source + tap, gradient, Math.Max(end, first1), end1, sum1, mask), sums + _g.C, mask);
                TLanes.StoreMasked(
                    Sum(source + (2 * tap), gradient, Math.Max(end, first2), end2, sum2, mask), sums + (2 * _g.C), mask);
            }
        }

        /// <summary>sum + the products of one tap from output first to end.</summary>
        private TLanes Sum(float* x, float* dy, int first, int end, TLanes sum, TLanes mask)
        {
            nint step = (nint)_g.Horizontal.Stride * _g.C;
            for (int ow = first; ow < end; ow++)
            {
                sum = TLanes.MultiplyAdd(
                    TLanes.LoadMasked(x + (ow * step), mask), TLanes.LoadMasked(dy + ((nint)ow * _g.C), mask), sum);
            }
            return sum;
        }
    }
}
