using System.Runtime.CompilerServices;

namespace FastNN.Cpu;

/// <summary>
/// One row: y [n] (=|+=) x [k] * B [k, n]. Bound by reading B (4 bytes per multiply-add), so what counts is to keep the loads
/// coming: two vectors of columns by four rows of B at a time, in eight independent sums, which are added pairwise at the end.
/// </summary>
internal static unsafe class Gemv<TVec, TRung>
    where TVec : struct
    where TRung : struct, IRung<TVec>
{
    /// <summary>At most two vectors of columns. No column past <paramref name="cols"/> is read or written.</summary>
    public static void Columns(float* x, int k, float* b, nint bStride, float* y, int cols, in Epilogue epilogue)
    {
        int lanes = TRung.Lanes;
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

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Columns<TVectors, TMask>(
        float* x, int k, float* b, nint bStride, float* y, int cols, in Epilogue epilogue)
        where TVectors : struct, IConstant
        where TMask : struct, IConstant
    {
        TVec mask = TMask.Value != 0 ? TRung.Mask(cols - ((TVectors.Value - 1) * TRung.Lanes)) : TRung.Zero;
        TVec s00 = TRung.Zero, s01 = s00, s10 = s00, s11 = s00, s20 = s00, s21 = s00, s30 = s00, s31 = s00;
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

        s00 = TRung.Add(TRung.Add(s00, s10), TRung.Add(s20, s30));
        if (TVectors.Value > 1)
        {
            s01 = TRung.Add(TRung.Add(s01, s11), TRung.Add(s21, s31));
        }

        if (epilogue.Bias != null)
        {
            AddTo<TVectors, TMask>(epilogue.Bias, mask, ref s00, ref s01);
        }

        if (epilogue.Accumulate)
        {
            AddTo<TVectors, TMask>(y, mask, ref s00, ref s01);
        }

        if (epilogue.IsRectifier)
        {
            bool leaky = epilogue.Slope != 0;
            TVec slope = TRung.Broadcast(epilogue.Slope);
            s00 = Tile<TVec, TRung>.Rectify(s00, leaky, slope);
            s01 = Tile<TVec, TRung>.Rectify(s01, leaky, slope);
        }

        Tile<TVec, TRung>.StorePair<TVectors, TMask>(y, mask, s00, s01);
        if (epilogue.NeedsFinish)
        {
            epilogue.Finish(y, cols, 1, cols);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Step<TVectors, TMask>(float* x, float* b, TVec mask, ref TVec s0, ref TVec s1)
        where TVectors : struct, IConstant
        where TMask : struct, IConstant
    {
        TVec value = TRung.Broadcast(*x);
        Tile<TVec, TRung>.LoadPair<TVectors, TMask>(b, mask, out TVec b0, out TVec b1);
        s0 = TRung.MultiplyAdd(value, b0, s0);
        if (TVectors.Value > 1)
        {
            s1 = TRung.MultiplyAdd(value, b1, s1);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void AddTo<TVectors, TMask>(float* source, TVec mask, ref TVec s0, ref TVec s1)
        where TVectors : struct, IConstant
        where TMask : struct, IConstant
    {
        Tile<TVec, TRung>.LoadPair<TVectors, TMask>(source, mask, out TVec b0, out TVec b1);
        s0 = TRung.Add(s0, b0);
        s1 = TRung.Add(s1, b1);
    }
}
