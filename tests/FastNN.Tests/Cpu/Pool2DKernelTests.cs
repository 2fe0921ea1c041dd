using FastNN.Cpu;
using FastNN.Kernels;

namespace FastNN.Tests.Cpu;

[TestFixture]
public sealed unsafe class Pool2DKernelTests
{
    private static readonly WorkerPool[] Pools = new WorkerPool[3];

    private static readonly int[] Channels = [1, 3, 4, 6, 7, 8, 13, 16, 17, 31, 32, 64, 65];

    private static readonly Dictionary<string, Func<int, Pool2DGeometry>> MaxCases = new()
    {
        ["2x2"] = c => Pool2DGeometry.Max(3, 8, 6, c, 2, 2, 2, 2, Padding2D.Valid),
        ["2x2, odd image"] = c => Pool2DGeometry.Max(2, 13, 11, c, 2, 2, 2, 2, Padding2D.Valid),
        ["2x2, odd image, ceil"] = c => Pool2DGeometry.Max(2, 13, 11, c, 2, 2, 2, 2, Padding2D.Valid, ceilMode: true),
        ["3x3 stride 2 padded"] = c => Pool2DGeometry.Max(2, 9, 12, c, 3, 3, 2, 2, Padding2D.Symmetric(1, 1)),
        ["3x3 stride 1 same"] = c => Pool2DGeometry.Max(1, 7, 5, c, 3, 3, 1, 1, Padding2D.Same),
        ["2x3 stride 3x1, asymmetric"] = c => Pool2DGeometry.Max(2, 10, 6, c, 2, 3, 3, 1, Padding2D.Explicit(1, 0, 0, 1)),
        ["stride over window"] = c => Pool2DGeometry.Max(2, 11, 13, c, 2, 2, 3, 5, Padding2D.Valid),
        ["dilation 2"] = c => Pool2DGeometry.Max(2, 9, 8, c, 3, 2, 2, 1, Padding2D.Symmetric(2, 1), 2, 3),
        ["3x2 ceil padded"] = c => Pool2DGeometry.Max(1, 8, 9, c, 3, 2, 2, 3, Padding2D.Symmetric(1, 1), ceilMode: true),
        ["one window of 17x17"] = c => Pool2DGeometry.Max(1, 17, 17, c, 17, 17, 1, 1, Padding2D.Valid),
        ["1x1"] = c => Pool2DGeometry.Max(1, 1, 1, c, 1, 1, 1, 1, Padding2D.Valid),
    };

    private static readonly Dictionary<string, Func<int, Pool2DGeometry>> AverageCases = new()
    {
        ["2x2"] = c => Pool2DGeometry.Average(3, 8, 6, c, 2, 2, 2, 2, Padding2D.Valid),
        ["3x3 stride 2 padded"] = c => Pool2DGeometry.Average(2, 9, 12, c, 3, 3, 2, 2, Padding2D.Symmetric(1, 1)),
        ["3x3 stride 2 padded, padding not counted"] =
            c => Pool2DGeometry.Average(2, 9, 12, c, 3, 3, 2, 2, Padding2D.Symmetric(1, 1), countIncludePad: false),
        ["3x3 ceil padded"] = c => Pool2DGeometry.Average(2, 8, 10, c, 3, 3, 2, 3, Padding2D.Symmetric(1, 1), ceilMode: true),
        ["3x3 ceil, padding not counted"] =
            c => Pool2DGeometry.Average(
                2, 8, 10, c, 3, 3, 2, 3, Padding2D.Symmetric(1, 0), ceilMode: true, countIncludePad: false),
        ["divisor 3"] = c => Pool2DGeometry.Average(2, 7, 7, c, 2, 2, 1, 2, Padding2D.Valid, divisorOverride: 3),
        ["global"] = c => Pool2DGeometry.Average(2, 7, 9, c, 7, 9, 1, 1, Padding2D.Valid),
        ["same"] = c => Pool2DGeometry.Average(1, 5, 6, c, 4, 2, 2, 1, Padding2D.Same, countIncludePad: false),
    };

    [OneTimeSetUp]
    public void StartPools()
    {
        for (int i = 0; i < Pools.Length; i++)
        {
            Pools[i] = new WorkerPool(i + 1);
        }
    }

    [OneTimeTearDown]
    public void StopPools()
    {
        foreach (WorkerPool pool in Pools)
        {
            pool.Dispose();
        }
    }

    private static IEnumerable<TestCaseData> Max() =>
        from name in MaxCases.Keys from c in Channels from relu in new[] { false, true } select new TestCaseData(name, c, relu);

    private static IEnumerable<TestCaseData> Average() =>
        from name in AverageCases.Keys from c in Channels select new TestCaseData(name, c);

