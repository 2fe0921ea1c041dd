using System.Globalization;
using FastNN.Formats;
using StbImageSharp;

namespace FastNN.Imaging;

/// <summary>How the numbers of an image lie in a tensor.</summary>
public enum ImageLayout
{
    /// <summary>[3, H, W], as PyTorch and most ONNX files have it.</summary>
    ChannelsFirst,

    /// <summary>[H, W, 3], as TensorFlow and FastNN's own layers have it.</summary>
    ChannelsLast,
}

/// <summary>An image of red, green and blue bytes, row by row. Immutable; every operation makes another.</summary>
public sealed class RgbImage
{
    /// <summary>Channels of a pixel.</summary>
    public const int Channels = 3;

    // 2^27 pixels are 400 MB; photographs have a tenth of it.
    private const long MostPixels = 1 << 27;

    private readonly byte[] _pixels;

    private RgbImage(int width, int height, byte[] pixels) => (Width, Height, _pixels) = (width, height, pixels);

    /// <summary>Pixels in a row.</summary>
    public int Width { get; }

    /// <summary>Rows.</summary>
    public int Height { get; }

    /// <summary>The bytes, [H, W, 3].</summary>
    public ReadOnlySpan<byte> Pixels => _pixels;

    /// <summary>An image of these bytes, which are copied.</summary>
    /// <param name="width">Pixels in a row.</param>
    /// <param name="height">Rows.</param>
    /// <param name="pixels">[H, W, 3].</param>
    /// <exception cref="ArgumentException">The number of bytes is another.</exception>
    public static RgbImage Create(int width, int height, ReadOnlySpan<byte> pixels)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(width);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(height);
        return pixels.Length == (long)width * height * Channels
            ? new RgbImage(width, height, pixels.ToArray())
            : throw new ArgumentException(string.Create(CultureInfo.InvariantCulture,
                $"RgbImage: expected {(long)width * height * Channels} bytes for {width} x {height} pixels, got {pixels.Length}."));
    }

    /// <summary>Reads a PNG, JPEG, BMP, GIF (its first image), TGA or PSD file. Transparency is left out; gray becomes
    /// color.</summary>
    /// <param name="path">The file.</param>
    /// <exception cref="FileFormatException">The file is none of those, or is damaged, or has more than 2^27 pixels.</exception>
    /// <exception cref="IOException">There is no such file, or it cannot be read.</exception>
    public static RgbImage Load(string path)
    {
        using FileStream file = InputFile.OpenRead(path);
        var bytes = new byte[file.Length <= Array.MaxLength
            ? file.Length
            : throw new FileFormatException(path, 0, $"at most {Array.MaxLength} bytes", $"{file.Length}")];
        file.ReadExactly(bytes);
        return Decode(bytes, path);
    }

    /// <summary>Decodes the bytes of a PNG, JPEG, BMP, GIF (its first image), TGA or PSD file.</summary>
    /// <param name="bytes">The file's bytes.</param>
    /// <param name="name">What messages call it.</param>
    /// <exception cref="FileFormatException">The bytes are none of those, or are damaged, or have more than 2^27
    /// pixels.</exception>
    public static RgbImage Decode(byte[] bytes, string name = "image")
    {
        ArgumentNullException.ThrowIfNull(bytes);
        const string Expected = "a PNG, JPEG, BMP, GIF, TGA or PSD image";
        try
        {
            // The header alone first, before anything of the size that it claims is allocated.
            using var header = new MemoryStream(bytes, writable: false);
            if (ImageInfo.FromStream(header) is not { } info)
            {
                throw new FileFormatException(name, 0, Expected, "something else");
            }

            if (info.Width <= 0 || info.Height <= 0 || (long)info.Width * info.Height > MostPixels)
            {
                throw new FileFormatException(
                    name, 0, $"at most {MostPixels} pixels",
                    string.Create(CultureInfo.InvariantCulture, $"{info.Width} x {info.Height}"));
            }

            ImageResult result = ImageResult.FromMemory(bytes, ColorComponents.RedGreenBlue);
            return new RgbImage(result.Width, result.Height, result.Data);
        }
        catch (Exception e) when (e is not FileFormatException and not OutOfMemoryException)
        {
            // The decoder has no exception of its own, and damaged files bring it to index beyond its tables.
            throw new FileFormatException(name, 0, Expected, $"a damaged one ({e.Message})", e);
        }
    }

    /// <summary>Another size by bilinear interpolation, as Pillow's resize and torchvision's on its images: where an image gets
    /// smaller, each pixel is a mean over what it covers. Every byte is Pillow's.</summary>
    /// <param name="width">Pixels in a row.</param>
    /// <param name="height">Rows.</param>
    public RgbImage Resize(int width, int height)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(width);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(height);
        if ((long)width * height > MostPixels)
        {
            throw new ArgumentOutOfRangeException(nameof(width),
                $"expected at most {MostPixels} pixels, got {width} x {height}.");
        }

        byte[] rows = width == Width ? _pixels : Bilinear.Rows(_pixels, Width, Height, width);
        return new RgbImage(width, height, height == Height ? rows : Bilinear.Columns(rows, width, Height, height));
    }

    /// <summary>The shorter side gets this size and the longer one keeps the proportion, as torchvision's Resize(size).</summary>
    /// <param name="size">Pixels of the shorter side.</param>
    public RgbImage ResizeShorter(int size)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(size);
        return Width <= Height
            ? Resize(size, (int)((long)size * Height / Width))
            : Resize((int)((long)size * Width / Height), size);
    }

    /// <summary>A rectangle of the image.</summary>
    /// <param name="left">Its first column.</param>
    /// <param name="top">Its first row.</param>
    /// <param name="width">Its columns.</param>
    /// <param name="height">Its rows.</param>
    /// <exception cref="ArgumentException">It is not within the image.</exception>
    public RgbImage Crop(int left, int top, int width, int height)
    {
        if (left < 0 || top < 0 || width <= 0 || height <= 0 || left > Width - width || top > Height - height)
        {
            throw new ArgumentException(string.Create(CultureInfo.InvariantCulture,
                $"RgbImage: expected a rectangle within {Width} x {Height} pixels, got {width} x {height} from ({left}, {top})."));
        }

        var pixels = new byte[width * height * Channels];
        for (int row = 0; row < height; row++)
        {
            _pixels.AsSpan((((top + row) * Width) + left) * Channels, width * Channels)
                .CopyTo(pixels.AsSpan(row * width * Channels));
        }

        return new RgbImage(width, height, pixels);
    }

    /// <summary>The middle of the image, as torchvision's CenterCrop; an image that is smaller is refused.</summary>
    /// <param name="width">Pixels in a row.</param>
    /// <param name="height">Rows.</param>
    /// <exception cref="ArgumentException">The image is smaller.</exception>
    public RgbImage CenterCrop(int width, int height) => Crop(
        (int)Math.Round((Width - width) / 2.0, MidpointRounding.ToEven),
        (int)Math.Round((Height - height) / 2.0, MidpointRounding.ToEven), width, height);

    /// <summary>Writes (p / 255 - mean) / deviation of every channel.</summary>
    /// <param name="target">Receives 3 H W numbers.</param>
    /// <param name="normalization">Means and deviations; null for 0 and 1, which gives 0 to 1.</param>
    /// <param name="layout">Default [3, H, W].</param>
    /// <exception cref="ArgumentException">The target's length is another.</exception>
    public void CopyTo(
        Span<float> target, ImageNormalization? normalization = null, ImageLayout layout = ImageLayout.ChannelsFirst)
    {
        if (target.Length != _pixels.Length)
        {
            throw new ArgumentException(string.Create(CultureInfo.InvariantCulture,
                $"RgbImage: expected room for {_pixels.Length} numbers, got {target.Length}."));
        }

        Span<float> table = stackalloc float[Channels * 256];
        (normalization ?? ImageNormalization.None).Fill(table);
        int places = Width * Height;
        bool first = layout == ImageLayout.ChannelsFirst;
        for (int place = 0, i = 0; place < places; place++)
        {
            for (int c = 0; c < Channels; c++, i++)
            {
                target[first ? (c * places) + place : i] = table[(c * 256) + _pixels[i]];
            }
        }
    }
}
