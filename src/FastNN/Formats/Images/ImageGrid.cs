using System.Globalization;

namespace FastNN.Formats;

/// <summary>
/// Lays images of floats out in a grid, row by row from the top left, and writes it as one PNG: a batch, a layer's filters, what
/// a network generates.
/// </summary>
public sealed class ImageGrid
{
    private const int MaxBytes = 1 << 30;

    /// <summary>Images in a row; 0, the default, for as many as make the grid about square.</summary>
    public int Columns { get; init => field = RequireAtLeast(0, value, nameof(Columns)); }

    /// <summary>Pixels between two images, and around all of them; default 1. They are not scaled.</summary>
    public int Padding { get; init => field = RequireAtLeast(0, value, nameof(Padding)); } = 1;

    /// <summary>How many pixels wide and high each pixel of an image becomes; default 1.</summary>
    public int Scale { get; init => field = RequireAtLeast(1, value, nameof(Scale)); } = 1;

    /// <summary>What becomes 0, black; default 0. Null for the least finite value of all images.</summary>
    public float? Low { get; init => field = RequireFinite(value, nameof(Low)); } = 0;

    /// <summary>What becomes 255; default 1. Null for the greatest finite value of all images.</summary>
    public float? High { get; init => field = RequireFinite(value, nameof(High)); } = 1;

    /// <summary>The gray of padding and of places without an image, from 0 to 255; default 255, white.</summary>
    public byte Background { get; init; } = 255;

    /// <summary>Writes a file, which appears whole or not at all.</summary>
    /// <param name="path">The file, replaced if it is there.</param>
    /// <param name="images">Their values. Those beyond <see cref="Low"/> and <see cref="High"/> become the nearer of the two, NaN
    /// becomes <see cref="Low"/>.</param>
    /// <param name="shape">[N, H, W, C] with 1, 3 or 4 channels, or [N, H, W].</param>
    /// <exception cref="ShapeException">The shape is another, or has another number of values.</exception>
    /// <exception cref="ArgumentException">High is not above Low, or the grid would have more than 1 GiB.</exception>
    /// <exception cref="IOException">The file cannot be written.</exception>
    public void Save(string path, ReadOnlySpan<float> images, Shape shape)
    {
        byte[] file = Encode(images, shape);
        AtomicFile.Write(path, stream => stream.Write(file));
    }

    /// <summary>The bytes of the file.</summary>
    /// <param name="images">Their values.</param>
    /// <param name="shape">[N, H, W, C] with 1, 3 or 4 channels, or [N, H, W].</param>
    /// <returns>The file.</returns>
    /// <exception cref="ShapeException">As for <see cref="Save"/>.</exception>
    /// <exception cref="ArgumentException">As for <see cref="Save"/>.</exception>
    public byte[] Encode(ReadOnlySpan<float> images, Shape shape)
    {
        PixelBlock grid = Render(images, shape);
        return PngWriter.Encode(grid.Pixels, grid.Width, grid.Height, grid.Channels);
    }

    internal PixelBlock Render(ReadOnlySpan<float> images, Shape shape)
    {
        (int count, int height, int width, int channels) = Check(images.Length, shape);
        (float low, float high) = Range(images);
        int columns = Columns > 0 ? Math.Min(Columns, count) : (int)Math.Ceiling(Math.Sqrt(count));
        int rows = (count + columns - 1) / columns;
        Int128 wide = Extent(columns, width), tall = Extent(rows, height);
        if (wide * tall * channels > MaxBytes)
        {
            throw new ArgumentException(string.Create(
                CultureInfo.InvariantCulture,
                $"ImageGrid: expected a grid of at most {MaxBytes} bytes, {wide}x{tall} pixels of {channels} channels are more; take fewer images or a smaller scale."));
        }

        var grid = new PixelBlock(new byte[(int)(wide * tall * channels)], (int)wide, (int)tall, channels);
        Array.Fill(grid.Pixels, Background);
        if (channels == 4)
        {
            // The background is opaque, whatever its gray.
            FillAlpha(grid.Pixels);
        }

        for (int image = 0; image < count; image++)
        {
            int top = Padding + (image / columns * (Padding + (height * Scale)));
            int left = Padding + (image % columns * (Padding + (width * Scale)));
            Draw(images.Slice(image * height * width * channels, height * width * channels), width, grid, top, left, low, high);
        }

        return grid;
    }