    [TestCaseSource(nameof(Max))]
    public void MaximumAgreesWithTheDefinition(string name, int c, bool relu)
    {
        Pool2DGeometry g = MaxCases[name](c);
        float[] x = Random(g.InputCount, 1);
        float[] dy = Random(g.OutputCount, 2);
        var y = new float[g.OutputCount];
        var winners = new int[g.OutputCount];
        var dx = new double[g.InputCount];
        ForEachOutput(g, (output, taps) =>
        {
            float best = float.NegativeInfinity;
            long from = -1;
            foreach ((int tap, long input) in taps)
            {
                if (x[input] > best)
                {
                    (best, from, winners[output]) = (x[input], input, tap);
                }
            }
            y[output] = relu ? Math.Max(0, best) : best;
            dx[from] += !relu || y[output] > 0 ? dy[output] : 0;
        });
        float[] start = Random(g.InputCount, 3);
        foreach (WorkerPool pool in Pools)
        {
            (float[] actualY, int[] actualWinners, float[] actualDX) = RunMax(pool, g, x, dy, relu, null);
            Assert.That(actualY, Is.EqualTo(y));
            Assert.That(actualWinners, Is.EqualTo(winners));
            AssertClose(actualDX, dx);
            (_, _, float[] added) = RunMax(pool, g, x, dy, relu, start);
            AssertClose(added, [.. dx.Select((d, i) => d + start[i])]);
        }
    }

    [TestCaseSource(nameof(Average))]
    public void AverageAgreesWithTheDefinition(string name, int c)
    {
        Pool2DGeometry g = AverageCases[name](c);
        float[] x = Random(g.InputCount, 1);
        float[] dy = Random(g.OutputCount, 2);
        var y = new double[g.OutputCount];
        var dx = new double[g.InputCount];
        ForEachOutput(g, (output, taps) =>
        {
            double divisor = DivisorOf(g, output);
            foreach ((int _, long input) in taps)
            {
                y[output] += x[input] / divisor;
                dx[input] += dy[output] / divisor;
            }
        });
        float[] start = Random(g.InputCount, 3);
        foreach (WorkerPool pool in Pools)
        {
            using GuardedBuffer xs = new(x), dys = new(dy), ys = new(g.OutputCount), dxs = new(g.InputCount), added = new(start);
            Pool2D.AverageForward(pool, g, xs.Pointer, ys.Pointer);
            Pool2D.AverageBackward(pool, g, dys.Pointer, dxs.Pointer, false);
            Pool2D.AverageBackward(pool, g, dys.Pointer, added.Pointer, true);
            ys.AssertIntact("y");
            dxs.AssertIntact("dX");
            added.AssertIntact("dX");
            AssertClose(ys.Span.ToArray(), y);
            AssertClose(dxs.Span.ToArray(), dx);
            AssertClose(added.Span.ToArray(), [.. dx.Select((d, i) => d + start[i])]);
        }
    }

    [Test]
    public void TheFirstMaximumWinsATieAndTheLastNaNWinsOverAll([ValueSource(nameof(Channels))] int c)
    {
        var g = Pool2DGeometry.Max(1, 2, 4, c, 2, 2, 2, 2, Padding2D.Valid);
        var x = new float[g.InputCount];
        for (int channel = 0; channel < c; channel++)
        {
            x[(0 * c) + channel] = -1;
            x[(1 * c) + channel] = 5;
            x[(4 * c) + channel] = 5;
            x[(5 * c) + channel] = 5;
            x[(2 * c) + channel] = float.NaN;
            x[(3 * c) + channel] = 7;
            x[(6 * c) + channel] = float.NaN;
            x[(7 * c) + channel] = 9;
        }
        (float[] y, int[] winners, _) = RunMax(Pools[0], g, x, new float[g.OutputCount], true, null);
        Assert.That(y[..c], Is.All.EqualTo(5));
        Assert.That(winners[..c], Is.All.EqualTo(1));
        Assert.That(y[c..], Is.All.NaN);
        Assert.That(winners[c..], Is.All.EqualTo(2));
    }

