namespace FastNN.Data;

/// <summary>Takes an image to another size.</summary>
/// <seealso href="https://docs.pytorch.org/vision/stable/generated/torchvision.transforms.v2.Resize.html"/>
public sealed class Resize : SizedAugmentation
{
    private readonly Resampling _resampling = Resampling.Bilinear;

    /// <summary>To a square, whatever the shape was.</summary>
    /// <param name="size">Rows and columns.</param>
    /// <exception cref="ArgumentOutOfRangeException">It is not positive.</exception>
    public Resize(int size)
        : base(size)
    {
    }

    /// <summary>To a rectangle.</summary>
    /// <param name="height">Rows.</param>
    /// <param name="width">Columns.</param>
    /// <exception cref="ArgumentOutOfRangeException">One is not positive.</exception>
    public Resize(int height, int width)
        : base(height, width)
    {
    }

    /// <summary>How pixels are made; default bilinear, with antialiasing where the image shrinks.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is not one of the enumeration's.</exception>
    public Resampling Resampling
    {
        get => _resampling;
        init => _resampling = AugmentationArguments.Defined(Name, value, nameof(Resampling));
    }

    /// <inheritdoc/>
    protected override void Augment(AugmentationImage image)
    {
        if (image.Height != Height || image.Width != Width)
        {
            Resizer.Apply(image, new Resizer.Box(0, 0, image.Height, image.Width), Height, Width, Resampling);
        }
    }
}

/// <summary>
/// Takes a random part of an image to a given size (Szegedy and others, "Going deeper with convolutions", 2014). Of ten parts
/// drawn, the first that fits is taken; where none does, the middle, as much of it as the ratios allow.
/// </summary>
/// <seealso href="https://docs.pytorch.org/vision/stable/generated/torchvision.transforms.v2.RandomResizedCrop.html"/>
public sealed class RandomResizedCrop : SizedAugmentation
{
    private const int Attempts = 10;

    private readonly (double Low, double High) _scale = (0.08, 1);
    private readonly (double Low, double High) _ratio = (3.0 / 4, 4.0 / 3);
    private readonly Resampling _resampling = Resampling.Bilinear;

    /// <summary>To a square.</summary>
    /// <param name="size">Rows and columns afterwards.</param>
    /// <exception cref="ArgumentOutOfRangeException">It is not positive.</exception>
    public RandomResizedCrop(int size)
        : base(size)
    {
    }

    /// <summary>To a rectangle.</summary>
    /// <param name="height">Rows afterwards.</param>
    /// <param name="width">Columns afterwards.</param>
    /// <exception cref="ArgumentOutOfRangeException">One is not positive.</exception>
    public RandomResizedCrop(int height, int width)
        : base(height, width)
    {
    }

    /// <summary>The part's area as a part of the image's; default 0.08 to 1.</summary>
    /// <exception cref="ArgumentOutOfRangeException">They are not in order, or not above 0 and at most 1.</exception>
    public (double Low, double High) Scale
    {
        get => _scale;
        init => _scale = AugmentationArguments.Range(Name, value, double.Epsilon, 1, nameof(Scale));
    }

    /// <summary>The part's width over its height, drawn evenly by its logarithm; default 3/4 to 4/3.</summary>
    /// <exception cref="ArgumentOutOfRangeException">They are not positive and in order.</exception>
    public (double Low, double High) Ratio
    {
        get => _ratio;
        init => _ratio = AugmentationArguments.Range(Name, value, double.Epsilon, double.MaxValue, nameof(Ratio));
    }

    /// <summary>How pixels are made; default bilinear, with antialiasing where the part shrinks.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is not one of the enumeration's.</exception>
    public Resampling Resampling
    {
        get => _resampling;
        init => _resampling = AugmentationArguments.Defined(Name, value, nameof(Resampling));
    }

    /// <inheritdoc/>
    protected override void Augment(AugmentationImage image) =>
        Resizer.Apply(image, Choose(image), Height, Width, Resampling);

    /// <summary>
    /// Draws the longer and the shorter way of a rectangle: sqrt(area * ratio) and sqrt(area / ratio), rounded.
    /// </summary>
    internal static (int Times, int Over) DrawSides(
        AugmentationRandom random, int area, (double Low, double High) scale, (double Low, double High) ratio)
    {
        double part = area * random.Uniform(scale.Low, scale.High);
        double aspect = Math.Exp(random.Uniform(Math.Log(ratio.Low), Math.Log(ratio.High)));
        return ((int)Math.Round(Math.Sqrt(part * aspect)), (int)Math.Round(Math.Sqrt(part / aspect)));
    }

    private Resizer.Box Choose(AugmentationImage image)
    {
        AugmentationRandom random = image.Random;
        for (int attempt = 0; attempt < Attempts; attempt++)
        {
            (int width, int height) = DrawSides(random, image.Height * image.Width, Scale, Ratio);
            if (width > 0 && width <= image.Width && height > 0 && height <= image.Height)
            {
                return new Resizer.Box(
                    random.Below(image.Height - height + 1), random.Below(image.Width - width + 1), height, width);
            }
        }

        double whole = (double)image.Width / image.Height;
        int fallbackHeight = whole < Ratio.Low ? (int)Math.Round(image.Width / Ratio.Low) : image.Height;
        int fallbackWidth = whole > Ratio.High ? (int)Math.Round(image.Height * Ratio.High) : image.Width;
        (fallbackHeight, fallbackWidth) = (Math.Max(fallbackHeight, 1), Math.Max(fallbackWidth, 1));
        return new Resizer.Box(
            (image.Height - fallbackHeight) / 2, (image.Width - fallbackWidth) / 2, fallbackHeight, fallbackWidth);
    }
}
