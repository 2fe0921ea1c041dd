using FastNN.Formats;
using FastNN.Imaging;

namespace FastNN.Onnx.Tests;

/// <summary>Images, labels and frames: Pillow's bytes, torchvision's sizes, damage that is named.</summary>
public sealed class ImagingTests
{
    private static RgbImage Ramp(int width, int height)
    {
        var pixels = new byte[width * height * 3];
        for (int i = 0; i < pixels.Length; i++)
        {
            int place = i / 3, x = place % width, y = place / width;
            pixels[i] = (byte)((((x * 37) + (y * 91) + (i % 3 * 53)) * 7) % 256);
        }

        return RgbImage.Create(width, height, pixels);
    }

    // Sums of byte i times (i mod 251 + 1) and the first bytes, of Pillow 9.4's resize(BILINEAR) of the same ramp.
    [TestCase(50, 31, 20, 13, 12499713L, new byte[] { 97, 171, 174, 65, 178, 181 })]
    [TestCase(7, 5, 19, 23, 23661356L, new byte[] { 0, 115, 230, 0, 115, 230 })]
    [TestCase(64, 48, 64, 11, 32690202L, new byte[] { 148, 169, 164, 151, 172, 167 })]
    [TestCase(33, 17, 8, 40, 14504763L, new byte[] { 6, 121, 236, 17, 132, 235 })]
    [TestCase(3, 3, 2, 2, 12438L, new byte[] { 48, 163, 182, 52, 167, 186 })]
    public void Images_are_resized_to_pillows_bytes(int width, int height, int toWidth, int toHeight, long sum, byte[] first)
    {
        RgbImage image = Ramp(width, height).Resize(toWidth, toHeight);
        byte[] pixels = image.Pixels.ToArray();
        Assert.That(pixels[..6], Is.EqualTo(first));
        Assert.That(pixels.Select((value, i) => value * (long)((i % 251) + 1)).Sum(), Is.EqualTo(sum));
    }

    [TestCase(1, 1)]
    [TestCase(7, 5)]
    [TestCase(130, 67)]
    public void What_the_library_writes_as_png_is_decoded_to_the_same_pixels(int width, int height)
    {
        byte[] pixels = Ramp(width, height).Pixels.ToArray();
        Assert.That(RgbImage.Decode(PngWriter.Encode(pixels, width, height, 3)).Pixels.ToArray(), Is.EqualTo(pixels));

        // Gray becomes three equal channels.
        byte[] gray = RgbImage.Decode(PngWriter.Encode(pixels, 3 * width, height, 1)).Pixels.ToArray();
        Assert.That(gray, Is.EqualTo(pixels.SelectMany(value => Enumerable.Repeat(value, 3))));
    }

    [Test]
    public void Means_are_kept_where_an_image_gets_smaller_by_a_whole_factor()
    {
        RgbImage flat = RgbImage.Create(8, 8, [.. Enumerable.Repeat((byte)200, 8 * 8 * 3)]);
        Assert.That(flat.Resize(3, 5).Pixels.ToArray(), Has.All.EqualTo(200));
        Assert.That(flat.Resize(17, 31).Pixels.ToArray(), Has.All.EqualTo(200));
    }

    [Test]
    public void Sizes_and_crops_are_torchvisions()
    {
        RgbImage image = Ramp(50, 31);
        RgbImage shorter = image.ResizeShorter(20);
        Assert.That((shorter.Width, shorter.Height), Is.EqualTo((32, 20)));
        RgbImage center = image.CenterCrop(21, 21);

        // (50 - 21) / 2 is 14.5, and a half goes to the even number.
        Assert.That(center.Pixels[..3].ToArray(), Is.EqualTo(image.Pixels.Slice(((5 * 50) + 14) * 3, 3).ToArray()));
        Assert.That(() => image.CenterCrop(60, 10), Throws.ArgumentException.With.Message.Contain("50 x 31"));
        Assert.That(() => image.Crop(45, 0, 6, 1), Throws.ArgumentException);
    }

    [Test]
    public void Numbers_are_normalized_in_both_layouts()
    {
        RgbImage image = Ramp(3, 2);
        float[] first = new float[18], last = new float[18], plain = new float[18];
        image.CopyTo(first, ImageNormalization.ImageNet);
        image.CopyTo(last, ImageNormalization.ImageNet, ImageLayout.ChannelsLast);
        image.CopyTo(plain);
        for (int c = 0; c < 3; c++)
        {
            for (int place = 0; place < 6; place++)
            {
                byte value = image.Pixels[(place * 3) + c];
                float wanted = ((value / 255f) - new[] { 0.485f, 0.456f, 0.406f }[c]) / new[] { 0.229f, 0.224f, 0.225f }[c];
                Assert.That(first[(c * 6) + place], Is.EqualTo(wanted).Within(1e-6));
                Assert.That(last[(place * 3) + c], Is.EqualTo(wanted).Within(1e-6));
                Assert.That(plain[(c * 6) + place], Is.EqualTo(value / 255f).Within(1e-7));
            }
        }

        Assert.That(() => image.CopyTo(new float[17]), Throws.ArgumentException.With.Message.Contain("18 numbers, got 17"));
        Assert.That(() => new ImageNormalization([0, 0], [1, 1, 1]), Throws.ArgumentException);
        Assert.That(() => new ImageNormalization([0, 0, 0], [1, 0, 1]), Throws.ArgumentException);
    }

