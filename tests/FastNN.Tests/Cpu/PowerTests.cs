using FastNN.Cpu;
using FastNN.Functions;

namespace FastNN.Tests.Cpu;

/// <summary>
/// a^b against double arithmetic over the whole range, and the table of special values that IEEE 754 gives, on every rung.
/// </summary>
public sealed unsafe class PowerTests
{
    private const float Infinity = float.PositiveInfinity, NaN = float.NaN;

    [Test]
    public void A_power_is_within_its_bound([Values(1, 4, 8, 16)] int lanes)
    {
        Rung.Require(lanes);
        var random = new Random(3);
        float[] a = new float[200_000], b = new float[a.Length];
        for (int i = 0; i < a.Length; i++)
        {
            // Bases over all exponents, denormal ones too; exponents of results that a float can hold.
            a[i] = MathF.Exp((float)((random.NextDouble() * 180) - 92));
            double most = 88 / Math.Max(1e-3, Math.Abs(Math.Log(a[i])));
            b[i] = (float)(((random.NextDouble() * 2) - 1) * Math.Min(most, 1e4));
        }

        float[] y = Run(lanes, a, b);
        double worst = 0;
        for (int i = 0; i < y.Length; i++)
        {
            double exact = Math.Pow(a[i], b[i]);
            float nearest = (float)exact;
            if (float.IsNormal(nearest))
            {
                worst = Math.Max(worst, Math.Abs(y[i] - exact) / (MathF.BitIncrement(nearest) - nearest));
            }
        }

        Assert.That(worst, Is.LessThanOrEqualTo(4));
    }

    [Test]
    public void Special_values_are_those_of_the_base_library([Values(1, 4, 8, 16)] int lanes)
    {
        Rung.Require(lanes);
        float[] numbers =
        [
            0, -0f, 1, -1, 0.5f, -0.5f, 2, -2, 3, -3, 2.5f, -2.5f, 16777215, 16777216, 1e30f, -1e30f, 1e-40f, -1e-40f,
            float.MaxValue, Infinity, -Infinity, NaN,
        ];
        float[] a = [.. numbers.SelectMany(x => Enumerable.Repeat(x, numbers.Length))], b = [.. numbers.SelectMany(_ => numbers)];
        float[] y = Run(lanes, a, b);
        Assert.Multiple(() =>
        {
            for (int i = 0; i < y.Length; i++)
            {
                float expected = MathF.Pow(a[i], b[i]);
                Assert.That(
                    y[i], float.IsFinite(expected) ? Is.EqualTo(expected).Within(2).Ulps : Is.EqualTo(expected),
                    $"{a[i]}^{b[i]}");
                Assert.That(
                    float.IsNegative(y[i]) || float.IsNaN(y[i]), Is.EqualTo(float.IsNegative(expected) || float.IsNaN(expected)),
                    $"sign of {a[i]}^{b[i]}");
            }
        });
    }

    private static float[] Run(int lanes, float[] a, float[] b)
    {
        var y = new float[a.Length];
        fixed (float* left = a, right = b, to = y)
        {
            var map = new BinaryMap<ValueOfPair<Pow>, Assign>(left, right, to, default);
            switch (lanes)
            {
                case 1:
                    ElementLoop.Range<Lanes1, BinaryMap<ValueOfPair<Pow>, Assign>>(map, 0, a.Length);
                    break;
                case 4:
                    ElementLoop.Range<Lanes128, BinaryMap<ValueOfPair<Pow>, Assign>>(map, 0, a.Length);
                    break;
                case 8:
                    ElementLoop.Range<Lanes256, BinaryMap<ValueOfPair<Pow>, Assign>>(map, 0, a.Length);
                    break;
                default:
                    ElementLoop.Range<Lanes512, BinaryMap<ValueOfPair<Pow>, Assign>>(map, 0, a.Length);
                    break;
            }
        }

        return y;
    }
}
