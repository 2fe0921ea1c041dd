using FastNN.Data;

namespace FastNN.Tests.Data.Augmentations;

/// <summary>Changes of color against references in double, pixel by pixel, as torchvision's functions define them.</summary>
internal sealed class ColorTests
{
    private static IEnumerable<Shape> Shapes => [[1, 1, 1], [1, 1, 3], [5, 4, 3], [7, 9, 1], [16, 15, 3]];

    private delegate double[] Recolor(double[] image, Shape shape);

    private static Augmentation[] All => [
        new RandomGrayscale(1), new RandomInvert(1), new RandomPosterize(3, 1), new RandomSolarize(0.4, 1),
        new RandomAutocontrast(1), new RandomEqualize(1), new RandomAdjustSharpness(1.7, 1)];

    [Test]
    public void Grayscale_weighs_the_channels([ValueSource(nameof(Shapes))] Shape shape)
    {
        Compare(new RandomGrayscale(1), shape, (image, _) => [.. image.Select((value, i) => Gray(image, i, shape[2]))]);
        float[] pixels = Images.Random(shape);
        float[] one = Images.Run(new Grayscale(), pixels, shape), three = Images.Run(new Grayscale(3), pixels, shape);
        for (int i = 0; i < shape[0] * shape[1]; i++)
        {
            Assert.That(one[i], Is.EqualTo(Gray([.. pixels.Select(v => (double)v)], i * shape[2], shape[2])).Within(1e-6));
            Assert.That(three[(3 * i)..((3 * i) + 3)], Has.All.EqualTo(one[i]));
        }
    }

    [Test]
    public void Invert_posterize_and_solarize_change_each_value([ValueSource(nameof(Shapes))] Shape shape)
    {
        Compare(new RandomInvert(1), shape, (image, _) => [.. image.Select(v => 1 - v)]);
        Compare(new RandomPosterize(2, 1), shape, (image, _) => [.. image.Select(v => Math.Floor(v * 4) / 4)]);
        Compare(new RandomSolarize(0.3, 1), shape, (image, _) => [.. image.Select(v => v >= 0.3f ? 1 - v : v)]);
    }

    [Test]
    public void Autocontrast_stretches_each_channel([ValueSource(nameof(Shapes))] Shape shape)
    {
        Compare(new RandomAutocontrast(1), shape, (image, _) => [.. image.Select((value, i) =>
        {
            double[] channel = [.. image.Where((_, k) => k % shape[2] == i % shape[2])];
            return channel.Min() < channel.Max() ? (value - channel.Min()) / (channel.Max() - channel.Min()) : value;
        })]);
    }

    [Test]
    public void Equalize_is_that_of_Pillow([ValueSource(nameof(Shapes))] Shape shape, [Values(1, 0.05)] double spread)
    {
        float[] pixels = [.. Images.Random([48, 40, shape[2]]).Select(v => (float)(v * v * spread))];
        float[] result = Images.Run(new RandomEqualize(1), pixels, [48, 40, shape[2]]);
        for (int c = 0; c < shape[2]; c++)
        {
            int[] levels = [.. pixels.Where((_, i) => i % shape[2] == c).Select(v => (int)(v * 255.999f))];
            int[] table = Table(levels);
            Assert.That(table, Is.Not.EqualTo(Enumerable.Range(0, 256)), "there is something to spread");
            float[] channel = [.. result.Where((_, i) => i % shape[2] == c)];
            Assert.That(channel, Is.EqualTo(levels.Select(level => table[level] / 255f)));
        }
    }

    [Test]
    public void Equalizing_a_constant_image_rounds_it_to_bytes() =>
        Assert.That(
            Images.Run(new RandomEqualize(1), [0.5f, 0.5f, 0.5f, 0.5f], [2, 2, 1]), Has.All.EqualTo(127 / 255f));

