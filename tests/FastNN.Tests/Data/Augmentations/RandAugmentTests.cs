using FastNN.Data;

namespace FastNN.Tests.Data.Augmentations;

/// <summary>RandAugment's table is torchvision's, and its operations are those that stand alone.</summary>
internal sealed class RandAugmentTests
{
    private static readonly Shape Shape = [11, 9, 3];

    [TestCase(0, new[] { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 8, 1.0, 0, 0 })]
    [TestCase(9, new[] { 0, 0.09, 0.09, 43.504531722, 36.978851964, 9, 0.27, 0.27, 0.27, 0.27, 7, 0.7, 0, 0 })]
    [TestCase(30, new[] { 0, 0.3, 0.3, 145.015105740, 123.262839879, 30, 0.9, 0.9, 0.9, 0.9, 4, 0, 0, 0 })]
    public void Magnitudes_are_those_of_the_table(int magnitude, double[] expected)
    {
        var augment = new RandAugment(2, magnitude);
        double[] strengths = [
            .. Enum.GetValues<RandAugment.Kind>().Select(kind => augment.Strength(kind, height: 272, width: 320))];
        Assert.That(strengths, Is.EqualTo(expected).Within(1e-8));
    }

    [Test]
    public void Moves_follow_their_formulas([Values(-0.3, 0.2)] double lean, [Values(-3.7, 2.0)] double pixels)
    {
        Moves(RandAugment.Kind.ShearX, lean, (x, y) => (x + (lean * (y + 0.5)), y));
        Moves(RandAugment.Kind.ShearY, lean, (x, y) => (x, y + (lean * (x + 0.5))));
        Moves(RandAugment.Kind.TranslateX, pixels, (x, y) => (x - (int)pixels, y));
        Moves(RandAugment.Kind.TranslateY, pixels, (x, y) => (x, y - (int)pixels));
        float[] turned = Apply(RandAugment.Kind.Rotate, 25);
        Assert.That(turned, Is.EqualTo(Images.Run(
            new RandomRotation(25, 25) { Resampling = Resampling.Bilinear }, Images.Random(Shape), Shape)));
    }

    [Test]
    public void Colors_are_changed_as_by_the_augmentations_of_these_names()
    {
        float[] image = Images.Random(Shape);
        Assert.That(Apply(RandAugment.Kind.Identity, 0), Is.EqualTo(image));
        Assert.That(Apply(RandAugment.Kind.Posterize, 5), Is.EqualTo(Images.Run(new RandomPosterize(5, 1), image, Shape)));
        Assert.That(Apply(RandAugment.Kind.Solarize, 0.7), Is.EqualTo(Images.Run(new RandomSolarize(0.7, 1), image, Shape)));
        Assert.That(Apply(RandAugment.Kind.AutoContrast, 0), Is.EqualTo(Images.Run(new RandomAutocontrast(1), image, Shape)));
        Assert.That(Apply(RandAugment.Kind.Equalize, 0), Is.EqualTo(Images.Run(new RandomEqualize(1), image, Shape)));
        Assert.That(
            Apply(RandAugment.Kind.Sharpness, 0.5), Is.EqualTo(Images.Run(new RandomAdjustSharpness(1.5, 1), image, Shape)));
        Assert.That(
            Apply(RandAugment.Kind.Brightness, -0.5), Is.EqualTo(image.Select(value => value * 0.5f)).Within(1e-6));
        float[] gray = Apply(RandAugment.Kind.Color, -1);
        Assert.That(gray, Is.EqualTo(Images.Run(new RandomGrayscale(1), image, Shape)).Within(1e-6));
        Assert.That(Apply(RandAugment.Kind.Contrast, -1), Has.All.EqualTo(gray.Average()).Within(1e-6));
    }

    [Test]
    public void Operations_are_drawn_one_after_the_other()
    {
        var augment = new RandAugment(3, 20);
        var kinds = new int[14];
        for (int example = 0; example < 700; example++)
        {
            AugmentationRandom draws = Images.Draws(example);
            var image = new AugmentationImage();
            image.Load(Images.Random(Shape), Shape[0], Shape[1], Shape[2]);
            for (int i = 0; i < 3; i++)
            {
                int kind = draws.Below(14);
                kinds[kind]++;
                double strength = augment.Strength((RandAugment.Kind)kind, Shape[0], Shape[1]);
                bool negative = kind is >= 1 and <= 9 && draws.Below(2) == 1;
                augment.Apply(image, (RandAugment.Kind)kind, negative ? -strength : strength);
            }

            Assert.That(Images.Run(augment, Images.Random(Shape), Shape, example), Is.EqualTo(image.Pixels.ToArray()));
        }

        Assert.That(kinds, Has.All.EqualTo(150).Within(4 * Math.Sqrt(150 * 13 / 14.0)), "each as often");
    }

    [Test]
    public void Extremes_are_taken_or_refused_by_name()
    {
        float[] image = Images.Random([1, 1, 1]);
        for (int example = 0; example < 100; example++)
        {
            Assert.That(
                Images.Run(new RandAugment(4, 30), image, [1, 1, 1], example), Has.All.InRange(0f, 1f), "one pixel");
        }

        Assert.That(Images.Run(new RandAugment(0), image, [1, 1, 1]), Is.EqualTo(image));
        Assert.That(
            () => new RandAugment(2, 10) { Bins = 10 }.OutputShape([3, 3, 3]),
            Throws.InstanceOf<ArgumentOutOfRangeException>().With.Message.StartsWith(
                "RandAugment: expected Magnitude to be in 0..9, got 10."));
    }

    private static void Moves(RandAugment.Kind kind, double strength, Func<double, double, (double X, double Y)> source)
    {
        float[] image = Images.Random(Shape), result = Apply(kind, strength);
        for (int i = 0; i < result.Length; i++)
        {
            (int y, int x, int c) = (i / 27, i / 3 % 9, i % 3);
            (double sourceX, double sourceY) = source(x, y);
            double sum = 0;
            for (int k = 0; k < image.Length; k++)
            {
                double weight = Math.Max(0, 1 - Math.Abs((k / 27) - sourceY)) * Math.Max(0, 1 - Math.Abs((k / 3 % 9) - sourceX));
                sum += k % 3 == c ? weight * image[k] : 0;
            }

            Assert.That(result[i], Is.EqualTo(sum).Within(1e-6), $"{kind} {x} {y}");
        }
    }

    private static float[] Apply(RandAugment.Kind kind, double strength)
    {
        var image = new AugmentationImage();
        image.Load(Images.Random(Shape), Shape[0], Shape[1], Shape[2]);
        new RandAugment { Resampling = Resampling.Bilinear }.Apply(image, kind, strength);
        return image.Pixels.ToArray();
    }
}