    // A PNG of 2 x 2 pixels: red, green; blue, white.
    private static readonly byte[] Png = Convert.FromBase64String(
        "iVBORw0KGgoAAAANSUhEUgAAAAIAAAACCAIAAAD91JpzAAAAFklEQVR4nGP4z8DA8J+BkYHh////DAAe9gT9Ce00PgAAAABJRU5ErkJggg==");

    [Test]
    public void Files_are_decoded_and_damage_is_named()
    {
        RgbImage image = RgbImage.Decode(Png);
        Assert.That((image.Width, image.Height), Is.EqualTo((2, 2)));
        Assert.That(image.Pixels.ToArray(), Is.EqualTo(new byte[] { 255, 0, 0, 0, 255, 0, 0, 0, 255, 255, 255, 255 }));
        Assert.That(() => RgbImage.Decode([1, 2, 3], "x.png"),
            Throws.TypeOf<FileFormatException>().With.Message.Contain("x.png"));
        Assert.That(() => RgbImage.Decode(Png[..40]), Throws.TypeOf<FileFormatException>());
        byte[] huge = (byte[])Png.Clone();
        (huge[16], huge[20]) = (0x7f, 0x7f);
        Assert.That(() => RgbImage.Decode(huge), Throws.TypeOf<FileFormatException>());
        var random = new Random(3);
        for (int i = 0; i < 2000; i++)
        {
            byte[] damaged = (byte[])Png.Clone();
            damaged[random.Next(damaged.Length)] = (byte)random.Next(256);
            try
            {
                RgbImage.Decode(damaged);
            }
            catch (FileFormatException)
            {
            }
        }
    }

    [Test]
    public void The_best_classes_come_first()
    {
        RankedClass[] top = Classification.Top([1, 1000, 999, 900], 3, ["a", "b", "c", "d"]);
        Assert.That(top.Select(one => one.Label), Is.EqualTo(new[] { "b", "c", "d" }));
        Assert.That(top[0].Probability, Is.EqualTo(1 / (1 + Math.Exp(-1))).Within(1e-6));
        Assert.That(Classification.Top([3, 3], 5).Select(one => one.Label), Is.EqualTo(new[] { "0", "1" }));
        Assert.That(() => Classification.Top([1, 2], 1, ["a"]), Throws.ArgumentException.With.Message.Contain("1 labels for 2"));
        Assert.That(() => Classification.Top([], 1), Throws.ArgumentException);
    }

    [TestCase(4, 2, 1)]
    [TestCase(4, 2, 7)]
    [TestCase(4, 4, 3)]
    [TestCase(3, 5, 2)]
    [TestCase(5, 3, 100)]
    public void Frames_overlap_or_leave_samples_out_whatever_pieces_come(int length, int hop, int piece)
    {
        float[] samples = [.. Enumerable.Range(0, 23).Select(i => (float)i)];
        var frames = new AudioFrames(length, hop, [.. Enumerable.Repeat(2f, length)]);
        var got = new List<float[]>();
        var frame = new float[length];
        for (int at = 0; at < samples.Length; at += piece)
        {
            ReadOnlySpan<float> part = samples.AsSpan(at, Math.Min(piece, samples.Length - at));
            while (frames.TryNext(ref part, frame))
            {
                got.Add((float[])frame.Clone());
            }

            Assert.That(part.IsEmpty, Is.True);
        }

        var wanted = new List<float[]>();
        for (int start = 0; start + length <= samples.Length; start += hop)
        {
            wanted.Add([.. samples[start..(start + length)].Select(sample => 2 * sample)]);
        }

        Assert.That(got, Is.EqualTo(wanted));
    }

    [Test]
    public void Windows_are_periodic_and_checked()
    {
        Assert.That(AudioFrames.Hann(4), Is.EqualTo(new[] { 0f, 0.5f, 1, 0.5f }).Within(1e-7));
        Assert.That(() => new AudioFrames(4, 2, [1, 2]),
            Throws.ArgumentException.With.Message.Contain("a window of 4 factors, got 2"));
        Assert.That(() => new AudioFrames(0, 2), Throws.TypeOf<ArgumentOutOfRangeException>());
    }
}
