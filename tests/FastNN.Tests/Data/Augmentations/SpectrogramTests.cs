using FastNN.Data;

namespace FastNN.Tests.Data.Augmentations;

internal sealed class SpectrogramTests
{
    private static readonly Shape Shape = [20, 12, 2];

    [Test]
    public void Masks_erase_whole_frames_or_whole_frequencies_of_every_width()
    {
        float[] ones = [.. Enumerable.Repeat(1f, (int)Shape.Count)];
        foreach ((Augmentation mask, bool isTime) in (ReadOnlySpan<(Augmentation, bool)>)[
            (new TimeMask(5) { Value = -1 }, true), (new FrequencyMask(5) { Value = -1 }, false)])
        {
            var widths = new int[6];
            var places = new int[isTime ? 20 : 12];
            for (int example = 0; example < 3000; example++)
            {
                float[] result = Images.Run(mask, ones, Shape, example);
                bool[] erased = [.. Enumerable.Range(0, places.Length).Select(i => result[isTime ? i * 24 : i * 2] == -1)];
                for (int at = 0; at < result.Length; at++)
                {
                    Assert.That(result[at], Is.EqualTo(erased[isTime ? at / 24 : at / 2 % 12] ? -1 : 1));
                }

                int first = Array.IndexOf(erased, true), width = erased.Count(one => one);
                Assert.That(width == 0 || erased[first..(first + width)].All(one => one), "one band");
                widths[width]++;
                for (int i = 0; i < places.Length; i++)
                {
                    places[i] += erased[i] ? 1 : 0;
                }
            }

            Assert.That(widths, Has.All.EqualTo(500).Within(90), "each width as often");
            Assert.That(places, Has.All.Positive, "everywhere");
        }
    }

    [Test]
    public void Several_masks_and_those_wider_than_the_spectrogram()
    {
        float[] ones = [.. Enumerable.Repeat(1f, (int)Shape.Count)];
        int MeanErased(Augmentation mask) =>
            (int)Enumerable.Range(0, 400).Average(i => Images.Run(mask, ones, Shape, i).Count(value => value == 0));
        Assert.That(MeanErased(new TimeMask(4) { Count = 2 }), Is.GreaterThan(1.5 * MeanErased(new TimeMask(4))));
        Assert.That(MeanErased(new TimeMask(1000)), Is.EqualTo(240).Within(24), "half of it on average");
        Assert.That(MeanErased(new FrequencyMask(0)), Is.Zero);
        Assert.That(MeanErased(new FrequencyMask(3) { Count = 0 }), Is.Zero);
        Assert.That(() => new TimeMask(-1), Throws.InstanceOf<ArgumentOutOfRangeException>().With.Message.Contains("TimeMask"));
        Assert.That(() => new FrequencyMask(1) { Count = -1 }, Throws.InstanceOf<ArgumentOutOfRangeException>());
        Assert.That(() => new FrequencyMask(1) { Value = float.NaN }, Throws.InstanceOf<ArgumentOutOfRangeException>());
        Assert.That(() => new TimeShift(-1), Throws.InstanceOf<ArgumentOutOfRangeException>());
    }

    [Test]
    public void Shifts_repeat_the_frame_at_the_end_that_they_leave()
    {
        float[] image = Images.Random(Shape);
        var counts = new int[7];
        for (int example = 0; example < 2000; example++)
        {
            float[] result = Images.Run(new TimeShift(3), image, Shape, example);
            int shift = Enumerable.Range(-3, 7).First(by => Enumerable.Range(0, 20).All(
                y => result.AsSpan(y * 24, 24).SequenceEqual(image.AsSpan(Math.Clamp(y - by, 0, 19) * 24, 24))));
            counts[shift + 3]++;
        }

        Assert.That(counts, Has.All.EqualTo(2000 / 7).Within(70));
        Assert.That(Images.Run(new TimeShift(0), image, Shape), Is.EqualTo(image));
        float[] far = Images.Run(new TimeShift(10_000), image, Shape, 5);
        Assert.That(far[..24], Is.EqualTo(far[^24..]), "all of it is the frame of an end");
    }

    [Test]
    public void Threads_and_batches_change_nothing()
    {
        var features = new float[50 * Shape.Count];
        Images.Random([50, 20, 12, 2]).CopyTo(features, 0);
        Dataset data = Dataset.FromFloats(features, [20, 12, 2], new int[50], 1);
        var change = new Compose(new TimeShift(4), new TimeMask(5), new FrequencyMask(3) { Count = 2 });
        float[] Epoch(int batch, int threads)
        {
            using var loader = new DataLoader(data, batch, shuffle: false, seed: 3, threads: threads, transform: change);
            loader.StartEpoch(2);
            var all = new List<float>();
            while (loader.TryNext(out Batch next))
            {
                all.AddRange(next.Features);
            }

            return [.. all];
        }

        float[] expected = Epoch(1, 1);
        Assert.That(Epoch(16, 1), Is.EqualTo(expected));
        Assert.That(Epoch(7, 3), Is.EqualTo(expected));
    }
}
