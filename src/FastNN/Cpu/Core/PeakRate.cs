using System.Diagnostics;
using System.Runtime.CompilerServices;

namespace FastNN.Cpu;

/// <summary>
/// Measures what one thread can reach at most: multiply-additions on registers, in the widest vectors that this process uses.
/// </summary>
internal struct PeakRate : ILanesAction
{
    private const int Rounds = 1 << 17, Chains = 8, Tries = 5;

    /// <summary>Floating-point operations in a second, the best of several tries.</summary>
    public double Flops { get; private set; }

    public void Invoke<TLanes>()
        where TLanes : struct, IVectorLanes<TLanes>
    {
        for (int i = 0; i < Tries; i++)
        {
            long start = Stopwatch.GetTimestamp();
            float sum = Run<TLanes>();
            double seconds = Stopwatch.GetElapsedTime(start).TotalSeconds;

            // The sum is used, so that the loop is not left out.
            Flops = float.IsNaN(sum) ? Flops : Math.Max(Flops, 2.0 * Rounds * Chains * TLanes.Count / seconds);
        }
    }

    // Two units of four cycles' latency are busy with eight chains.
    [MethodImpl(KernelCode.Loop)]
    private static float Run<TLanes>()
        where TLanes : struct, IVectorLanes<TLanes>
    {
        TLanes a = TLanes.Broadcast(0.5f), b = a, c = a, d = a, e = a, f = a, g = a, h = a;
        TLanes x = TLanes.Broadcast(0.999f), y = TLanes.Broadcast(0.001f);
        for (int i = 0; i < Rounds; i++)
        {
            a = TLanes.MultiplyAdd(a, x, y);
            b = TLanes.MultiplyAdd(b, x, y);
            c = TLanes.MultiplyAdd(c, x, y);
            d = TLanes.MultiplyAdd(d, x, y);
            e = TLanes.MultiplyAdd(e, x, y);
            f = TLanes.MultiplyAdd(f, x, y);
            g = TLanes.MultiplyAdd(g, x, y);
            h = TLanes.MultiplyAdd(h, x, y);
        }

        return TLanes.Sum(a + b + c + d + e + f + g + h);
    }
}
