using FastNN.Formats;

namespace FastNN.Tests.Formats;

public sealed class ImageGridTests
{
    [Test]
    public void Images_lie_row_by_row_with_padding_between_and_around()
    {
        // Three images of 1x2 pixels: a grid of two columns, whose last place is background.
        PngReader read = Read(new ImageGrid { Background = 9 }, [0, 1, 0.5f, 0, 1, 1], [3, 1, 2]);
        Assert.That((read.Width, read.Height, read.Channels), Is.EqualTo((7, 5, 1)));
        Assert.That(read.Pixels, Is.EqualTo(new byte[]
        {
            9, 9, 9, 9, 9, 9, 9,
            9, 0, 255, 9, 128, 0, 9,
            9, 9, 9, 9, 9, 9, 9,
            9, 255, 255, 9, 9, 9, 9,
            9, 9, 9, 9, 9, 9, 9,
        }));
    }

    [Test]
    public void Pixels_are_enlarged_by_whole_numbers()
    {
        PngReader read = Read(new ImageGrid { Scale = 2, Padding = 0, Columns = 5 }, [0, 1, 1, 0, 0, 1], [1, 1, 2, 3]);
        byte[] row = [0, 255, 255, 0, 255, 255, 0, 0, 255, 0, 0, 255];
        Assert.That((read.Width, read.Height, read.Channels), Is.EqualTo((4, 2, 3)));
        Assert.That(read.Pixels, Is.EqualTo(row.Concat(row)));
    }

    [Test]
    public void An_opaque_background_stands_around_images_with_alpha()
    {
        PngReader read = Read(new ImageGrid { Background = 7, Columns = 1 }, [1, 0, 0, 0.2f], [1, 1, 1, 4]);
        byte[] background = [7, 7, 7, 255];
        Assert.That(read.Pixels[..4], Is.EqualTo(background));
        Assert.That(read.Pixels[16..20], Is.EqualTo(new byte[] { 255, 0, 0, 51 }));
        Assert.That(read.Pixels[20..24], Is.EqualTo(background));
    }

    [TestCase(0f, 1f, new byte[] { 0, 0, 255, 255, 0, 0 })]
    [TestCase(-1f, 3f, new byte[] { 64, 0, 191, 255, 0, 0 })]
    [TestCase(null, null, new byte[] { 153, 0, 255, 255, 0, 0 })]
    [TestCase(null, 2f, new byte[] { 153, 0, 255, 255, 0, 0 })]
    [TestCase(0f, null, new byte[] { 0, 0, 255, 255, 0, 0 })]
    [TestCase(null, -5f, new byte[] { 255, 255, 255, 255, 0, 0 })]
    [TestCase(5f, null, new byte[] { 0, 0, 0, 0, 0, 0 })]
    public void Values_become_the_nearest_of_256_steps_of_the_range(float? low, float? high, byte[] expected) => Assert.That(
        Read(
            new ImageGrid { Padding = 0, Low = low, High = high },
            [0, -3, 2, float.PositiveInfinity, float.NegativeInfinity, float.NaN], [1, 1, 6]).Pixels, Is.EqualTo(expected));

    [Test]
    public void Images_of_one_value_and_of_none_that_is_finite_are_black()
    {
        var grid = new ImageGrid { Padding = 0, Low = null, High = null };
        Assert.That(Read(grid, [3, 3], [2, 1, 1]).Pixels, Is.All.EqualTo(0));
        Assert.That(Read(grid, [float.NaN, float.NegativeInfinity], [2, 1, 1]).Pixels, Is.All.EqualTo(0));
    }

    [Test]
    public void The_widest_range_does_not_overflow() => Assert.That(
        Read(
            new ImageGrid { Padding = 0, Low = float.MinValue, High = float.MaxValue },
            [float.MinValue, 0, float.MaxValue], [1, 1, 3]).Pixels,
        Is.EqualTo(new byte[] { 0, 128, 255 }));

    [Test]
    public void What_does_not_fit_is_refused()
    {
        var grid = new ImageGrid();
        Assert.Multiple(() =>
        {
            Assert.That(() => grid.Encode([1, 2], [1, 1, 1, 2]), Throws.TypeOf<ShapeException>());
            Assert.That(() => grid.Encode([1, 2], [2]), Throws.TypeOf<ShapeException>());
            Assert.That(() => grid.Encode([], [0, 2, 2]), Throws.TypeOf<ShapeException>());
            Assert.That(
                () => grid.Encode([1, 2], [1, 2, 2]),
                Throws.TypeOf<ShapeException>().With.Message.EqualTo(
                    "ImageGrid: expected 4 values for images of shape [1, 2, 2], got 2."));
            Assert.That(
                () => new ImageGrid { Low = 1 }.Encode([1], [1, 1, 1]),
                Throws.ArgumentException.With.Message.Contains("Low below High"));
            Assert.That(
                () => new ImageGrid { Scale = int.MaxValue }.Encode([1], [1, 1, 1]),
                Throws.ArgumentException.With.Message.Contains("at most 1073741824 bytes"));
            Assert.That(() => new ImageGrid { Scale = 0 }, Throws.TypeOf<ArgumentOutOfRangeException>());
            Assert.That(() => new ImageGrid { Padding = -1 }, Throws.TypeOf<ArgumentOutOfRangeException>());
            Assert.That(() => new ImageGrid { Columns = -1 }, Throws.TypeOf<ArgumentOutOfRangeException>());
            Assert.That(() => new ImageGrid { High = float.NaN }, Throws.TypeOf<ArgumentOutOfRangeException>());
        });
    }

    private static PngReader Read(ImageGrid grid, float[] images, Shape shape) => PngReader.Read(grid.Encode(images, shape));
}
