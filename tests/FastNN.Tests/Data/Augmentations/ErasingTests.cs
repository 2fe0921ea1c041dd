using FastNN.Data;

namespace FastNN.Tests.Data.Augmentations;

internal sealed class ErasingTests
{
    private static readonly Shape Shape = [30, 40, 3];

    [Test]
    public void A_rectangle_of_the_area_and_ratio_asked_for_is_erased()
    {
        var augment = new RandomErasing(1) { Scale = (0.1, 0.2), Ratio = (0.5, 2), Value = -1 };
        float[] image = Images.Random(Shape);
        var areas = new List<double>();
        var ratios = new List<double>();
        int[] erasedAt = new int[1200];
        for (int example = 0; example < 2000; example++)
        {
            float[] result = Images.Run(augment, image, Shape, example);
            (int top, int left, int height, int width) = Rectangle(image, result, -1);
            areas.Add(height * width / 1200.0);
            ratios.Add((double)height / width);
            erasedAt[(top * 40) + left]++;
        }

        Assert.That(areas, Has.All.InRange(0.09, 0.215));
        Assert.That(areas.Average(), Is.EqualTo(0.15).Within(0.003), "uniform between 0.1 and 0.2");
        Assert.That(ratios, Has.All.InRange(0.45, 2.2));
        Assert.That(ratios.Count(ratio => ratio < 1), Is.EqualTo(1000).Within(150), "as often wide as high");
        Assert.That(erasedAt.Count(count => count > 0), Is.GreaterThan(400), "everywhere");
    }

    [Test]
    public void Erasing_happens_as_often_as_it_should([Values(0.0, 0.5, 1.0)] double p)
    {
        float[] image = Images.Random(Shape);
        var augment = new RandomErasing(p);
        int erased = Enumerable.Range(0, 1000).Count(i => !Images.Run(augment, image, Shape, i).SequenceEqual(image));
        Assert.That(erased, Is.EqualTo(1000 * p).Within(4 * Math.Sqrt(1000 * p * (1 - p))));
    }

    [Test]
    public void Random_values_are_of_the_standard_normal_distribution()
    {
        var augment = new RandomErasing(1) { Scale = (0.5, 0.5), Ratio = (1, 1), RandomValue = true };
        double[] values = [.. Enumerable.Range(0, 20)
            .SelectMany(i => Images.Run(augment, new float[Shape.Count], Shape, i)).Where(value => value != 0)
            .Select(value => (double)value)];
        double mean = values.Average(), variance = values.Average(value => value * value) - (mean * mean);
        Assert.That(values, Has.Length.GreaterThan(30_000));
        Assert.That(mean, Is.EqualTo(0).Within(4 / Math.Sqrt(values.Length)));
        Assert.That(variance, Is.EqualTo(1).Within(4 * Math.Sqrt(2.0 / values.Length)));
        Assert.That(values.Distinct().Count(), Is.GreaterThan(values.Length * 0.99), "rows do not repeat");
    }

    [Test]
    public void An_image_of_one_pixel_stays()
    {
        float[] image = [0.5f];
        Assert.That(Images.Run(new RandomErasing(1) { Scale = (1, 1) }, image, [1, 1, 1]), Is.EqualTo(image));
    }

    private static (int Top, int Left, int Height, int Width) Rectangle(float[] image, float[] result, float value)
    {
        int[] changed = [.. Enumerable.Range(0, 1200).Where(i => result[3 * i] != image[3 * i])];
        int top = changed.Min(i => i / 40), bottom = changed.Max(i => i / 40);
        int left = changed.Min(i => i % 40), right = changed.Max(i => i % 40);
        (int height, int width) = (bottom - top + 1, right - left + 1);
        Assert.That(changed, Has.Length.EqualTo(height * width), "a full rectangle");
        for (int i = 0; i < result.Length; i++)
        {
            (int y, int x) = (i / 120, i / 3 % 40);
            bool inside = y >= top && y <= bottom && x >= left && x <= right;
            Assert.That(result[i], Is.EqualTo(inside ? value : image[i]));
        }

        return (top, left, height, width);
    }
}
