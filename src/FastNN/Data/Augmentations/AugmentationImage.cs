namespace FastNN.Data;

/// <summary>
/// The image that an <see cref="Augmentation"/> works on: [height, width, channels] floats, row by row, the channels of a pixel
/// together. There is one for each thread, with its memory, so that nothing is allocated once it has seen the largest image.
/// </summary>
public sealed class AugmentationImage
{
    private float[] _pixels = [];
    private float[] _other = [];
    private float[] _scratch = [];

    internal AugmentationImage()
    {
    }

    /// <summary>Rows.</summary>
    public int Height { get; private set; }

    /// <summary>Columns.</summary>
    public int Width { get; private set; }

    /// <summary>Numbers per pixel.</summary>
    public int Channels { get; private set; }

    /// <summary>The pixels, to be read and changed in place.</summary>
    public Span<float> Pixels => _pixels.AsSpan(0, Height * Width * Channels);

    /// <summary>The random numbers of the augmentation that runs.</summary>
    public AugmentationRandom Random { get; } = new();

    /// <summary>The augmentation entered last, for messages.</summary>
    internal Augmentation? Current { get; set; }

    /// <summary>Puts another image in the place of this one.</summary>
    /// <param name="height">Its rows.</param>
    /// <param name="width">Its columns.</param>
    /// <param name="before">The pixels of this one, to make the new ones of; they hold until the next call.</param>
    /// <returns>The new pixels, uninitialized: each has to be written.</returns>
    /// <exception cref="ArgumentOutOfRangeException">An extent is not positive.</exception>
    public Span<float> Replace(int height, int width, out ReadOnlySpan<float> before) =>
        ReplaceBy(height, width, Channels, out before);

    internal Span<float> ReplaceBy(int height, int width, int channels, out ReadOnlySpan<float> before)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(height);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(width);
        before = Pixels;
        (_pixels, _other) = (_other, _pixels);
        (Height, Width, Channels) = (height, width, channels);
        Grow(ref _pixels, checked(height * width * channels));
        return Pixels;
    }

    /// <summary>Memory for intermediate results, uninitialized; it holds until the next call.</summary>
    /// <param name="count">Floats.</param>
    public Span<float> Scratch(int count)
    {
        Grow(ref _scratch, count);
        return _scratch.AsSpan(0, count);
    }

    internal void Load(ReadOnlySpan<float> pixels, int height, int width, int channels)
    {
        (Height, Width, Channels) = (height, width, channels);
        Grow(ref _pixels, pixels.Length);
        pixels.CopyTo(_pixels);
    }

    private static void Grow(ref float[] memory, int count)
    {
        if (memory.Length < count)
        {
            memory = GC.AllocateUninitializedArray<float>(count);
        }
    }
}
