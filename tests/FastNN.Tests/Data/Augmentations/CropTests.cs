using FastNN.Data;

namespace FastNN.Tests.Data.Augmentations;

/// <summary>Crops and flips move pixels whole: each against a reference that looks up every pixel.</summary>
internal sealed class CropTests
{
    private static IEnumerable<Shape> Shapes => [[1, 1, 1], [1, 3, 1], [5, 4, 3], [7, 7, 2], [6, 9, 1]];

    [Test]
    public void A_crop_is_a_part_of_the_padded_image(
        [ValueSource(nameof(Shapes))] Shape shape, [Values] CropPadding mode, [Values(0, 1, 2)] int padding)
    {
        int most = Math.Min(shape[0], shape[1]) - (mode == CropPadding.Reflect ? 1 : 0);
        padding = mode is CropPadding.Reflect or CropPadding.Symmetric ? Math.Min(padding, most) : padding;
        int height = Math.Max(1, shape[0] - 1), width = shape[1] + padding;
        var crop = new RandomCrop(height, width) { Padding = padding, PaddingMode = mode, Fill = -3 };
        float[] image = Images.Numbered(shape);
        for (int example = 0; example < 20; example++)
        {
            AugmentationRandom draws = Images.Draws(example);
            int top = draws.Below(shape[0] + (2 * padding) - height + 1), left = draws.Below(padding + 1);
            var expected = new float[height * width * shape[2]];
            for (int i = 0; i < expected.Length; i++)
            {
                (int y, int x, int c) = (i / (width * shape[2]), i / shape[2] % width, i % shape[2]);
                expected[i] = Padded(image, shape, mode, top + y - padding, left + x - padding, c);
            }

            Assert.That(Images.Run(crop, image, shape, example), Is.EqualTo(expected));
        }
    }

    [Test]
    public void Every_place_of_a_crop_is_as_probable()
    {
        const int Trials = 9000;
        var crop = new RandomCrop(2) { Padding = 1 };
        float[] image = Images.Numbered([2, 2, 1]);
        Dictionary<string, int> seen = [];
        for (int example = 0; example < Trials; example++)
        {
            string part = string.Join(' ', Images.Run(crop, image, [2, 2, 1], example));
            seen[part] = seen.GetValueOrDefault(part) + 1;
        }

        Assert.That(seen, Has.Count.EqualTo(9));
        double deviation = Math.Sqrt(1.0 / 9 * (8.0 / 9) * Trials);
        Assert.That(seen.Values, Has.All.EqualTo(Trials / 9.0).Within(4 * deviation));
    }

    [Test]
    public void A_center_crop_is_the_middle()
    {
        Assert.That(Images.Run(new CenterCrop(1), Images.Numbered([3, 3, 1]), [3, 3, 1]), Is.EqualTo(new float[] { 5 }));

        // (5 - 2) / 2 = 1.5 rounds to 2, and (3 - 2) / 2 = 0.5 to 0, as Python rounds.
        Assert.That(
            Images.Run(new CenterCrop(2), Images.Numbered([5, 3, 1]), [5, 3, 1]), Is.EqualTo(new float[] { 7, 8, 10, 11 }));
    }

    [Test]
    public void Flips_mirror_an_image([ValueSource(nameof(Shapes))] Shape shape)
    {
        float[] image = Images.Numbered(shape);
        float[] across = Images.Run(new RandomHorizontalFlip(1), image, shape);
        float[] down = Images.Run(new RandomVerticalFlip(1), image, shape);
        for (int i = 0; i < image.Length; i++)
        {
            (int y, int x, int c) = (i / (shape[1] * shape[2]), i / shape[2] % shape[1], i % shape[2]);
            Assert.That(across[i], Is.EqualTo(image[(((y * shape[1]) + shape[1] - 1 - x) * shape[2]) + c]));
            Assert.That(down[i], Is.EqualTo(image[((((shape[0] - 1 - y) * shape[1]) + x) * shape[2]) + c]));
        }

        Assert.That(Images.Run(new RandomHorizontalFlip(0), image, shape), Is.EqualTo(image));
        Assert.That(Images.Run(new RandomVerticalFlip(0), image, shape), Is.EqualTo(image));
    }

    [Test]
    public void Flips_happen_as_often_as_they_should([Values(0.5, 0.1)] double p)
    {
        const int Trials = 5000;
        float[] image = Images.Numbered([1, 2, 1]);
        var flip = new RandomHorizontalFlip(p);
        int flipped = Enumerable.Range(0, Trials).Count(i => Images.Run(flip, image, [1, 2, 1], i, epoch: 1 + (i % 3))[0] == 2);
        Assert.That(flipped / (double)Trials, Is.EqualTo(p).Within(4 * Math.Sqrt(p * (1 - p) / Trials)));
    }

    [Test]
    public void Crops_that_do_not_fit_are_refused()
    {
        Refuses(() => new RandomCrop(5).OutputShape([4, 9, 1]), "RandomCrop: expected images of at least [5, 5]");
        Refuses(() => new CenterCrop(5).OutputShape([4, 9, 1]), "CenterCrop: expected images of at least [5, 5], got [4, 9, 1].");
        Refuses(
            () => new RandomCrop(2) { Padding = 3, PaddingMode = CropPadding.Reflect }.OutputShape([3, 9, 1]),
            "RandomCrop: expected at most 2 pixels of padding in mode Reflect for images of shape [3, 9, 1], got 3.");
        Refuses(() => new CenterCrop(1).OutputShape([0, 9, 1]), "CenterCrop: expected images of shape [height, width, channels]");
    }

    private static void Refuses(Func<object> call, string message) =>
        Assert.That(call, Throws.TypeOf<ShapeException>().With.Message.StartsWith(message));

    private static float Padded(float[] image, Shape shape, CropPadding mode, int y, int x, int c)
    {
        (int? row, int? column) = (Index(mode, y, shape[0]), Index(mode, x, shape[1]));
        return row is { } r && column is { } k ? image[(((r * shape[1]) + k) * shape[2]) + c] : -3;
    }

    /// <summary>Walks outwards from the edge, one step at a time.</summary>
    private static int? Index(CropPadding mode, int i, int extent)
    {
        if (i >= 0 && i < extent)
        {
            return i;
        }

        int edge = i < 0 ? 0 : extent - 1, inwards = i < 0 ? 1 : -1, outside = i < 0 ? -i : i - (extent - 1);
        return mode switch
        {
            CropPadding.Constant => null,
            CropPadding.Edge => edge,
            CropPadding.Reflect => edge + (inwards * outside),
            _ => edge + (inwards * (outside - 1)),
        };
    }
}
