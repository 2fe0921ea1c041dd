using System.Runtime.CompilerServices;

namespace FastNN.Cpu;

/// <summary>
/// The one-dimensional transforms of F(4, 3): four outputs of a filter of three taps from six inputs with six multiplications
/// instead of twelve (Winograd, 1980; Lavin and Gray, 2016), on the points 0, 1, -1, 2, -2 and infinity. Two-dimensional ones
/// apply them to columns, then to rows. Each lane is a channel.
/// </summary>
internal static unsafe class WinogradTransforms<TLanes>
    where TLanes : struct, IVectorLanes<TLanes>
{
    /// <summary>Inputs of a tile along an axis, and points.</summary>
    public const int Points = 6;

    /// <summary>Outputs of a tile along an axis.</summary>
    public const int Outputs = 4;

    /// <summary>Taps of the filter along an axis.</summary>
    public const int Taps = 3;

    /// <summary>Six inputs to six points.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Input(
        TLanes d0, TLanes d1, TLanes d2, TLanes d3, TLanes d4, TLanes d5, float* target, nint step)
    {
        TLanes four = TLanes.Broadcast(4), minusFour = TLanes.Broadcast(-4), minusFive = TLanes.Broadcast(-5);
        TLanes even = TLanes.MultiplyAdd(d2, minusFour, d4), odd = TLanes.MultiplyAdd(d1, minusFour, d3);
        TLanes near = d4 - d2, twice = d3 - d1;
        twice = twice + twice;
        TLanes.Store(TLanes.MultiplyAdd(d0, four, TLanes.MultiplyAdd(d2, minusFive, d4)), target);
        TLanes.Store(even + odd, target + step);
        TLanes.Store(even - odd, target + (2 * step));
        TLanes.Store(near + twice, target + (3 * step));
        TLanes.Store(near - twice, target + (4 * step));
        TLanes.Store(TLanes.MultiplyAdd(d1, four, TLanes.MultiplyAdd(d3, minusFive, d5)), target + (5 * step));
    }

    /// <summary>Three taps to six points.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Filter(TLanes g0, TLanes g1, TLanes g2, float* target, nint step)
    {
        TLanes outer = (g0 + g2) * TLanes.Broadcast(-1f / 6), middle = g1 * TLanes.Broadcast(1f / 6);
        TLanes far = TLanes.MultiplyAdd(g0, TLanes.Broadcast(1f / 24), g2 * TLanes.Broadcast(1f / 6));
        TLanes twelfth = g1 * TLanes.Broadcast(1f / 12);
        TLanes.Store(g0 * TLanes.Broadcast(0.25f), target);
        TLanes.Store(outer - middle, target + step);
        TLanes.Store(outer + middle, target + (2 * step));
        TLanes.Store(far + twelfth, target + (3 * step));
        TLanes.Store(far - twelfth, target + (4 * step));
        TLanes.Store(g2, target + (5 * step));
    }

    /// <summary>Six points to four outputs.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Output(float* m, nint step, out TLanes y0, out TLanes y1, out TLanes y2, out TLanes y3)
    {
        TLanes m1 = TLanes.Load(m + step), m2 = TLanes.Load(m + (2 * step));
        TLanes m3 = TLanes.Load(m + (3 * step)), m4 = TLanes.Load(m + (4 * step));
        TLanes near = m1 + m2, nearOdd = m1 - m2, far = m3 + m4, farOdd = m3 - m4;
        y0 = TLanes.Load(m) + near + far;
        y1 = TLanes.MultiplyAdd(farOdd, TLanes.Broadcast(2), nearOdd);
        y2 = TLanes.MultiplyAdd(far, TLanes.Broadcast(4), near);
        y3 = TLanes.MultiplyAdd(farOdd, TLanes.Broadcast(8), nearOdd) + TLanes.Load(m + (5 * step));
    }

    /// <summary>The transposed <see cref="Output"/>: gradients of four outputs to gradients of six points.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void OutputGradient(TLanes y0, TLanes y1, TLanes y2, TLanes y3, float* target, nint step)
    {
        TLanes even = y0 + y2, odd = y1 + y3;
        TLanes evenFar = TLanes.MultiplyAdd(y2, TLanes.Broadcast(4), y0);
        TLanes oddFar = TLanes.MultiplyAdd(y3, TLanes.Broadcast(8), y1 + y1);
        TLanes.Store(y0, target);
        TLanes.Store(even + odd, target + step);
        TLanes.Store(even - odd, target + (2 * step));
        TLanes.Store(evenFar + oddFar, target + (3 * step));
        TLanes.Store(evenFar - oddFar, target + (4 * step));
        TLanes.Store(y3, target + (5 * step));
    }

    /// <summary>The transposed <see cref="Filter"/>: gradients of six points to gradients of three taps.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void FilterGradient(float* u, nint step, out TLanes g0, out TLanes g1, out TLanes g2)
    {
        TLanes u1 = TLanes.Load(u + step), u2 = TLanes.Load(u + (2 * step));
        TLanes u3 = TLanes.Load(u + (3 * step)), u4 = TLanes.Load(u + (4 * step));
        TLanes sixth = TLanes.Broadcast(1f / 6), minusSixth = TLanes.Broadcast(-1f / 6);
        TLanes near = u1 + u2, far = u3 + u4;
        TLanes outer = near * minusSixth;
        g0 = TLanes.MultiplyAdd(
            TLanes.Load(u), TLanes.Broadcast(0.25f), TLanes.MultiplyAdd(far, TLanes.Broadcast(1f / 24), outer));
        g1 = TLanes.MultiplyAdd(u3 - u4, TLanes.Broadcast(1f / 12), (u2 - u1) * sixth);
        g2 = TLanes.MultiplyAdd(far, sixth, outer) + TLanes.Load(u + (5 * step));
    }
}