    [Test]
    public void Sharpness_blends_with_a_blurred_image(
        [ValueSource(nameof(Shapes))] Shape shape, [Values(0, 0.5, 1, 2)] double factor)
    {
        Compare(new RandomAdjustSharpness(factor, 1), shape, (image, _) => [.. image.Select((value, i) =>
        {
            (int y, int x, int c) = (i / (shape[1] * shape[2]), i / shape[2] % shape[1], i % shape[2]);
            if (y == 0 || x == 0 || y == shape[0] - 1 || x == shape[1] - 1)
            {
                return value;
            }

            double sum = 4 * value;
            for (int k = 0; k < 9; k++)
            {
                sum += image[((((y + (k / 3) - 1) * shape[1]) + x + (k % 3) - 1) * shape[2]) + c];
            }

            return Math.Clamp((factor * value) + ((1 - factor) * sum / 13), 0, 1);
        })]);
    }

    [Test]
    public void A_jitter_changes_in_the_drawn_order([ValueSource(nameof(Shapes))] Shape shape)
    {
        var augment = new ColorJitter(0.4, 0.5, 1.5, 0.3);
        for (int example = 0; example < 30; example++)
        {
            AugmentationRandom draws = Images.Draws(example);
            int[] order = [0, 1, 2, 3];
            for (int i = 3; i > 0; i--)
            {
                int j = draws.Below(i + 1);
                (order[i], order[j]) = (order[j], order[i]);
            }

            double[] by = [
                draws.Uniform(0.6, 1.4), draws.Uniform(0.5, 1.5), draws.Uniform(0, 2.5), draws.Uniform(-0.3, 0.3)];
            double[] expected = [.. Images.Random(shape, (uint)example).Select(value => (double)value)];
            foreach (int kind in order)
            {
                expected = Jitter(expected, shape[2], kind, by[kind]);
            }

            float[] result = Images.Run(augment, Images.Random(shape, (uint)example), shape, example);
            for (int i = 0; i < result.Length; i++)
            {
                Assert.That(result[i], Is.EqualTo(expected[i]).Within(4e-6));
            }
        }
    }

    [Test]
    public void What_a_jitter_is_not_asked_for_stays()
    {
        float[] image = [.. Images.Random([6, 5, 3]).Select(value => (4 * value) - 2)];
        Assert.That(Images.Run(new ColorJitter(), image, [6, 5, 3]), Is.EqualTo(image), "not even clamped");
        float[] hue = Images.Run(new ColorJitter(hue: 0.5), Images.Random([6, 5, 3]), [6, 5, 3]);
        Assert.That(hue.Chunk(3).Select(pixel => pixel.Max()), Is.EqualTo(
            Images.Random([6, 5, 3]).Chunk(3).Select(pixel => pixel.Max())).Within(1e-6), "the value of HSV");
        Assert.That(Images.Run(new ColorJitter(hue: 0.5, saturation: 1), Images.Random([6, 5, 1]), [6, 5, 1]), Is.EqualTo(
            Images.Random([6, 5, 1])), "gray has neither hue nor saturation");
    }

    [Test]
    public void A_range_of_values_gives_the_same_colors()
    {
        Shape shape = [9, 8, 3];
        float[] image = Images.Random(shape);
        float[] stretched = [.. image.Select(value => (value * 255) - 128)];
        var range = new ValueRange(-128, 127);
        (Augmentation Unit, Augmentation Wide)[] pairs = [
            (new ColorJitter(0.4, 0.5, 1.5, 0.3), new ColorJitter(0.4, 0.5, 1.5, 0.3) { Range = range }),
            (new RandomInvert(1), new RandomInvert(1) { Range = range }),
            (new RandomAutocontrast(1), new RandomAutocontrast(1) { Range = range }),
            (new RandomAdjustSharpness(2, 1), new RandomAdjustSharpness(2, 1) { Range = range }),
            (new RandomSolarize(0.41, 1), new RandomSolarize(0.41, 1) { Range = range })];
        foreach ((Augmentation unit, Augmentation wide) in pairs)
        {
            float[] expected = [.. Images.Run(unit, image, shape).Select(value => (value * 255) - 128)];
            Assert.That(Images.Run(wide, stretched, shape), Is.EqualTo(expected).Within(0.002), unit.GetType().Name);
        }
    }

