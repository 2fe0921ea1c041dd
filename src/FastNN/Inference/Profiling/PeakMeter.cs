using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace FastNN.Inference.Profiling;

/// <summary>
/// Measures what one thread can reach at most: multiply-additions on registers, in the widest vectors that this process uses.
/// </summary>
internal static class PeakMeter
{
    private const int Rounds = 1 << 17, Chains = 8, Tries = 5;

    /// <summary>Floating-point operations of one thread in a second, the best of several tries.</summary>
    public static double FlopsPerThread()
    {
        double best = 0;
        for (int i = 0; i < Tries; i++)
        {
            long start = Stopwatch.GetTimestamp();
            float sum;
            int width;
            if (Vector512.IsHardwareAccelerated)
            {
                (sum, width) = (Run512(), Vector512<float>.Count);
            }
            else if (Vector256.IsHardwareAccelerated)
            {
                (sum, width) = (Run256(), Vector256<float>.Count);
            }
            else
            {
                (sum, width) = (Run128(), Vector128<float>.Count);
            }

            double seconds = Stopwatch.GetElapsedTime(start).TotalSeconds;

            // The sum is used, so that the loop is not left out.
            best = float.IsNaN(sum) ? best : Math.Max(best, 2.0 * Rounds * Chains * width / seconds);
        }

        return best;
    }

    // Two units of four cycles' latency are busy with eight chains.
    [MethodImpl(MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization)]
    private static float Run512()
    {
        Vector512<float> a = Vector512.Create(0.5f), b = a, c = a, d = a, e = a, f = a, g = a, h = a;
        Vector512<float> x = Vector512.Create(0.999f), y = Vector512.Create(0.001f);
        for (int i = 0; i < Rounds; i++)
        {
            a = Vector512.FusedMultiplyAdd(a, x, y);
            b = Vector512.FusedMultiplyAdd(b, x, y);
            c = Vector512.FusedMultiplyAdd(c, x, y);
            d = Vector512.FusedMultiplyAdd(d, x, y);
            e = Vector512.FusedMultiplyAdd(e, x, y);
            f = Vector512.FusedMultiplyAdd(f, x, y);
            g = Vector512.FusedMultiplyAdd(g, x, y);
            h = Vector512.FusedMultiplyAdd(h, x, y);
        }

        return Vector512.Sum(a + b + c + d + e + f + g + h);
    }

    [MethodImpl(MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization)]
    private static float Run256()
    {
        Vector256<float> a = Vector256.Create(0.5f), b = a, c = a, d = a, e = a, f = a, g = a, h = a;
        Vector256<float> x = Vector256.Create(0.999f), y = Vector256.Create(0.001f);
        for (int i = 0; i < Rounds; i++)
        {
            a = Vector256.FusedMultiplyAdd(a, x, y);
            b = Vector256.FusedMultiplyAdd(b, x, y);
            c = Vector256.FusedMultiplyAdd(c, x, y);
            d = Vector256.FusedMultiplyAdd(d, x, y);
            e = Vector256.FusedMultiplyAdd(e, x, y);
            f = Vector256.FusedMultiplyAdd(f, x, y);
            g = Vector256.FusedMultiplyAdd(g, x, y);
            h = Vector256.FusedMultiplyAdd(h, x, y);
        }

        return Vector256.Sum(a + b + c + d + e + f + g + h);
    }

    [MethodImpl(MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization)]
    private static float Run128()
    {
        Vector128<float> a = Vector128.Create(0.5f), b = a, c = a, d = a, e = a, f = a, g = a, h = a;
        Vector128<float> x = Vector128.Create(0.999f), y = Vector128.Create(0.001f);
        for (int i = 0; i < Rounds; i++)
        {
            a = (a * x) + y;
            b = (b * x) + y;
            c = (c * x) + y;
            d = (d * x) + y;
            e = (e * x) + y;
            f = (f * x) + y;
            g = (g * x) + y;
            h = (h * x) + y;
        }

        return Vector128.Sum(a + b + c + d + e + f + g + h);
    }
}
