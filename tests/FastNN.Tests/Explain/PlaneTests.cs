using FastNN.Explain;

namespace FastNN.Tests.Explain;

/// <summary>Many numbers as few: principal components and neighbors in the plane.</summary>
internal sealed class PlaneTests
{
    [Test]
    public void Components_of_a_small_table_are_those_of_scikit_learn()
    {
        // sklearn.decomposition.PCA(2).fit([[-1, -1], [-2, -1], [-3, -2], [1, 1], [2, 1], [3, 2]])
        float[] data = [-1, -1, -2, -1, -3, -2, 1, 1, 2, 1, 3, 2];
        var components = PrincipalComponents.Fit(data, 2);
        Assert.Multiple(() =>
        {
            Assert.That(components.VarianceShares, Is.EqualTo(new[] { 0.99244289, 0.00755711 }).Within(1e-7));
            Assert.That(components.Variances, Is.EqualTo(new[] { 7.93954312, 0.06045688 }).Within(1e-6));
            Assert.That(components.Component(0), Is.EqualTo(new[] { 0.83849224f, 0.54491354f }).Within(1e-5f));
        });
    }

    [Test]
    public void Planted_directions_are_found_among_many()
    {
        const int Rows = 300, Width = 60;
        var random = new Random(3);
        float[] data = new float[Rows * Width];
        for (int i = 0; i < Rows; i++)
        {
            double a = (random.NextDouble() - 0.5) * 20, b = (random.NextDouble() - 0.5) * 8;
            for (int j = 0; j < Width; j++)
            {
                data[(i * Width) + j] = (float)(5 + (j == 7 ? a : 0) + (j == 31 ? b : 0) + ((random.NextDouble() - 0.5) * 0.2));
            }
        }

        var components = PrincipalComponents.Fit(data, Width, 3);
        float[] places = components.Transform(data);
        Assert.Multiple(() =>
        {
            Assert.That(components.Component(0)[7], Is.GreaterThan(0.999f));
            Assert.That(components.Component(1)[31], Is.GreaterThan(0.999f));
            Assert.That(components.Variances[0], Is.EqualTo(400 / 12.0).Within(4));
            Assert.That(components.VarianceShares.Sum(), Is.LessThanOrEqualTo(1));
            Assert.That(places.Where((_, i) => i % 3 == 0).Average(), Is.EqualTo(0).Within(1e-4), "places are centered");
        });
    }

    [Test]
    public void Fewer_examples_than_numbers_and_constant_ones_do_no_harm()
    {
        float[] data = [.. Enumerable.Range(0, 3 * 50).Select(i => MathF.Sin(i))];
        Assert.That(PrincipalComponents.Fit(data, 50, 3).VarianceShares.Sum(), Is.EqualTo(1).Within(1e-6));
        Assert.That(PrincipalComponents.Fit(new float[40], 4).Variances, Is.All.EqualTo(0));
    }

    [Test]
    public void Groups_stay_together_in_the_plane_and_apart_from_each_other()
    {
        const int Each = 40, Width = 10;
        float[] data = Groups(Each, Width);
        float[] places = TSne.Embed(data, Width, new TSneOptions { Perplexity = 10, Iterations = 500 });
        double within = 0, between = double.PositiveInfinity;
        for (int i = 0; i < 3 * Each; i++)
        {
            double nearestOther = double.PositiveInfinity, nearestOwn = double.PositiveInfinity;
            for (int j = 0; j < 3 * Each; j++)
            {
                double distance = Math.Sqrt(
                    Math.Pow(places[2 * i] - places[2 * j], 2) + Math.Pow(places[(2 * i) + 1] - places[(2 * j) + 1], 2));
                if (i / Each != j / Each)
                {
                    nearestOther = Math.Min(nearestOther, distance);
                }
                else if (i != j)
                {
                    nearestOwn = Math.Min(nearestOwn, distance);
                }
            }

            (within, between) = (Math.Max(within, nearestOwn), Math.Min(between, nearestOther));
        }

        Assert.That(between, Is.GreaterThan(2 * within));
    }

    [Test]
    public void The_same_data_gives_the_same_plane()
    {
        float[] data = Groups(10, 4);
        var options = new TSneOptions { Perplexity = 5, Iterations = 250 };
        float[] first = TSne.Embed(data, 4, options), second = TSne.Embed(data, 4, options);
        Assert.That(second, Is.EqualTo(first));
    }

    [Test]
    public void Bad_data_is_named() => Assert.Multiple(() =>
    {
        Assert.That(
            () => PrincipalComponents.Fit([1, 2, 3], 2), Throws.ArgumentException.With.Message.Contains("examples of 2 numbers"));
        Assert.That(
            () => PrincipalComponents.Fit([1, float.NaN, 3, 4], 2),
            Throws.ArgumentException.With.Message.Contains("expected finite numbers"));
        Assert.That(() => PrincipalComponents.Fit([1, 2, 3, 4], 2, 3), Throws.InstanceOf<ArgumentOutOfRangeException>());
        Assert.That(
            () => PrincipalComponents.Fit([1, 2, 3, 4], 2).Transform([1]),
            Throws.ArgumentException.With.Message.Contains("got 1 numbers"));
        Assert.That(() => TSne.Embed([1, 2, 3], 1), Throws.ArgumentException.With.Message.Contains("4 to 10000 examples"));
        Assert.That(
            () => TSne.Embed(new float[20], 2), Throws.ArgumentException.With.Message.Contains("a perplexity below a third"));
        Assert.That(() => new TSneOptions { Perplexity = 1 }, Throws.InstanceOf<ArgumentOutOfRangeException>());
    });

    private static float[] Groups(int each, int width)
    {
        var random = new Random(1);
        return
        [
            .. Enumerable.Range(0, 3 * each * width).Select(i =>
                (i / width / each == i % width ? 10f : 0f) + random.NextSingle()),
        ];
    }
}
