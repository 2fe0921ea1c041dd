using FastNN.Formats;
using FastNN.Tensors;

namespace FastNN.Tests.Formats;

public sealed class PngWriterTests
{
    private static readonly int[] Extents = [1, 2, 3, 7, 31, 129];

    [Test]
    public void Any_pixels_come_back([Values(1, 2, 3, 4)] int channels, [ValueSource(nameof(Extents))] int width)
    {
        foreach (int height in Extents)
        {
            byte[] pixels = Noise(width * height * channels, (ulong)(height + width));
            PngReader read = PngReader.Read(PngWriter.Encode(pixels, width, height, channels));
            Assert.That((read.Width, read.Height, read.Channels), Is.EqualTo((width, height, channels)));
            Assert.That(read.Pixels, Is.EqualTo(pixels));
        }
    }

    [Test]
    public void A_smooth_image_is_filtered_and_small()
    {
        const int Size = 256;
        var pixels = new byte[Size * Size];
        for (int i = 0; i < pixels.Length; i++)
        {
            (int y, int x) = (i / Size, i % Size);
            pixels[i] = (byte)(128 + (100 * Math.Sin(x / 20.0) * Math.Cos(y / 30.0)));
        }

        byte[] file = PngWriter.Encode(pixels, Size, Size, 1);
        PngReader read = PngReader.Read(file);
        Assert.That(read.Pixels, Is.EqualTo(pixels));
        Assert.That(read.Filters.Distinct().Count(), Is.GreaterThan(1));
        Assert.That(file, Has.Length.LessThan(pixels.Length / 4));
    }

    [Test]
    public void A_row_has_the_filter_with_the_least_differences()
    {
        // Each row but the first is best foretold by one filter alone: left, above, their mean, Paeth's.
        byte[] pixels =
        [
            10, 60, 200, 30, 90, 250,
            50, 51, 52, 53, 54, 55,
            50, 51, 52, 53, 54, 56,
        ];
        PngReader read = PngReader.Read(PngWriter.Encode(pixels, 6, 3, 1));
        Assert.That(read.Filters[1..], Is.EqualTo(new[] { 1, 2 }));
        Assert.That(read.Pixels, Is.EqualTo(pixels));
    }

    [Test]
    public void A_file_appears_under_its_name()
    {
        string folder = Directory.CreateTempSubdirectory("fastnn-").FullName;
        try
        {
            string path = Path.Combine(folder, "a.png");
            PngWriter.Save(path, [1, 2, 3, 4, 5, 6], 2, 1, 3);
            Assert.That(PngReader.Read(File.ReadAllBytes(path)).Pixels, Is.EqualTo(new byte[] { 1, 2, 3, 4, 5, 6 }));
            Assert.That(Directory.GetFileSystemEntries(folder), Is.EqualTo(new[] { path }));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [TestCase(3, 2, 2, 1, "expected 4 bytes for 2x2 pixels of 1 channels, got 3")]
    [TestCase(4, 2, 2, 5, "expected 1 (gray), 2 (gray and alpha), 3 (RGB) or 4 (RGBA) channels, got 5")]
    [TestCase(0, 0, 2, 1, "width")]
    [TestCase(0, 2, -1, 1, "height")]
    [TestCase(0, 1 << 20, 1 << 20, 4, "at most 1073741824 bytes")]
    public void Sizes_that_do_not_fit_are_refused(int length, int width, int height, int channels, string message) => Assert.That(
        () => PngWriter.Encode(new byte[length], width, height, channels),
        Throws.InstanceOf<ArgumentException>().With.Message.Contains(message));

    private static byte[] Noise(int count, ulong seed)
    {
        var values = new float[count];
        Philox.FillUniform(values, seed, Philox.Stream(RandomUse.Data));
        return [.. values.Select(value => (byte)(value * 256))];
    }
}
