using FastNN.Cpu;
using FastNN.Functions;

namespace FastNN.Tests.Cpu;

/// <summary>The elementary functions against double arithmetic over the whole range, on every rung.</summary>
public sealed unsafe class ElementaryTests
{
    [Test]
    public void Exp_is_within_its_bound([Values(1, 4, 8, 16)] int lanes)
    {
        Rung.Require(lanes);
        AssertWithin(default(ExpOf), Math.Exp, lanes, Sweep(-103, 88.7f), 2);
    }

    [Test]
    public void Sigmoid_is_within_its_bound([Values(1, 4, 8, 16)] int lanes)
    {
        Rung.Require(lanes);
        AssertWithin(default(SigmoidOf), x => 1 / (1 + Math.Exp(-x)), lanes, Sweep(-87, 87), 3);
    }

    [Test]
    public void Tanh_is_within_its_bound([Values(1, 4, 8, 16)] int lanes)
    {
        Rung.Require(lanes);
        AssertWithin(default(TanhOf), Math.Tanh, lanes, [.. Sweep(-10, 10), .. Sweep(-1e-3f, 1e-3f)], 2);
    }

    [Test]
    public void The_normal_distribution_is_within_its_bound([Values(1, 4, 8, 16)] int lanes)
    {
        Rung.Require(lanes);
        AssertWithin(default(NormalOf), ActivationsReference.NormalDistribution, lanes, Sweep(-12.5f, 12.5f), 6);
    }

    [Test]
    public void Log_one_plus_is_within_its_bound([Values(1, 4, 8, 16)] int lanes)
    {
        Rung.Require(lanes);
        AssertWithin(
            default(LogOnePlusOf), x => x < 1e-5 ? x - (x * x / 2) + (x * x * x / 3) : Math.Log(1 + x), lanes,
            [.. Sweep(0, 1), .. Sweep(1e-12f, 1e-6f)], 4);
    }

    [Test]
    public void Inverse_functions_are_within_their_bounds([Values(1, 16)] int lanes)
    {
        Rung.Require(lanes);
        Assert.Multiple(() =>
        {
            float[] unit = [.. Sweep(-1, 1), .. Sweep(-1e-3f, 1e-3f), .. Sweep(0.9999f, 1)];
            float[] open = [.. Sweep(-0.99999f, 0.99999f), .. Sweep(-1e-3f, 1e-3f)];
            AssertWithin(default(Of<Atan>), Math.Atan, lanes, [.. Sweep(-9, 9), .. Sweep(-1e-3f, 1e-3f), .. Sweep(0, 1e9f)], 3);
            AssertWithin(default(Of<Asin>), Math.Asin, lanes, unit, 5);
            AssertWithin(default(Of<Acos>), Math.Acos, lanes, unit, 5);
            AssertWithin(
                default(Of<Asinh>), Math.Asinh, lanes, [.. Sweep(-9, 9), .. Sweep(-1e-3f, 1e-3f), .. Sweep(0, 1e20f)], 6);
            AssertWithin(default(Of<Acosh>), Math.Acosh, lanes, [.. Sweep(1, 9), .. Sweep(1, 1.001f), .. Sweep(1, 1e20f)], 6);
            AssertWithin(default(Of<Atanh>), Math.Atanh, lanes, open, 6);
        });
    }

    [Test]
    public void Inverse_functions_of_special_values([Values(1, 4, 8, 16)] int lanes)
    {
        Rung.Require(lanes);
        float[] x = [float.NaN, float.PositiveInfinity, float.NegativeInfinity, 0, 1, -1, 2, -2, 1e30f];
        Check(default(Of<Asin>), MathF.Asin);
        Check(default(Of<Acos>), MathF.Acos);
        Check(default(Of<Asinh>), MathF.Asinh);
        Check(default(Of<Acosh>), MathF.Acosh);
        Check(default(Of<Atanh>), MathF.Atanh);

        void Check<TFunction>(TFunction f, Func<float, float> exact)
            where TFunction : struct, IUnaryOperator
        {
            float[] y = Run(f, lanes, x);
            for (int i = 0; i < x.Length; i++)
            {
                Assert.That(y[i], Is.EqualTo(exact(x[i])).Within(3).Ulps, $"{typeof(TFunction)} of {x[i]}");
            }
        }
    }