    /// <summary>Another loop computes it without winners; once with NaN, infinities and zeros of both signs.</summary>
    [TestCaseSource(nameof(Max))]
    public void InferenceGivesTheSameBitsWithoutWinners(string name, int c, bool relu)
    {
        Pool2DGeometry g = MaxCases[name](c);
        float[] x = Random(g.InputCount, 1);
        foreach (bool special in new[] { false, true })
        {
            for (int i = 0; special && i < x.Length; i += 5)
            {
                x[i] = (i % 3) switch { 0 => float.NaN, 1 => float.PositiveInfinity, _ => float.NegativeInfinity };
            }

            for (int i = 0; special && i < x.Length; i++)
            {
                x[i] = i % 5 != 0 && x[i] > 0 ? (i % 2 == 0 ? 0f : -0f) : x[i];
            }

            (float[] expected, _, _) = RunMax(Pools[0], g, x, new float[g.OutputCount], relu, null);
            foreach (WorkerPool pool in Pools)
            {
                using GuardedBuffer xs = new(x), ys = new(g.OutputCount);
                Pool2D.MaxForward(pool, g, xs.Pointer, ys.Pointer, null, relu);
                ys.AssertIntact("y");
                Assert.That(Bits(ys.Span.ToArray()), Is.EqualTo(Bits(expected)));
            }
        }

        static int[] Bits(float[] values) => Array.ConvertAll(values, BitConverter.SingleToInt32Bits);
    }

    private static (float[] Y, int[] Winners, float[] DX) RunMax(
        WorkerPool pool, Pool2DGeometry g, float[] x, float[] dy, bool relu, float[]? start)
    {
        using GuardedBuffer xs = new(x), dys = new(dy), ys = new(g.OutputCount);
        using GuardedBuffer dxs = start == null ? new(g.InputCount) : new(start);
        using GuardedBuffer winners = new((Pool2D.WinnersBytes(g) + 3) / 4);
        Pool2D.MaxForward(pool, g, xs.Pointer, ys.Pointer, (byte*)winners.Pointer, relu);
        Pool2D.MaxBackward(pool, g, ys.Pointer, dys.Pointer, (byte*)winners.Pointer, dxs.Pointer, relu, start != null);
        ys.AssertIntact("y");
        dxs.AssertIntact("dX");
        winners.AssertIntact("winners");
        var taps = new int[g.OutputCount];
        for (int i = 0; i < taps.Length; i++)
        {
            taps[i] = Pool2D.WinnerBytes(g) == 1 ? ((byte*)winners.Pointer)[i] : ((ushort*)winners.Pointer)[i];
        }
        return (ys.Span.ToArray(), taps, dxs.Span.ToArray());
    }

    private static void ForEachOutput(Pool2DGeometry g, Action<long, List<(int Tap, long Input)>> visit)
    {
        for (long output = 0; output < g.OutputCount; output++)
        {
            long c = output % g.C;
            long ow = output / g.C % g.OW;
            long oh = output / g.C / g.OW % g.OH;
            long n = output / g.C / g.OW / g.OH;
            var taps = new List<(int, long)>();
            for (int tap = 0; tap < g.Vertical.Taps * g.Horizontal.Taps; tap++)
            {
                long ih = (oh * g.Vertical.Stride) - g.Vertical.PadBefore + (tap / g.Horizontal.Taps * g.Vertical.Dilation);
                long iw = (ow * g.Horizontal.Stride) - g.Horizontal.PadBefore + (tap % g.Horizontal.Taps * g.Horizontal.Dilation);
                if (ih >= 0 && ih < g.H && iw >= 0 && iw < g.W)
                {
                    taps.Add((tap, (((((n * g.H) + ih) * g.W) + iw) * g.C) + c));
                }
            }
            visit(output, taps);
        }
    }

    private static double DivisorOf(Pool2DGeometry g, long output)
    {
        if (g.DivisorOverride > 0)
        {
            return g.DivisorOverride;
        }
        long ow = output / g.C % g.OW;
        long oh = output / g.C / g.OW % g.OH;
        return Enumerable.Range(0, g.Vertical.Taps).Count(
            k => Counts(g.Vertical, (oh * g.Vertical.Stride) - g.Vertical.PadBefore + k))
            * Enumerable.Range(0, g.Horizontal.Taps).Count(
                k => Counts(g.Horizontal, (ow * g.Horizontal.Stride) - g.Horizontal.PadBefore + k));
        bool Counts(WindowAxis axis, long at) =>
            g.CountIncludePad ? at < axis.Input + axis.PadAfter : at >= 0 && at < axis.Input;
    }

    private static void AssertClose(float[] actual, double[] expected)
    {
        Assert.That(actual, Has.Length.EqualTo(expected.Length));
        for (int i = 0; i < actual.Length; i++)
        {
            if (!(Math.Abs(actual[i] - expected[i]) <= 2e-6 * (1 + Math.Abs(expected[i]))))
            {
                Assert.Fail($"[{i}] is {actual[i]}, expected {expected[i]}");
            }
        }
    }

    private static float[] Random(long count, int seed)
    {
        var random = new Random(seed);
        var values = new float[count];
        for (int i = 0; i < values.Length; i++)
        {
            values[i] = (random.NextSingle() * 2) - 1;
        }
        return values;
    }
}
