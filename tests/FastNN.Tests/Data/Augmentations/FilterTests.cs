using FastNN.Data;

namespace FastNN.Tests.Data.Augmentations;

internal sealed class FilterTests
{
    [Test]
    public void A_blur_is_a_sum_over_a_mirrored_window(
        [Values(1, 3, 5)] int kernel, [Values(1, 3)] int channels)
    {
        Shape shape = [6, 7, channels];
        float[] image = Images.Random(shape);
        for (int example = 0; example < 4; example++)
        {
            double sigma = Images.Draws(example).Uniform(0.1, 2);
            float[] result = Images.Run(new GaussianBlur(kernel), image, shape, example);
            for (int i = 0; i < result.Length; i++)
            {
                (int y, int x, int c) = (i / (7 * channels), i / channels % 7, i % channels);
                double sum = 0, total = 0;
                for (int k = 0; k < kernel * kernel; k++)
                {
                    (int down, int right) = ((k / kernel) - (kernel / 2), (k % kernel) - (kernel / 2));
                    double weight = Math.Exp(-((down * down) + (right * right)) / (2 * sigma * sigma));
                    sum += weight * image[(((Mirror(y + down, 6) * 7) + Mirror(x + right, 7)) * channels) + c];
                    total += weight;
                }

                Assert.That(result[i], Is.EqualTo(sum / total).Within(1e-6));
            }
        }
    }

    [Test]
    public void A_blur_of_a_constant_image_stays()
    {
        float[] image = [.. Enumerable.Repeat(0.7f, 25)];
        Assert.That(Images.Run(new GaussianBlur(5) { Sigma = (1, 1) }, image, [5, 5, 1]), Has.All.EqualTo(0.7f).Within(1e-6f));
        Assert.That(Images.Run(new GaussianBlur(1), [0.3f], [1, 1, 1]), Is.EqualTo(new[] { 0.3f }));
    }

    [Test]
    public void A_kernel_larger_than_the_image_is_refused() =>
        Assert.That(
            () => new GaussianBlur(7).OutputShape([3, 9, 1]),
            Throws.TypeOf<ShapeException>().With.Message.EqualTo(
                "GaussianBlur: expected images of at least 4 rows and columns for a kernel of 7, got [3, 9, 1]."));

    [Test]
    public void Noise_has_its_mean_and_deviation()
    {
        Shape shape = [50, 50, 3];
        var augment = new GaussianNoise(0.25, 0.5) { Clip = false };
        double[] noise = [.. Enumerable.Range(0, 4).SelectMany(i => Images.Run(augment, new float[7500], shape, i)).Select(
            value => (double)value)];
        double mean = noise.Average(), deviation = Math.Sqrt(noise.Average(value => (value - mean) * (value - mean)));
        Assert.That(mean, Is.EqualTo(0.25).Within(4 * 0.5 / Math.Sqrt(noise.Length)));
        Assert.That(deviation, Is.EqualTo(0.5).Within(4 * 0.5 / Math.Sqrt(2 * noise.Length)));
        Assert.That(noise.Distinct().Count(), Is.GreaterThan(noise.Length * 0.99));
    }

    [Test]
    public void Noise_is_clipped_to_the_range()
    {
        Shape shape = [20, 20, 1];
        float[] image = Images.Random(shape);
        float[] clipped = Images.Run(new GaussianNoise(0, 3), image, shape);
        float[] free = Images.Run(new GaussianNoise(0, 3) { Clip = false }, image, shape);
        float[] wide = Images.Run(new GaussianNoise(0, 3) { Range = new ValueRange(-2, 2) }, image, shape);
        Assert.That(free.Max(), Is.GreaterThan(2));
        Assert.That(clipped, Is.EqualTo(free.Select(value => Math.Clamp(value, 0, 1))));
        Assert.That(wide, Is.EqualTo(free.Select(value => Math.Clamp(value, -2, 2))));
        Assert.That(Images.Run(new GaussianNoise(0, 0), image, shape), Is.EqualTo(image));
    }

    private static int Mirror(int i, int extent) => i < 0 ? -i : i >= extent ? (2 * extent) - 2 - i : i;
}
