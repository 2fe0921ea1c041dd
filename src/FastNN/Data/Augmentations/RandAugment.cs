namespace FastNN.Data;

/// <summary>
/// Some operations of a table of 14, each drawn evenly, all with one magnitude (Cubuk, Zoph, Shlens and Le, "RandAugment:
/// practical automated data augmentation with a reduced search space", 2019). Table and magnitudes are torchvision's:
/// nothing, shears to 0.3, moves to 150/331 of the size, rotation to 30 degrees, brightness, saturation, contrast and sharpness
/// to 0.9 (all of these in either direction), posterization from 8 to 4 bits, solarization from 1 to 0, autocontrast and
/// equalization. Images have 1 or 3 channels.
/// </summary>
/// <seealso href="https://docs.pytorch.org/vision/stable/generated/torchvision.transforms.v2.RandAugment.html"/>
public sealed class RandAugment : Augmentation
{
    private readonly int _bins = 31;
    private readonly ValueRange _range = ValueRange.Unit;
    private readonly Resampling _resampling;
    private readonly float _fill;

    /// <summary>A policy.</summary>
    /// <param name="operations">Operations one after the other; default 2.</param>
    /// <param name="magnitude">Their strength, from 0 to <see cref="Bins"/> - 1; default 9.</param>
    /// <exception cref="ArgumentOutOfRangeException">A number is negative.</exception>
    public RandAugment(int operations = 2, int magnitude = 9)
    {
        Operations = AugmentationArguments.NotNegative(Name, operations);
        Magnitude = AugmentationArguments.NotNegative(Name, magnitude);
    }

    /// <summary>The operations of torchvision's table, in its order.</summary>
    internal enum Kind
    {
        Identity,
        ShearX,
        ShearY,
        TranslateX,
        TranslateY,
        Rotate,
        Brightness,
        Color,
        Contrast,
        Sharpness,
        Posterize,
        Solarize,
        AutoContrast,
        Equalize,
    }

    /// <summary>Operations one after the other.</summary>
    public int Operations { get; }

    /// <summary>Their strength, from 0 to <see cref="Bins"/> - 1.</summary>
    public int Magnitude { get; }

    /// <summary>How many strengths there are to choose from; default 31.</summary>
    /// <exception cref="ArgumentOutOfRangeException">There are fewer than 2.</exception>
    public int Bins
    {
        get => _bins;
        init => _bins = AugmentationArguments.Within(Name, value, 2, int.MaxValue, nameof(Bins));
    }

    /// <summary>How moved pixels are made; default nearest.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is not one of the enumeration's.</exception>
    public Resampling Resampling
    {
        get => _resampling;
        init => _resampling = AugmentationArguments.Defined(Name, value, nameof(Resampling));
    }

    /// <summary>What comes in from outside; default 0.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is not finite.</exception>
    public float Fill
    {
        get => _fill;
        init => _fill = AugmentationArguments.Finite(Name, value, nameof(Fill));
    }

    /// <summary>Black and white; default 0 and 1.</summary>
    /// <exception cref="ArgumentOutOfRangeException">White is not above black.</exception>
    public ValueRange Range
    {
        get => _range;
        init => _range = AugmentationArguments.Values(Name, value);
    }

    /// <inheritdoc/>
    protected override Shape ShapeAfter(Shape shape)
    {
        // Not in the constructor, which does not know the bins yet.
        AugmentationArguments.Within(Name, Magnitude, 0, Bins - 1, nameof(Magnitude));
        return AugmentationArguments.Colored(Name, shape);
    }

    /// <inheritdoc/>
    protected override void Augment(AugmentationImage image)
    {
        for (int i = 0; i < Operations; i++)
        {
            var kind = (Kind)image.Random.Below((int)Kind.Equalize + 1);
            double strength = Strength(kind, image.Height, image.Width);
            bool signed = kind is >= Kind.ShearX and <= Kind.Sharpness;
            Apply(image, kind, signed && image.Random.Below(2) == 1 ? -strength : strength);
        }
    }

    /// <summary>An operation's magnitude: the <see cref="Magnitude"/>th of <see cref="Bins"/> from its weakest.</summary>
    internal double Strength(Kind kind, int height, int width)
    {
        double part = (double)Magnitude / (Bins - 1);
        return kind switch
        {
            Kind.ShearX or Kind.ShearY => 0.3 * part,
            Kind.TranslateX => 150.0 / 331 * width * part,
            Kind.TranslateY => 150.0 / 331 * height * part,
            Kind.Rotate => 30 * part,
            Kind.Brightness or Kind.Color or Kind.Contrast or Kind.Sharpness => 0.9 * part,
            Kind.Posterize => Math.Round(8 - (4 * part)),
            Kind.Solarize => 1 - part,
            _ => 0,
        };
    }

    internal void Apply(AugmentationImage image, Kind kind, double strength)
    {
        if (kind <= Kind.Rotate)
        {
            Move(image, kind, strength);
            return;
        }

        Range.ToUnit(image.Pixels);
        Recolor(image, kind, strength);
        Range.FromUnit(image.Pixels);
    }

    private static void Recolor(AugmentationImage image, Kind kind, double strength)
    {
        float factor = 1 + (float)strength;
        switch (kind)
        {
            case Kind.Brightness:
                Colors.Brightness(image.Pixels, factor);
                break;
            case Kind.Color:
                Colors.Saturation(image.Pixels, image.Channels, factor);
                break;
            case Kind.Contrast:
                Colors.Contrast(image.Pixels, image.Channels, factor);
                break;
            case Kind.Sharpness:
                Colors.Sharpness(image, factor);
                break;
            case Kind.Posterize:
                Colors.Posterize(image.Pixels, (int)strength);
                break;
            case Kind.Solarize:
                Colors.Solarize(image.Pixels, (float)strength);
                break;
            case Kind.AutoContrast:
                Colors.AutoContrast(image.Pixels, image.Channels);
                break;
            default:
                Colors.Equalize(image.Pixels, image.Channels);
                break;
        }
    }

    private void Move(AugmentationImage image, Kind kind, double strength)
    {
        (int width, int height) = (image.Width, image.Height);
        double lean = Math.Atan(strength) * 180 / Math.PI;
        AffineMap? map = kind switch
        {
            Kind.ShearX => AffineMap.Of(width, height, 0, shearX: lean, aboutCorner: true),
            Kind.ShearY => AffineMap.Of(width, height, 0, shearY: lean, aboutCorner: true),
            Kind.TranslateX => AffineMap.Of(width, height, 0, translateX: (int)strength),
            Kind.TranslateY => AffineMap.Of(width, height, 0, translateY: (int)strength),
            Kind.Rotate => AffineMap.Of(width, height, -strength),
            _ => null,
        };
        if (map is { } moved)
        {
            Warp.Apply(image, moved, Resampling, Fill);
        }
    }
}