    [Test]
    public void A_probability_of_0_changes_no_bit([ValueSource(nameof(Shapes))] Shape shape)
    {
        Augmentation[] never = [
            new RandomGrayscale(0), new RandomInvert(0), new RandomPosterize(1, 0), new RandomSolarize(0, 0),
            new RandomAutocontrast(0), new RandomEqualize(0), new RandomAdjustSharpness(0, 0)];
        foreach (Augmentation augment in never)
        {
            Assert.That(Images.Run(augment, Images.Random(shape), shape), Is.EqualTo(Images.Random(shape)));
        }
    }

    [Test]
    public void Two_channels_are_no_color()
    {
        foreach (Augmentation augment in (Augmentation[])[.. All, new ColorJitter(0.1), new Grayscale(), new RandAugment()])
        {
            Assert.That(
                () => augment.OutputShape([4, 4, 2]),
                Throws.TypeOf<ShapeException>().With.Message.EqualTo(
                    $"{augment.GetType().Name}: expected images of 1 or 3 channels, got [4, 4, 2]."));
        }
    }

    private static void Compare(Augmentation augment, Shape shape, Recolor reference)
    {
        float[] image = Images.Random(shape), result = Images.Run(augment, image, shape);
        double[] expected = reference([.. image.Select(value => (double)value)], shape);
        for (int i = 0; i < result.Length; i++)
        {
            Assert.That(result[i], Is.EqualTo(expected[i]).Within(1e-6));
        }
    }

    private static double Gray(double[] image, int at, int channels)
    {
        at -= at % channels;
        return channels == 1 ? image[at] : (0.2989 * image[at]) + (0.587 * image[at + 1]) + (0.114 * image[at + 2]);
    }

    private static double[] Jitter(double[] image, int channels, int kind, double by)
    {
        double mean = image.Select((_, i) => Gray(image, i, channels)).Average();
        return kind switch
        {
            0 => [.. image.Select(value => Math.Clamp(value * by, 0, 1))],
            1 => [.. image.Select(value => Math.Clamp((value * by) + (mean * (1 - by)), 0, 1))],
            2 => [.. image.Select((value, i) => Math.Clamp((value * by) + (Gray(image, i, channels) * (1 - by)), 0, 1))],
            _ when channels == 1 => image,
            _ => [.. image.Chunk(3).SelectMany(pixel => Turn(pixel, by))],
        };
    }

    /// <summary>RGB to HSV and back, in sectors, as Python's colorsys does.</summary>
    private static double[] Turn(double[] rgb, double by)
    {
        double value = rgb.Max(), span = value - rgb.Min();
        if (span == 0)
        {
            return rgb;
        }

        double saturation = span / value;
        double[] c = [.. rgb.Select(channel => (value - channel) / span)];
        double hue = rgb[0] == value ? c[2] - c[1] : rgb[1] == value ? 2 + c[0] - c[2] : 4 + c[1] - c[0];
        hue = (hue / 6) + by;
        hue -= Math.Floor(hue);
        int sector = (int)(hue * 6);
        double part = (hue * 6) - sector;
        double p = value * (1 - saturation), q = value * (1 - (saturation * part)), t = value * (1 - (saturation * (1 - part)));
        return (sector % 6) switch
        {
            0 => [value, t, p],
            1 => [q, value, p],
            2 => [p, value, t],
            3 => [p, q, value],
            4 => [t, p, value],
            _ => [value, p, q],
        };
    }

    /// <summary>The table of Pillow's ImageOps.equalize.</summary>
    private static int[] Table(int[] levels)
    {
        int[] histogram = [.. Enumerable.Range(0, 256).Select(level => levels.Count(other => other == level))];
        int step = (levels.Length - histogram[levels.Max()]) / 255;
        if (step == 0)
        {
            return [.. Enumerable.Range(0, 256)];
        }

        var table = new int[256];
        int n = step / 2;
        for (int level = 0; level < 256; level++)
        {
            table[level] = Math.Min(n / step, 255);
            n += histogram[level];
        }

        return table;
    }
}
