using FastNN.Data;

namespace FastNN.Tests.Data.Augmentations;

/// <summary>Other sizes: antialiased bilinear resampling and random resized crops, against sums over all pixels.</summary>
internal sealed class ResizeTests
{
    private static IEnumerable<(Shape From, int Height, int Width)> Sizes => [
        ([1, 1, 1], 1, 1), ([1, 1, 3], 5, 4), ([5, 4, 1], 1, 1), ([8, 6, 3], 4, 3), ([7, 9, 2], 3, 20), ([31, 17, 1], 13, 5),
        ([4, 4, 3], 8, 8), ([100, 3, 1], 7, 3)];

    [Test]
    public void Bilinear_resizing_weighs_with_a_triangle(
        [ValueSource(nameof(Sizes))] (Shape From, int Height, int Width) size)
    {
        float[] image = Images.Random(size.From);
        float[] result = Images.Run(new Resize(size.Height, size.Width), image, size.From);
        CompareWith(
            Reference(image, size.From, (0, 0, size.From[0], size.From[1]), size.Height, size.Width), result);
    }

    [Test]
    public void Growing_by_two_is_known()
    {
        // Half-pixel centers: 0.75 and 0.25 of the two neighbors, the edges as they are.
        float[] result = Images.Run(new Resize(1, 4), [0, 1], [1, 2, 1]);
        Assert.That(result, Is.EqualTo(new[] { 0, 0.25f, 0.75f, 1 }));
        Assert.That(Images.Run(new Resize(1), [1, 2, 3, 6], [2, 2, 1]), Is.EqualTo(new float[] { 3 }), "the mean");
    }

    [Test]
    public void Nearest_resizing_takes_the_pixel_below(
        [ValueSource(nameof(Sizes))] (Shape From, int Height, int Width) size)
    {
        float[] image = Images.Numbered(size.From);
        float[] result = Images.Run(
            new Resize(size.Height, size.Width) { Resampling = Resampling.Nearest }, image, size.From);
        int channels = size.From[2];
        for (int i = 0; i < result.Length; i++)
        {
            (int y, int x) = (i / (size.Width * channels), i / channels % size.Width);
            (int fromY, int fromX) = (y * size.From[0] / size.Height, x * size.From[1] / size.Width);
            Assert.That(result[i], Is.EqualTo(image[(((fromY * size.From[1]) + fromX) * channels) + (i % channels)]));
        }
    }

    [Test]
    public void A_random_resized_crop_is_a_part_resized([Values(1, 3)] int channels)
    {
        Shape shape = [20, 30, channels];
        var augment = new RandomResizedCrop(7, 9);
        var areas = new List<double>();
        for (int example = 0; example < 60; example++)
        {
            float[] image = Images.Random(shape, (uint)example);
            (int top, int left, int height, int width) = Part(Images.Draws(example), shape, (0.08, 1), (3.0 / 4, 4.0 / 3));
            areas.Add(height * width / 600.0);
            CompareWith(Reference(image, shape, (top, left, height, width), 7, 9), Images.Run(augment, image, shape, example));
        }

        Assert.That(areas.Min(), Is.LessThan(0.15), "small parts are drawn");
        Assert.That(areas.Max(), Is.GreaterThan(0.8), "and large ones");
    }

    [Test]
    public void A_part_that_never_fits_is_the_middle()
    {
        // Ratios of 1 for an image of 2 x 40: all of its rows, and as many columns around the middle.
        float[] image = Images.Random([2, 40, 1]);
        var augment = new RandomResizedCrop(2) { Scale = (0.9, 1), Ratio = (1, 1) };
        Assert.That(
            Images.Run(augment, image, [2, 40, 1]), Is.EqualTo(new[] { image[19], image[20], image[59], image[60] }));
        var tall = new RandomResizedCrop(2) { Scale = (0.9, 1), Ratio = (1, 1) };
        image = Images.Random([40, 2, 1]);
        Assert.That(Images.Run(tall, image, [40, 2, 1]), Is.EqualTo(image[38..42]));
    }

    private static (int Top, int Left, int Height, int Width) Part(
        AugmentationRandom draws, Shape shape, (double Low, double High) scale, (double Low, double High) ratio)
    {
        for (int attempt = 0; attempt < 10; attempt++)
        {
            double area = shape[0] * shape[1] * draws.Uniform(scale.Low, scale.High);
            double aspect = Math.Exp(draws.Uniform(Math.Log(ratio.Low), Math.Log(ratio.High)));
            int width = (int)Math.Round(Math.Sqrt(area * aspect)), height = (int)Math.Round(Math.Sqrt(area / aspect));
            if (width > 0 && width <= shape[1] && height > 0 && height <= shape[0])
            {
                int top = draws.Below(shape[0] - height + 1);
                return (top, draws.Below(shape[1] - width + 1), height, width);
            }
        }

        throw new AssertionException("no part fits");
    }

    private static void CompareWith(double[] expected, float[] result)
    {
        Assert.That(result, Has.Length.EqualTo(expected.Length));
        for (int i = 0; i < result.Length; i++)
        {
            Assert.That(result[i], Is.EqualTo(expected[i]).Within(2e-6));
        }
    }

    /// <summary>Every pixel of the part, weighted by a triangle of the step's width, over the sum of all weights.</summary>
    private static double[] Reference(
        float[] image, Shape shape, (int Top, int Left, int Height, int Width) part, int height, int width)
    {
        var result = new double[height * width * shape[2]];
        for (int i = 0; i < result.Length; i++)
        {
            (int y, int x, int c) = (i / (width * shape[2]), i / shape[2] % width, i % shape[2]);
            double sum = 0, total = 0;
            for (int k = 0; k < part.Height * part.Width; k++)
            {
                (int row, int column) = (k / part.Width, k % part.Width);
                double weight = Triangle(row, y, part.Height, height) * Triangle(column, x, part.Width, width);
                sum += weight * image[((((part.Top + row) * shape[1]) + part.Left + column) * shape[2]) + c];
                total += weight;
            }

            result[i] = sum / total;
        }

        return result;
    }

    private static double Triangle(int from, int to, int extent, int newExtent)
    {
        double step = (double)extent / newExtent, distance = Math.Abs(from + 0.5 - ((to + 0.5) * step));
        return Math.Max(0, 1 - (distance / Math.Max(step, 1)));
    }
}
