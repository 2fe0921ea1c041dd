namespace FastNN.Data;

/// <summary>What stands around an image that <see cref="RandomCrop"/> pads.</summary>
public enum CropPadding
{
    /// <summary>One value.</summary>
    Constant,

    /// <summary>The pixel at the edge, repeated.</summary>
    Edge,

    /// <summary>The image mirrored at the centers of its outer pixels, which are not repeated.</summary>
    Reflect,

    /// <summary>The image mirrored at its edges; the outer pixels are repeated.</summary>
    Symmetric,
}

/// <summary>Cuts a part of a given size out of an image, at a random place, after padding it.</summary>
/// <seealso href="https://docs.pytorch.org/vision/stable/generated/torchvision.transforms.v2.RandomCrop.html"/>
public sealed class RandomCrop : SizedAugmentation
{
    private const int MostPadding = 1 << 24;

    private readonly int _padding;
    private readonly CropPadding _paddingMode;
    private readonly float _fill;

    /// <summary>A square part.</summary>
    /// <param name="size">Rows and columns of the part.</param>
    /// <exception cref="ArgumentOutOfRangeException">It is not positive.</exception>
    public RandomCrop(int size)
        : base(size)
    {
    }

    /// <summary>A rectangular part.</summary>
    /// <param name="height">Its rows.</param>
    /// <param name="width">Its columns.</param>
    /// <exception cref="ArgumentOutOfRangeException">One is not positive.</exception>
    public RandomCrop(int height, int width)
        : base(height, width)
    {
    }

    /// <summary>Pixels put on each of the four sides before; default 0.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The number is negative, or above 2^24.</exception>
    public int Padding
    {
        get => _padding;
        init => _padding = AugmentationArguments.Within(Name, value, 0, MostPadding, nameof(Padding));
    }

    /// <summary>What these pixels are; default constant.</summary>
    public CropPadding PaddingMode
    {
        get => _paddingMode;
        init => _paddingMode = AugmentationArguments.Defined(Name, value, nameof(PaddingMode));
    }

    /// <summary>Their value where it is constant; default 0.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is not finite.</exception>
    public float Fill
    {
        get => _fill;
        init => _fill = AugmentationArguments.Finite(Name, value, nameof(Fill));
    }

    /// <inheritdoc/>
    protected override Shape ShapeAfter(Shape shape)
    {
        if (shape[0] + (2L * Padding) < Height || shape[1] + (2L * Padding) < Width)
        {
            throw new ShapeException(
                $"{Name}: expected images of at least [{Height}, {Width}] with {Padding} pixels of padding on each side, got {shape}.");
        }

        int most = Math.Min(shape[0], shape[1]) - (PaddingMode == CropPadding.Reflect ? 1 : 0);
        if (Padding > most && (PaddingMode is CropPadding.Reflect or CropPadding.Symmetric))
        {
            throw new ShapeException(
                $"{Name}: expected at most {most} pixels of padding in mode {PaddingMode} for images of shape {shape}, got {Padding}.");
        }

        return base.ShapeAfter(shape);
    }

    /// <inheritdoc/>
    protected override void Augment(AugmentationImage image)
    {
        int top = image.Random.Below(image.Height + (2 * Padding) - Height + 1) - Padding;
        int left = image.Random.Below(image.Width + (2 * Padding) - Width + 1) - Padding;
        (int height, int width, int channels) = (image.Height, image.Width, image.Channels);
        Span<float> to = image.Replace(Height, Width, out ReadOnlySpan<float> from);

        // Columns from first to last of the part lie in the image and are copied at once.
        int first = Math.Clamp(-left, 0, Width), last = Math.Clamp(width - left, first, Width);
        for (int y = 0; y < Height; y++)
        {
            Span<float> row = to.Slice(y * Width * channels, Width * channels);
            int source = Inside(top + y, height);
            if (source < 0)
            {
                row.Fill(Fill);
                continue;
            }

            ReadOnlySpan<float> line = from.Slice(source * width * channels, width * channels);
            if (last > first)
            {
                line.Slice((left + first) * channels, (last - first) * channels).CopyTo(row[(first * channels)..]);
            }

            for (int x = 0; x < first; x++)
            {
                Pad(line, row.Slice(x * channels, channels), Inside(left + x, width));
            }

            for (int x = last; x < Width; x++)
            {
                Pad(line, row.Slice(x * channels, channels), Inside(left + x, width));
            }
        }
    }

    private void Pad(ReadOnlySpan<float> line, Span<float> pixel, int x)
    {
        if (x < 0)
        {
            pixel.Fill(Fill);
        }
        else
        {
            line.Slice(x * pixel.Length, pixel.Length).CopyTo(pixel);
        }
    }

    /// <summary>The index within the image that an index in the padded one stands for, or -1 for the constant.</summary>
    private int Inside(int index, int extent) => (uint)index < (uint)extent
        ? index
        : PaddingMode switch
        {
            CropPadding.Edge => Math.Clamp(index, 0, extent - 1),
            CropPadding.Reflect => index < 0 ? -index : (2 * (extent - 1)) - index,
            CropPadding.Symmetric => index < 0 ? -index - 1 : (2 * extent) - 1 - index,
            _ => -1,
        };
}

/// <summary>Cuts out the middle of an image; one that is too small is refused, not padded as torchvision does.</summary>
/// <seealso href="https://docs.pytorch.org/vision/stable/generated/torchvision.transforms.v2.CenterCrop.html"/>
public sealed class CenterCrop : SizedAugmentation
{
    /// <summary>A square part.</summary>
    /// <param name="size">Rows and columns of the part.</param>
    /// <exception cref="ArgumentOutOfRangeException">It is not positive.</exception>
    public CenterCrop(int size)
        : base(size)
    {
    }

    /// <summary>A rectangular part.</summary>
    /// <param name="height">Its rows.</param>
    /// <param name="width">Its columns.</param>
    /// <exception cref="ArgumentOutOfRangeException">One is not positive.</exception>
    public CenterCrop(int height, int width)
        : base(height, width)
    {
    }

    /// <inheritdoc/>
    protected override Shape ShapeAfter(Shape shape) => shape[0] >= Height && shape[1] >= Width
        ? base.ShapeAfter(shape)
        : throw new ShapeException($"{Name}: expected images of at least [{Height}, {Width}], got {shape}.");

    /// <inheritdoc/>
    protected override void Augment(AugmentationImage image)
    {
        // torchvision rounds half to even here.
        int top = (int)Math.Round((image.Height - Height) / 2.0), left = (int)Math.Round((image.Width - Width) / 2.0);
        int row = image.Width * image.Channels, part = Width * image.Channels, channels = image.Channels;
        Span<float> to = image.Replace(Height, Width, out ReadOnlySpan<float> from);
        for (int y = 0; y < Height; y++)
        {
            from.Slice(((top + y) * row) + (left * channels), part).CopyTo(to[(y * part)..]);
        }
    }
}
