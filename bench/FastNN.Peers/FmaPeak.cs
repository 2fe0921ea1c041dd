using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace FastNN.Peers;

/// <summary>
/// The fused multiply-add rate of one core: a loop that touches registers only, with enough independent chains (12) to
/// cover a latency of 4 to 6 cycles on two units. The best of many short runs, since what disturbs can only slow it.
/// </summary>
internal static class FmaPeak
{
    private const int Chains = 12;
    private const int Rounds = 100_000;
    private const int Trials = 200;

    public static double GigaflopsPerCore()
    {
        if (Vector512.IsHardwareAccelerated)
        {
            return Best<Vector512<float>, Wide512>();
        }

        return Vector256.IsHardwareAccelerated ? Best<Vector256<float>, Wide256>() : Best<Vector128<float>, Wide128>();
    }

    private static double Best<TVector, TWide>()
        where TVector : struct
        where TWide : struct, IWide<TVector>
    {
        var shortest = double.PositiveInfinity;
        for (var trial = 0; trial < Trials; trial++)
        {
            var start = Stopwatch.GetTimestamp();
            if (Run<TVector, TWide>(1e-9f * trial) == 1)
            {
                throw new InvalidOperationException("The sum cannot be 1; asking for it keeps the loop alive.");
            }

            shortest = Math.Min(shortest, Stopwatch.GetElapsedTime(start).TotalSeconds);
        }

        return 2.0 * Chains * Rounds * TWide.Width / shortest * 1e-9;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static float Run<TVector, TWide>(float seed)
        where TVector : struct
        where TWide : struct, IWide<TVector>
    {
        TVector x = TWide.Broadcast(0.999f), y = TWide.Broadcast(seed);
        TVector a = y, b = y, c = y, d = y, e = y, f = y, g = y, h = y, i = y, j = y, k = y, l = y;
        for (var round = 0; round < Rounds; round++)
        {
            a = TWide.MultiplyAdd(a, x, y);
            b = TWide.MultiplyAdd(b, x, y);
            c = TWide.MultiplyAdd(c, x, y);
            d = TWide.MultiplyAdd(d, x, y);
            e = TWide.MultiplyAdd(e, x, y);
            f = TWide.MultiplyAdd(f, x, y);
            g = TWide.MultiplyAdd(g, x, y);
            h = TWide.MultiplyAdd(h, x, y);
            i = TWide.MultiplyAdd(i, x, y);
            j = TWide.MultiplyAdd(j, x, y);
            k = TWide.MultiplyAdd(k, x, y);
            l = TWide.MultiplyAdd(l, x, y);
        }

        return TWide.Sum(a) + TWide.Sum(b) + TWide.Sum(c) + TWide.Sum(d) + TWide.Sum(e) + TWide.Sum(f)
            + TWide.Sum(g) + TWide.Sum(h) + TWide.Sum(i) + TWide.Sum(j) + TWide.Sum(k) + TWide.Sum(l);
    }

    private interface IWide<TVector>
    {
        static abstract int Width { get; }
        static abstract TVector Broadcast(float value);
        static abstract TVector MultiplyAdd(TVector a, TVector b, TVector c);
        static abstract float Sum(TVector value);
    }

    private readonly struct Wide512 : IWide<Vector512<float>>
    {
        public static int Width => Vector512<float>.Count;
        public static Vector512<float> Broadcast(float value) => Vector512.Create(value);
        public static Vector512<float> MultiplyAdd(Vector512<float> a, Vector512<float> b, Vector512<float> c) =>
            Vector512.MultiplyAddEstimate(a, b, c);
        public static float Sum(Vector512<float> value) => Vector512.Sum(value);
    }

    private readonly struct Wide256 : IWide<Vector256<float>>
    {
        public static int Width => Vector256<float>.Count;
        public static Vector256<float> Broadcast(float value) => Vector256.Create(value);
        public static Vector256<float> MultiplyAdd(Vector256<float> a, Vector256<float> b, Vector256<float> c) =>
            Vector256.MultiplyAddEstimate(a, b, c);
        public static float Sum(Vector256<float> value) => Vector256.Sum(value);
    }

    private readonly struct Wide128 : IWide<Vector128<float>>
    {
        public static int Width => Vector128<float>.Count;
        public static Vector128<float> Broadcast(float value) => Vector128.Create(value);
        public static Vector128<float> MultiplyAdd(Vector128<float> a, Vector128<float> b, Vector128<float> c) =>
            Vector128.MultiplyAddEstimate(a, b, c);
        public static float Sum(Vector128<float> value) => Vector128.Sum(value);
    }
}