    /// <summary>The pixels of so many images beside each other, padding included.</summary>
    private Int128 Extent(int images, int pixels) => Padding + (images * (Padding + ((Int128)pixels * Scale)));

    private static void FillAlpha(Span<byte> pixels)
    {
        for (int i = 3; i < pixels.Length; i += 4)
        {
            pixels[i] = 255;
        }
    }

    private void Draw(ReadOnlySpan<float> image, int width, PixelBlock grid, int top, int left, float low, float high)
    {
        int rowBytes = width * grid.Channels;
        for (int y = 0; y * rowBytes < image.Length; y++)
        {
            int at = (((top + (y * Scale)) * grid.Width) + left) * grid.Channels;
            Span<byte> first = grid.Pixels.AsSpan(at, rowBytes * Scale);
            for (int x = 0; x < width; x++)
            {
                for (int channel = 0; channel < grid.Channels; channel++)
                {
                    byte value = ToByte(image[(y * rowBytes) + (x * grid.Channels) + channel], low, high);
                    for (int i = 0; i < Scale; i++)
                    {
                        first[(((x * Scale) + i) * grid.Channels) + channel] = value;
                    }
                }
            }

            for (int i = 1; i < Scale; i++)
            {
                first.CopyTo(grid.Pixels.AsSpan(at + (i * grid.Width * grid.Channels)));
            }
        }
    }

    // In double: the span of two floats may be more than a float holds.
    private static byte ToByte(float value, float low, float high)
    {
        double share = ((double)value - low) / ((double)high - low);
        return share >= 1 ? (byte)255 : share > 0 ? (byte)Math.Round(share * 255) : (byte)0;
    }

    private static (int Count, int Height, int Width, int Channels) Check(int length, Shape shape)
    {
        bool fits = shape.Rank is 3 or 4 && !shape.IsSymbolic && shape.Count > 0
            && (shape.Rank == 3 || shape[3] is 1 or 3 or 4);
        if (!fits)
        {
            throw new ShapeException(
                $"ImageGrid: expected images of shape [N, H, W] or [N, H, W, C] with 1, 3 or 4 channels and none of them empty, got {shape}.");
        }

        return length == shape.Count
            ? (shape[0], shape[1], shape[2], shape.Rank == 3 ? 1 : shape[3])
            : throw new ShapeException(string.Create(
                CultureInfo.InvariantCulture,
                $"ImageGrid: expected {shape.Count} values for images of shape {shape}, got {length}."));
    }

    private (float Low, float High) Range(ReadOnlySpan<float> images)
    {
        if (Low is { } low && High is { } high)
        {
            return low < high ? (low, high) : throw new ArgumentException(string.Create(
                CultureInfo.InvariantCulture, $"ImageGrid: expected Low below High, got {low} and {high}."));
        }

        (float least, float most) = FiniteRange(images);
        (low, high) = (Low ?? least, High ?? most);

        // Without a range, what reaches a High that was asked for is white, anything else black.
        return low < high ? (low, high) : High is null ? (low, float.PositiveInfinity) : (float.BitDecrement(high), high);
    }

    private static (float Least, float Most) FiniteRange(ReadOnlySpan<float> images)
    {
        (float least, float most) = (float.PositiveInfinity, float.NegativeInfinity);
        foreach (float value in images)
        {
            if (float.IsFinite(value))
            {
                (least, most) = (Math.Min(least, value), Math.Max(most, value));
            }
        }

        return least <= most ? (least, most) : (0, 1);
    }

    private static int RequireAtLeast(int least, int value, string name) => value >= least
        ? value
        : throw new ArgumentOutOfRangeException(
            name, string.Create(CultureInfo.InvariantCulture, $"ImageGrid: expected {name} of at least {least}, got {value}."));

    private static float? RequireFinite(float? value, string name) => value is not { } number || float.IsFinite(number)
        ? value
        : throw new ArgumentOutOfRangeException(
            name, string.Create(CultureInfo.InvariantCulture, $"ImageGrid: expected a finite {name}, got {value}."));
}

/// <summary>Pixels of 8 bits a channel, [height, width, channels].</summary>
internal sealed record PixelBlock(byte[] Pixels, int Width, int Height, int Channels);
