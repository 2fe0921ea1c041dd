namespace FastNN.Tests.Inference;

internal sealed class TokenSamplerTests
{
    private static readonly float[] Logits = [MathF.Log(0.1f), MathF.Log(0.4f), MathF.Log(0.2f), MathF.Log(0.3f)];

    [Test]
    public void Draws_follow_the_probabilities()
    {
        Assert.That(Shares(new TokenSampler(1), Logits), Is.EqualTo(new[] { 0.1, 0.4, 0.2, 0.3 }).Within(0.01));
    }

    [Test]
    public void A_temperature_sharpens_or_flattens()
    {
        // Squares of the probabilities at one half, and their roots at two.
        double[] sharp = [0.01 / 0.3, 0.16 / 0.3, 0.04 / 0.3, 0.09 / 0.3];
        double roots = Math.Sqrt(0.1) + Math.Sqrt(0.4) + Math.Sqrt(0.2) + Math.Sqrt(0.3);
        double[] flat = [Math.Sqrt(0.1) / roots, Math.Sqrt(0.4) / roots, Math.Sqrt(0.2) / roots, Math.Sqrt(0.3) / roots];
        Assert.That(Shares(new TokenSampler(2) { Temperature = 0.5f }, Logits), Is.EqualTo(sharp).Within(0.01));
        Assert.That(Shares(new TokenSampler(3) { Temperature = 2 }, Logits), Is.EqualTo(flat).Within(0.01));
    }

    [Test]
    public void The_most_probable_tokens_alone_are_drawn()
    {
        double[] expected = [0, 4 / 7.0, 0, 3 / 7.0];
        Assert.That(Shares(new TokenSampler(4) { TopK = 2 }, Logits), Is.EqualTo(expected).Within(0.01));
        Assert.That(Shares(new TokenSampler(5) { TopK = 99 }, Logits), Is.EqualTo(new[] { 0.1, 0.4, 0.2, 0.3 }).Within(0.01));
    }

    [TestCase(0.39f, new[] { 0, 1.0, 0, 0 })]
    [TestCase(0.41f, new[] { 0, 4 / 7.0, 0, 3 / 7.0 })]
    [TestCase(0.75f, new[] { 0, 4 / 9.0, 2 / 9.0, 3 / 9.0 })]
    [TestCase(0.95f, new[] { 0.1, 0.4, 0.2, 0.3 })]
    [TestCase(1e-6f, new[] { 0, 1.0, 0, 0 })]
    public void The_nucleus_is_the_fewest_tokens_that_reach_the_share(float share, double[] expected)
    {
        Assert.That(Shares(new TokenSampler(6) { TopP = share }, Logits), Is.EqualTo(expected).Within(0.01));
    }

    [Test]
    public void The_share_is_that_of_the_most_probable_tokens()
    {
        // Of 4/9, 3/9 and 2/9 the first two make up 0.7.
        double[] expected = [0, 4 / 7.0, 0, 3 / 7.0];
        Assert.That(Shares(new TokenSampler(7) { TopK = 3, TopP = 0.7f }, Logits), Is.EqualTo(expected).Within(0.01));
    }

    [Test]
    public void Greedy_takes_the_first_of_equal_ones()
    {
        var sampler = new TokenSampler { Temperature = 0 };
        Assert.That(sampler.Sample([1, 3, 3, 2]), Is.EqualTo(1));
        Assert.That(sampler.Sample([-5, -3, -0f, 0f]), Is.EqualTo(2));
        Assert.That(new TokenSampler { TopK = 1 }.Sample([1, 3, 3, 2]), Is.EqualTo(1));
        Assert.That(sampler.Draws, Is.EqualTo(2));
    }

    [Test]
    public void Of_equal_logits_the_first_are_kept()
    {
        float[] logits = [-0f, 0, -1, 0, 0];
        Assert.That(Shares(new TokenSampler(8) { TopK = 2 }, logits), Is.EqualTo(new[] { 0.5, 0.5, 0, 0, 0 }).Within(0.01));
    }

    [Test]
    public void Forbidden_tokens_are_never_drawn()
    {
        float[] logits = [float.NegativeInfinity, 0, float.NegativeInfinity, 0, float.NegativeInfinity];
        double[] expected = [0, 0.5, 0, 0.5, 0];
        Assert.That(Shares(new TokenSampler(9), logits), Is.EqualTo(expected).Within(0.01));
        Assert.That(Shares(new TokenSampler(9) { TopK = 4 }, logits), Is.EqualTo(expected).Within(0.01));
        Assert.That(Shares(new TokenSampler(9) { TopP = 0.99f }, logits), Is.EqualTo(expected).Within(0.01));
    }

    [Test]
    public void A_draw_depends_on_seed_and_number_alone()
    {
        int[] Draws(ulong seed)
        {
            var sampler = new TokenSampler(seed);
            return [.. Enumerable.Range(0, 50).Select(_ => sampler.Sample(Logits))];
        }

        int[] again = Draws(1);
        Assert.That(Draws(1), Is.EqualTo(again));
        Assert.That(Draws(1), Is.Not.EqualTo(Draws(2)));
    }

    [Test]
    public void Large_logits_and_vocabularies_are_no_trouble()
    {
        float[] logits = [.. Enumerable.Range(0, 50_000).Select(i => i % 7 == 3 ? 3e38f : -3e38f)];
        int token = new TokenSampler(1) { TopK = 100, TopP = 0.5f, Temperature = 1e-3f }.Sample(logits);
        Assert.That((token % 7, token < 7 * 100), Is.EqualTo((3, true)));
    }

    [Test]
    public void A_draw_allocates_nothing()
    {
        var sampler = new TokenSampler(1) { Temperature = 0.7f, TopK = 3, TopP = 0.9f };
        sampler.Sample(Logits);
        long before = GC.GetAllocatedBytesForCurrentThread();
        sampler.Sample(Logits);
        Assert.That(GC.GetAllocatedBytesForCurrentThread() - before, Is.Zero);
    }

    [Test]
    public void What_cannot_be_drawn_from_is_refused()
    {
        var sampler = new TokenSampler();
        Assert.That(() => sampler.Sample([]), Throws.ArgumentException);
        Assert.That(() => sampler.Sample([0, float.NaN]), Throws.ArgumentException.With.Message.Contains("NaN for token 1"));
        Assert.That(() => sampler.Sample([float.PositiveInfinity]), Throws.ArgumentException);
        Assert.That(() => sampler.Sample([float.NegativeInfinity]), Throws.ArgumentException);
        Assert.That(() => new TokenSampler { Temperature = -1 }, Throws.TypeOf<ArgumentOutOfRangeException>());
        Assert.That(() => new TokenSampler { Temperature = float.NaN }, Throws.TypeOf<ArgumentOutOfRangeException>());
        Assert.That(() => new TokenSampler { TopK = -1 }, Throws.TypeOf<ArgumentOutOfRangeException>());
        Assert.That(() => new TokenSampler { TopP = 0 }, Throws.TypeOf<ArgumentOutOfRangeException>());
        Assert.That(() => new TokenSampler { TopP = 1.1f }, Throws.TypeOf<ArgumentOutOfRangeException>());
    }

    private static double[] Shares(TokenSampler sampler, float[] logits)
    {
        const int draws = 40_000;
        var counts = new double[logits.Length];
        for (int i = 0; i < draws; i++)
        {
            counts[sampler.Sample(logits)] += 1.0 / draws;
        }

        return counts;
    }
}
