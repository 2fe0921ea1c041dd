using System.Runtime.CompilerServices;

namespace FastNN.Cpu;

/// <summary>
/// One row: y [n] (=|+=) x [k] * B [k, n]. Bound by reading B (4 bytes per multiply-add), so what counts is to keep the loads
/// coming. Where B is small, narrow or in panels, two vectors of columns by four rows of B at a time, in eight independent sums,
/// which are added pairwise at the end. Down the columns of a large B every step is on another line, and soon on another page:
/// then eight rows at a time are read from left to right, as the processor expects, and y stays in the first-level cache.
/// Measured on one core with 512 KiB of second-level cache, 784 x 128: 12 us down the columns, 8 us in bands.
/// </summary>
internal static unsafe class Gemv<TLanes>
    where TLanes : struct, IVectorLanes<TLanes>
{
    /// <summary>Rows of a band.</summary>
    public const int BandRows = 8;

    /// <summary>Rows that <see cref="AddNonzero"/> looks at together, whole bands.</summary>
    private const int BlockRows = 512;

    /// <summary>y [cols] += x [8 bands] * B [8 bands, cols].</summary>
    public static void AddBands(float* x, int bands, float* b, nint bStride, float* y, int cols)
    {
        float** rows = stackalloc float*[BandRows];
        for (; bands > 0; bands--, x += BandRows)
        {
            for (int row = 0; row < BandRows; row++, b += bStride)
            {
                rows[row] = b;
            }

            AddBand(x, rows, y, cols);
        }
    }

    /// <summary>
    /// As <see cref="AddBands"/>, of a B of finite numbers alone, whose rows at zeros of x need not be read: four fifths of them
    /// for a picture of a digit, half behind a ReLU. Where few are zero, reading all in order takes less time.
    /// Measured as above, a prediction of 784-512-10: 34 us without zeros, 24 where half are zero, 14 where four fifths are.
    /// </summary>
    public static void AddNonzero(float* x, int bands, float* b, nint bStride, float* y, int cols)
    {
        float* values = stackalloc float[BlockRows];
        float** rows = stackalloc float*[BlockRows];
        for (int left = bands * BandRows, block; left > 0; left -= block, x += block, b += block * bStride)
        {
            block = Math.Min(left, BlockRows);
            if (new ReadOnlySpan<int>(x, block).Count(0) < block / 4)
            {
                AddBands(x, block / BandRows, b, bStride, y, cols);
                continue;
            }

            int count = 0;
            for (int row = 0; row < block; row++)
            {
                values[count] = x[row];
                rows[count] = b + (row * bStride);
                count += BitConverter.SingleToInt32Bits(x[row]) == 0 ? 0 : 1;
            }

            // The last band is filled up with zeros times a row that it has.
            for (; count % BandRows != 0; count++)
            {
                values[count] = 0;
                rows[count] = rows[count - 1];
            }

            for (int band = 0; band < count; band += BandRows)
            {
                AddBand(values + band, rows + band, y, cols);
            }
        }
    }

    /// <summary>Whether B [k, n] has finite numbers alone.</summary>
    public static bool IsFinite(float* b, nint bStride, int k, int n)
    {
        // Infinity and NaN times zero are NaN, which stays in a sum.
        TLanes sum = default, zero = default;
        for (; k > 0; k--, b += bStride)
        {
            for (nint col = 0; col < n; col += TLanes.Count)
            {
                sum = TLanes.MultiplyAdd(TLanes.Load(b + col, (int)Math.Min(n - col, TLanes.Count)), zero, sum);
            }
        }

        float* sums = stackalloc float[TLanes.Count];
        TLanes.Store(sum, sums);
        return !new ReadOnlySpan<float>(sums, TLanes.Count).ContainsAnyExcept(0f);
    }

    /// <summary>Eight rows of B, wherever they lie; their numbers of x stay in registers.</summary>
    [MethodImpl(KernelCode.Loop)]
    private static void AddBand(float* x, float** rows, float* y, int cols)
    {
        TLanes x0 = TLanes.Broadcast(x[0]), x1 = TLanes.Broadcast(x[1]), x2 = TLanes.Broadcast(x[2]), x3 = TLanes.Broadcast(x[3]);
        TLanes x4 = TLanes.Broadcast(x[4]), x5 = TLanes.Broadcast(x[5]), x6 = TLanes.Broadcast(x[6]), x7 = TLanes.Broadcast(x[7]);
        float* b0 = rows[0], b1 = rows[1], b2 = rows[2], b3 = rows[3], b4 = rows[4], b5 = rows[5], b6 = rows[6], b7 = rows[7];
        nint col = 0;
        for (nint end = cols - TLanes.Count; col <= end; col += TLanes.Count)
        {
            TLanes even = TLanes.MultiplyAdd(x0, TLanes.Load(b0 + col), TLanes.Load(y + col)), odd = x1 * TLanes.Load(b1 + col);
            even = TLanes.MultiplyAdd(x2, TLanes.Load(b2 + col), even);
            odd = TLanes.MultiplyAdd(x3, TLanes.Load(b3 + col), odd);
            even = TLanes.MultiplyAdd(x4, TLanes.Load(b4 + col), even);
            odd = TLanes.MultiplyAdd(x5, TLanes.Load(b5 + col), odd);
            even = TLanes.MultiplyAdd(x6, TLanes.Load(b6 + col), even);
            odd = TLanes.MultiplyAdd(x7, TLanes.Load(b7 + col), odd);
            TLanes.Store(even + odd, y + col);
        }

        if (col < cols)
        {
            TLanes mask = TLanes.Mask((int)(cols - col)), sum = TLanes.LoadMasked(y + col, mask);
            for (int row = 0; row < BandRows; row++)
            {
                sum = TLanes.MultiplyAdd(TLanes.Broadcast(x[row]), TLanes.LoadMasked(rows[row] + col, mask), sum);
            }

            TLanes.StoreMasked(sum, y + col, mask);
        }
    }

    /// <summary>Columns that <see cref="Narrow"/> takes at most; it takes one vector at least.</summary>
    public static int MostColumns => 8 * TLanes.Count;

    /// <summary>
    /// y [cols] = x [k] * B [k, cols]: one row of B after the other, each vector of columns in a sum of its own. The last ones
    /// overlap where there are fewer.
    /// </summary>
    [MethodImpl(KernelCode.Loop)]
    public static void Narrow(float* x, int k, float* b, nint bStride, float* y, int cols)
    {
        nint lanes = TLanes.Count, last = cols - lanes;
        nint at1 = Math.Min(lanes, last), at2 = Math.Min(2 * lanes, last), at3 = Math.Min(3 * lanes, last);
        nint at4 = Math.Min(4 * lanes, last), at5 = Math.Min(5 * lanes, last), at6 = Math.Min(6 * lanes, last);
        TLanes s0 = default(TLanes), s1 = s0, s2 = s0, s3 = s0, s4 = s0, s5 = s0, s6 = s0, s7 = s0;
        for (float* end = x + k; x < end; x++, b += bStride)
        {
            TLanes value = TLanes.Broadcast(*x);
            s0 = TLanes.MultiplyAdd(value, TLanes.Load(b), s0);
            s1 = TLanes.MultiplyAdd(value, TLanes.Load(b + at1), s1);
            s2 = TLanes.MultiplyAdd(value, TLanes.Load(b + at2), s2);
            s3 = TLanes.MultiplyAdd(value, TLanes.Load(b + at3), s3);
            s4 = TLanes.MultiplyAdd(value, TLanes.Load(b + at4), s4);
            s5 = TLanes.MultiplyAdd(value, TLanes.Load(b + at5), s5);
            s6 = TLanes.MultiplyAdd(value, TLanes.Load(b + at6), s6);
            s7 = TLanes.MultiplyAdd(value, TLanes.Load(b + last), s7);
        }

        TLanes.Store(s0, y);
        TLanes.Store(s1, y + at1);
        TLanes.Store(s2, y + at2);
        TLanes.Store(s3, y + at3);
        TLanes.Store(s4, y + at4);
        TLanes.Store(s5, y + at5);
        TLanes.Store(s6, y + at6);
        TLanes.Store(s7, y + last);
    }

    /// <summary>At most two vectors of columns. No column past <paramref name="cols"/> is read or written.</summary>
    public static void Columns(float* x, int k, float* b, nint bStride, float* y, int cols, in Epilogue epilogue)
    {
        int lanes = TLanes.Count;
        if (cols == 2 * lanes)
        {
            Columns<Two, Zero>(x, k, b, bStride, y, cols, epilogue);
        }
        else if (cols > lanes)
        {
            Columns<Two, One>(x, k, b, bStride, y, cols, epilogue);
        }
        else if (cols == lanes)
        {
            Columns<One, Zero>(x, k, b, bStride, y, cols, epilogue);
        }
        else
        {
            Columns<One, One>(x, k, b, bStride, y, cols, epilogue);
        }
    }

    [MethodImpl(KernelCode.Loop)]
    private static void Columns<TVectors, TMask>(
        float* x, int k, float* b, nint bStride, float* y, int cols, in Epilogue epilogue)
        where TVectors : struct, IConstant
        where TMask : struct, IConstant
    {
        TLanes mask = TMask.Value != 0 ? TLanes.Mask(cols - ((TVectors.Value - 1) * TLanes.Count)) : default(TLanes);
        TLanes s00 = default(TLanes), s01 = s00, s10 = s00, s11 = s00, s20 = s00, s21 = s00, s30 = s00, s31 = s00;
        float* end = x + k;
        for (float* stop = x + (k & ~3); x < stop; x += 4)
        {
            Step<TVectors, TMask>(x, b, mask, ref s00, ref s01);
            Step<TVectors, TMask>(x + 1, b + bStride, mask, ref s10, ref s11);
            b += 2 * bStride;
            Step<TVectors, TMask>(x + 2, b, mask, ref s20, ref s21);
            Step<TVectors, TMask>(x + 3, b + bStride, mask, ref s30, ref s31);
            b += 2 * bStride;
        }

        for (; x < end; x++)
        {
            Step<TVectors, TMask>(x, b, mask, ref s00, ref s01);
            b += bStride;
        }

        s00 = s00 + s10 + s20 + s30;
        if (TVectors.Value > 1)
        {
            s01 = s01 + s11 + s21 + s31;
        }

        if (epilogue.Bias != null)
        {
            AddTo<TVectors, TMask>(epilogue.Bias, mask, ref s00, ref s01);
        }

        if (epilogue.Accumulate)
        {
            AddTo<TVectors, TMask>(y, mask, ref s00, ref s01);
        }

        if (epilogue.Rectifier != Rectifier.None)
        {
            Rectifier rectifier = epilogue.Rectifier;
            TLanes parameter = TLanes.Broadcast(epilogue.Parameter);
            s00 = Tile<TLanes>.Rectify(s00, rectifier, parameter);
            s01 = Tile<TLanes>.Rectify(s01, rectifier, parameter);
        }

        Tile<TLanes>.StorePair<TVectors, TMask>(y, mask, s00, s01);
        if (epilogue.NeedsFinish)
        {
            epilogue.Finish(y, cols, 1, cols);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Step<TVectors, TMask>(float* x, float* b, TLanes mask, ref TLanes s0, ref TLanes s1)
        where TVectors : struct, IConstant
        where TMask : struct, IConstant
    {
        TLanes value = TLanes.Broadcast(*x);
        Tile<TLanes>.LoadPair<TVectors, TMask>(b, mask, out TLanes b0, out TLanes b1);
        s0 = TLanes.MultiplyAdd(value, b0, s0);
        if (TVectors.Value > 1)
        {
            s1 = TLanes.MultiplyAdd(value, b1, s1);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void AddTo<TVectors, TMask>(float* source, TLanes mask, ref TLanes s0, ref TLanes s1)
        where TVectors : struct, IConstant
        where TMask : struct, IConstant
    {
        Tile<TLanes>.LoadPair<TVectors, TMask>(source, mask, out TLanes b0, out TLanes b1);
        s0 = s0 + b0;
        s1 = s1 + b1;
    }
}
