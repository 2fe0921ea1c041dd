using FastNN.Data;

namespace FastNN.Tests.Data;

/// <summary>Scenes of digits, made of digits that are easy to recognize: number k is a bar of k + 4 rows.</summary>
internal sealed class DigitScenesTests
{
    private static readonly Dataset Bars = MakeBars();

    [Test]
    public void A_scene_is_a_function_of_seed_part_and_number()
    {
        DigitScenes Scenes(ulong seed, int part) => new(Bars, part) { Seed = seed };
        float[] Pixels(ulong seed, int part, int number) => Scenes(seed, part).Create(number).Pixels.ToArray();
        float[] first = Pixels(1, 0, 5);
        Assert.Multiple(() =>
        {
            Assert.That(Pixels(1, 0, 5), Is.EqualTo(first));
            Assert.That(Pixels(2, 0, 5), Is.Not.EqualTo(first));
            Assert.That(Pixels(1, 1, 5), Is.Not.EqualTo(first));
            Assert.That(Pixels(1, 0, 6), Is.Not.EqualTo(first));
        });
    }

    [Test]
    public void Digits_lie_inside_apart_and_where_their_boxes_say()
    {
        var scenes = new DigitScenes(Bars, part: 0) { Side = 64, Digits = (2, 5), Clutter = (0, 0), Sizes = (20, 30) };
        var counts = new HashSet<int>();
        for (int number = 0; number < 100; number++)
        {
            DigitScene scene = scenes.Create(number);
            counts.Add(scene.Objects.Count);
            var drawn = new float[64 * 64];
            foreach (LabeledBox item in scene.Objects)
            {
                Assert.That(item.Box.Left >= 0 && item.Box.Top >= 0 && item.Box.Right <= 64 && item.Box.Bottom <= 64, $"{item}");
                Assert.That(
                    scene.Objects.Where(other => other != item).Select(other => other.Box.Intersection(item.Box)), Is.All.Zero);
                for (int y = (int)item.Box.Top; y < (int)item.Box.Bottom; y++)
                {
                    for (int x = (int)item.Box.Left; x < (int)item.Box.Right; x++)
                    {
                        int pixel = (y * 64) + x;
                        drawn[pixel] = scene.Pixels[pixel];
                        Assert.That(scene.PixelClasses[pixel], Is.EqualTo(scene.Pixels[pixel] > 0.3f ? item.Label + 1 : 0));
                    }
                }

                Assert.That(BoundingBox.Around(drawn, 64, 0.3f), Is.Not.Null);
            }

            // Without clutter nothing is drawn outside the boxes.
            Assert.That(scene.Pixels.ToArray(), Is.EqualTo(drawn));
            Assert.That(scene.PixelClasses.Count(label => label > 0), Is.EqualTo(drawn.Count(value => value > 0.3f)));
        }

        Assert.That(counts, Is.SupersetOf(new[] { 2, 3, 4 }));
    }

    [Test]
    public void Clutter_belongs_to_no_digit()
    {
        DigitScene scene = new DigitScenes(Bars, part: 0) { Digits = (1, 1), Clutter = (8, 8) }.Create(3);
        BoundingBox box = scene.Objects[0].Box;
        int outside = 0;
        for (int i = 0; i < scene.Pixels.Length; i++)
        {
            (int y, int x) = Math.DivRem(i, scene.Side);
            if (x < box.Left || x >= box.Right || y < box.Top || y >= box.Bottom)
            {
                outside += scene.Pixels[i] > 0.3f ? 1 : 0;
                Assert.That(scene.PixelClasses[i], Is.Zero);
            }
        }

        Assert.That(outside, Is.Positive);
    }

    [Test]
    public void Datasets_hold_the_scenes_and_their_targets()
    {
        var scenes = new DigitScenes(Bars, part: 2) { Side = 32, Digits = (1, 1), Sizes = (12, 16) };
        Dataset segmentation = scenes.ToSegmentation(3);
        Dataset counts = scenes.ToDataset(3, [1], (scene, target) => target[0] = scene.Objects[0].Label);
        DigitScene second = scenes.Create(1);
        Example example = segmentation[1];
        Assert.Multiple(() =>
        {
            Assert.That(segmentation.Count, Is.EqualTo(3));
            Assert.That(segmentation.ExampleShape.ToArray(), Is.EqualTo(new[] { 32, 32, 1 }));
            Assert.That(segmentation.TargetShape.ToArray(), Is.EqualTo(new[] { 32, 32, 11 }));
            Assert.That(example.Features, Is.EqualTo(second.Pixels.ToArray()));
            Assert.That(
                example.Target, Is.EqualTo(second.PixelClasses.SelectMany(
                    label => Enumerable.Range(0, 11).Select(i => i == label ? 1f : 0))));
            Assert.That(counts[1].Target, Is.EqualTo(new[] { (float)second.Objects[0].Label }));
        });
    }

    [Test]
    public void Wrong_options_are_refused() => Assert.Multiple(() =>
    {
        Dataset table = Dataset.FromFloats([1, 2], [2], [0], classes: 1);
        Assert.That(() => new DigitScenes(table, 0), Throws.ArgumentException.With.Message.Contains("[28, 28, 1]"));
        Assert.That(() => new DigitScenes(Bars.OneHot(), 0), Throws.ArgumentException.With.Message.Contains("vectors"));
        Assert.That(() => new DigitScenes(Bars, -1), Throws.TypeOf<ArgumentOutOfRangeException>());
        Assert.That(() => new DigitScenes(Bars, 0) { Side = 31 }, Throws.TypeOf<ArgumentOutOfRangeException>());
        Assert.That(
            () => new DigitScenes(Bars, 0) { Digits = (3, 2) },
            Throws.TypeOf<ArgumentOutOfRangeException>().With.Message.Contains("3 and 2"));
        Assert.That(() => new DigitScenes(Bars, 0) { Sizes = (8, 33) }, Throws.TypeOf<ArgumentOutOfRangeException>());
        Assert.That(() => new DigitScenes(Bars, 0).Create(-1), Throws.TypeOf<ArgumentOutOfRangeException>());
        Assert.That(() => new DigitScenes(Bars, 0).ToSegmentation(0), Throws.TypeOf<ArgumentOutOfRangeException>());
    });

    private static Dataset MakeBars()
    {
        var pixels = new byte[10 * 28 * 28];
        for (int digit = 0; digit < 10; digit++)
        {
            for (int y = 7; y < 11 + digit; y++)
            {
                pixels.AsSpan((digit * 28 * 28) + (y * 28) + 10, 8).Fill(255);
            }
        }

        string[] names = [.. Enumerable.Range(0, 10).Select(digit => $"{digit}")];
        return Dataset.FromBytes(pixels, [28, 28, 1], [.. Enumerable.Range(0, 10)], names);
    }
}