    [Test]
    public void Exp_of_special_values([Values(1, 4, 8, 16)] int lanes)
    {
        Rung.Require(lanes);
        float[] y = Run(
            default(ExpOf), lanes, [float.NaN, float.PositiveInfinity, float.NegativeInfinity, 0, -0f, 89, 1e30f, -104, -1e30f]);
        float[] expected = [float.NaN, float.PositiveInfinity, 0, 1, 1, float.PositiveInfinity, float.PositiveInfinity, 0, 0];
        Assert.That(y, Is.EqualTo(expected));
    }

    private static float[] Sweep(float from, float to) =>
        [.. Enumerable.Range(0, 100_001).Select(i => from + ((to - from) * (i / 100_000f)))];

    private static void AssertWithin<TFunction>(TFunction f, Func<double, double> exact, int lanes, float[] x, double ulps)
        where TFunction : struct, IUnaryOperator
    {
        float[] y = Run(f, lanes, x);
        double worst = 0;
        for (int i = 0; i < x.Length; i++)
        {
            double expected = exact(x[i]);
            float nearest = MathF.Abs((float)expected);
            double ulp = nearest < 1.17549435e-38f ? 1.401298464e-45 : MathF.BitIncrement(nearest) - nearest;
            worst = Math.Max(worst, Math.Abs(y[i] - expected) / ulp);
        }

        Assert.That(worst, Is.LessThanOrEqualTo(ulps));
    }

    private static float[] Run<TFunction>(TFunction f, int lanes, float[] x)
        where TFunction : struct, IUnaryOperator
    {
        var y = new float[x.Length];
        fixed (float* from = x, to = y)
        {
            var map = new UnaryMap<TFunction, Assign>(from, to, f);
            switch (lanes)
            {
                case 1:
                    ElementLoop.Range<Lanes1, UnaryMap<TFunction, Assign>>(map, 0, x.Length);
                    break;
                case 4:
                    ElementLoop.Range<Lanes128, UnaryMap<TFunction, Assign>>(map, 0, x.Length);
                    break;
                case 8:
                    ElementLoop.Range<Lanes256, UnaryMap<TFunction, Assign>>(map, 0, x.Length);
                    break;
                default:
                    ElementLoop.Range<Lanes512, UnaryMap<TFunction, Assign>>(map, 0, x.Length);
                    break;
            }
        }

        return y;
    }

    private readonly struct ExpOf : IUnaryOperator
    {
        public TLanes Invoke<TLanes>(TLanes x)
            where TLanes : struct, ILanes<TLanes> => Elementary.Exp(x);
    }

    private readonly struct SigmoidOf : IUnaryOperator
    {
        public TLanes Invoke<TLanes>(TLanes x)
            where TLanes : struct, ILanes<TLanes> => Elementary.Sigmoid(x);
    }

    private readonly struct TanhOf : IUnaryOperator
    {
        public TLanes Invoke<TLanes>(TLanes x)
            where TLanes : struct, ILanes<TLanes> => Elementary.Tanh(x);
    }

    private readonly struct NormalOf : IUnaryOperator
    {
        public TLanes Invoke<TLanes>(TLanes x)
            where TLanes : struct, ILanes<TLanes> => Elementary.NormalDistribution(x, out _);
    }

    private readonly struct LogOnePlusOf : IUnaryOperator
    {
        public TLanes Invoke<TLanes>(TLanes x)
            where TLanes : struct, ILanes<TLanes> => Elementary.LogOnePlus(x);
    }

    /// <summary>A function of the table.</summary>
    private readonly struct Of<TFunction> : IUnaryOperator
        where TFunction : struct, IUnaryFunction
    {
        public TLanes Invoke<TLanes>(TLanes x)
            where TLanes : struct, ILanes<TLanes> => TFunction.Value(x, default);
    }
}
