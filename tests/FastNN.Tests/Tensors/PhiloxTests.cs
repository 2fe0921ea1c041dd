using FastNN.Tensors;

namespace FastNN.Tests.Tensors;

public sealed class PhiloxTests
{
    // The known answers published with the generator (Random123, kat_vectors).
    [TestCase(0u, 0u, 0u, 0u, 0u, 0u, 0x6627e8d5u, 0xe169c58du, 0xbc57ac4cu, 0x9b00dbd8u)]
    [TestCase(~0u, ~0u, ~0u, ~0u, ~0u, ~0u, 0x408f276du, 0x41c83b0eu, 0xa20bc7c6u, 0x6d5451fdu)]
    [TestCase(
        0x243f6a88u, 0x85a308d3u, 0x13198a2eu, 0x03707344u, 0xa4093822u, 0x299f31d0u, 0xd16cfe09u, 0x94fdccebu, 0x5001e420u,
        0x24126ea1u)]
    public void The_rounds_give_the_published_answers(
        uint c0, uint c1, uint c2, uint c3, uint k0, uint k1, uint x0, uint x1, uint x2, uint x3) =>
        Assert.That(Philox.Rounds(c0, c1, c2, c3, k0, k1), Is.EqualTo(new PhiloxBlock(x0, x1, x2, x3)));

    [Test]
    public void A_block_takes_index_stream_and_seed_as_counter_and_key() =>
        Assert.That(
            Philox.Block(seed: 0x299f31d0_a4093822, stream: 0x03707344_13198a2e, block: 0x85a308d3_243f6a88),
            Is.EqualTo(new PhiloxBlock(0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1)));

    [Test]
    public void Uniforms_lie_below_one_and_are_exact()
    {
        Assert.That(Philox.ToUniform(uint.MaxValue), Is.EqualTo(16777215f / 16777216f));
        Assert.That(Philox.ToUniform(0), Is.Zero);
        Assert.That(Philox.ToUniform(0x80000000), Is.EqualTo(0.5f));
    }

    [Test]
    public void Filling_equals_drawing_one_by_one_from_any_place(
        [Values(0ul, 1ul, 2ul, 3ul, 5ul)] ulong first, [Values(1, 3, 7, 33)] int count)
    {
        var uniforms = new float[count];
        var normals = new float[count];
        Philox.FillUniform(uniforms, 7, 9, first);
        Philox.FillNormal(normals, 7, 9, first);
        for (int i = 0; i < count; i++)
        {
            Assert.That(uniforms[i], Is.EqualTo(Philox.Uniform(7, 9, first + (ulong)i)));
            Assert.That(normals[i], Is.EqualTo(Philox.Normal(7, 9, first + (ulong)i)));
        }
    }

    [Test]
    public void Moments_are_those_of_the_distributions()
    {
        const int N = 1 << 20;
        var values = new float[N];
        Philox.FillUniform(values, 1, 2);
        (double mean, double variance, _) = Moments(values);
        Assert.That(mean, Is.EqualTo(0.5).Within(5 * Math.Sqrt(1.0 / 12 / N)));
        Assert.That(variance, Is.EqualTo(1.0 / 12).Within(5 * Math.Sqrt(1.0 / 180 / N)));

        Philox.FillNormal(values, 1, 2);
        (mean, variance, double fourth) = Moments(values);
        Assert.That(mean, Is.Zero.Within(5 / Math.Sqrt(N)));
        Assert.That(variance, Is.EqualTo(1).Within(5 * Math.Sqrt(2.0 / N)));
        Assert.That(fourth, Is.EqualTo(3).Within(5 * Math.Sqrt(96.0 / N)));
        Assert.That(Array.TrueForAll(values, float.IsFinite), Is.True);
    }

    [TestCase(1)]
    [TestCase(3)]
    [TestCase(10)]
    [TestCase(100)]
    public void Bounded_draws_are_uniform(int bound)
    {
        const int PerBin = 2000;
        var bins = new int[bound];
        for (int i = 0; i < bound * PerBin; i++)
            bins[Philox.Below(bound, 3, 4, (ulong)i)]++;
        double chiSquare = bins.Sum(bin => Math.Pow(bin - PerBin, 2) / PerBin);

        // Mean k, variance 2k, and five deviations.
        Assert.That(chiSquare, Is.LessThan(bound + (5 * Math.Sqrt(2 * bound))));
    }

    [Test]
    public void A_bound_must_be_positive() =>
        Assert.That(() => Philox.Below(0, 1, 1, 1), Throws.InstanceOf<ArgumentOutOfRangeException>());

    [Test]
    public void A_shuffle_is_a_permutation_and_a_function_of_seed_and_stream([Values(0, 1, 2, 17, 1000)] int count)
    {
        int[] Shuffled(ulong seed, ulong stream)
        {
            int[] items = [.. Enumerable.Range(0, count)];
            Philox.Shuffle(items, seed, stream);
            return items;
        }

        Assert.That(Shuffled(1, 2), Is.EquivalentTo(Enumerable.Range(0, count)));
        int[] again = Shuffled(1, 2);
        Assert.That(Shuffled(1, 2), Is.EqualTo(again));
        if (count > 10)
        {
            Assert.That(Shuffled(1, 2), Is.Not.EqualTo(Shuffled(1, 3)));
            Assert.That(Shuffled(1, 2), Is.Not.EqualTo(Shuffled(2, 2)));
        }
    }

    [Test]
    public void All_orders_of_three_come_equally_often()
    {
        var seen = new Dictionary<string, int>();
        for (uint i = 0; i < 60_000; i++)
        {
            int[] items = [0, 1, 2];
            Philox.Shuffle(items, 5, Philox.Stream(RandomUse.Shuffle, i));
            string key = string.Join("", items);
            seen[key] = seen.GetValueOrDefault(key) + 1;
        }

        Assert.That(seen, Has.Count.EqualTo(6));
        Assert.That(seen.Values, Has.All.EqualTo(10_000).Within(500));
    }

    private static (double Mean, double Variance, double Fourth) Moments(float[] values)
    {
        double mean = values.Average(v => (double)v);
        double variance = values.Average(v => Math.Pow(v - mean, 2));
        return (mean, variance, values.Average(v => Math.Pow(v - mean, 4)) / (variance * variance));
    }
}
