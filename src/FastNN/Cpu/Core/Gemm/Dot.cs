using System.Runtime.CompilerServices;

namespace FastNN.Cpu;

/// <summary>
/// Few rows times a transposed B: C [m, n] = A [m, k] * B [n, k]^T as dot products of rows, four by four, each in a vector of
/// partial sums along k. Transposing B for the tile would cost more than the product itself while m is small beside k.
/// </summary>
internal static unsafe class Dot<TLanes>
    where TLanes : struct, IVectorLanes<TLanes>
{
    /// <summary>
    /// sums[4 * r + j] = row r of A by row j of B. Where there are fewer than four, the pointers repeat a valid one.
    /// </summary>
    [MethodImpl(KernelCode.Loop)]
    public static void FourByFour(float** a, float** b, int k, float* sums)
    {
        TLanes s00 = default(TLanes), s01 = s00, s02 = s00, s03 = s00, s10 = s00, s11 = s00, s12 = s00, s13 = s00;
        TLanes s20 = s00, s21 = s00, s22 = s00, s23 = s00, s30 = s00, s31 = s00, s32 = s00, s33 = s00;
        float* a0 = a[0], a1 = a[1], a2 = a[2], a3 = a[3], b0 = b[0], b1 = b[1], b2 = b[2], b3 = b[3];
        TLanes mask = TLanes.Mask(k % TLanes.Count);
        int whole = k - (k % TLanes.Count);
        for (nint i = 0; i < k; i += TLanes.Count)
        {
            bool tail = i >= whole;
            TLanes x0 = Load(a0 + i, tail, mask), x1 = Load(a1 + i, tail, mask);
            TLanes x2 = Load(a2 + i, tail, mask), x3 = Load(a3 + i, tail, mask);
            Step(Load(b0 + i, tail, mask), x0, x1, x2, x3, ref s00, ref s10, ref s20, ref s30);
            Step(Load(b1 + i, tail, mask), x0, x1, x2, x3, ref s01, ref s11, ref s21, ref s31);
            Step(Load(b2 + i, tail, mask), x0, x1, x2, x3, ref s02, ref s12, ref s22, ref s32);
            Step(Load(b3 + i, tail, mask), x0, x1, x2, x3, ref s03, ref s13, ref s23, ref s33);
        }

        TLanes.SumFour(s00, s01, s02, s03, sums);
        TLanes.SumFour(s10, s11, s12, s13, sums + 4);
        TLanes.SumFour(s20, s21, s22, s23, sums + 8);
        TLanes.SumFour(s30, s31, s32, s33, sums + 12);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TLanes Load(float* source, bool tail, TLanes mask) =>
        tail ? TLanes.LoadMasked(source, mask) : TLanes.Load(source);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Step(
        TLanes y, TLanes x0, TLanes x1, TLanes x2, TLanes x3, ref TLanes s0, ref TLanes s1, ref TLanes s2, ref TLanes s3)
    {
        s0 = TLanes.MultiplyAdd(x0, y, s0);
        s1 = TLanes.MultiplyAdd(x1, y, s1);
        s2 = TLanes.MultiplyAdd(x2, y, s2);
        s3 = TLanes.MultiplyAdd(x3, y, s3);
    }
}
