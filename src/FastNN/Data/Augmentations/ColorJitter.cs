namespace FastNN.Data;

/// <summary>
/// Changes brightness, contrast, saturation and hue by random amounts, in a random order. Images have 1 channel, of which
/// saturation and hue change nothing, or 3.
/// </summary>
/// <seealso href="https://docs.pytorch.org/vision/stable/generated/torchvision.transforms.v2.ColorJitter.html"/>
public sealed class ColorJitter : Augmentation
{
    private const int Kinds = 4;

    private readonly ValueRange _range = ValueRange.Unit;

    /// <summary>Factors from max(0, 1 - x) to 1 + x.</summary>
    /// <param name="brightness">x of the brightness; 0, the default, leaves it.</param>
    /// <param name="contrast">x of the contrast; 0, the default, leaves it.</param>
    /// <param name="saturation">x of the saturation; 0, the default, leaves it.</param>
    /// <param name="hue">The hue moves by up to this part of the circle, at most 0.5; 0, the default, leaves it.</param>
    /// <exception cref="ArgumentOutOfRangeException">A number is negative, or the hue above 0.5.</exception>
    public ColorJitter(double brightness = 0, double contrast = 0, double saturation = 0, double hue = 0)
    {
        Brightness = Factors(AugmentationArguments.NotNegative(Name, brightness));
        Contrast = Factors(AugmentationArguments.NotNegative(Name, contrast));
        Saturation = Factors(AugmentationArguments.NotNegative(Name, saturation));
        hue = AugmentationArguments.Within(Name, hue, 0, 0.5);
        Hue = (-hue, hue);
    }

    /// <summary>The factors of the brightness.</summary>
    public (double Low, double High) Brightness { get; }

    /// <summary>The factors of the contrast.</summary>
    public (double Low, double High) Contrast { get; }

    /// <summary>The factors of the saturation.</summary>
    public (double Low, double High) Saturation { get; }

    /// <summary>How far the hue moves, in parts of the circle.</summary>
    public (double Low, double High) Hue { get; }

    /// <summary>Black and white; default 0 and 1.</summary>
    /// <exception cref="ArgumentOutOfRangeException">White is not above black.</exception>
    public ValueRange Range
    {
        get => _range;
        init => _range = AugmentationArguments.Values(Name, value);
    }

    /// <inheritdoc/>
    protected override Shape ShapeAfter(Shape shape) => AugmentationArguments.Colored(Name, shape);

    /// <inheritdoc/>
    protected override void Augment(AugmentationImage image)
    {
        Span<int> order = [0, 1, 2, 3];
        for (int i = Kinds - 1; i > 0; i--)
        {
            int j = image.Random.Below(i + 1);
            (order[i], order[j]) = (order[j], order[i]);
        }

        ReadOnlySpan<(double Low, double High)> ranges = [Brightness, Contrast, Saturation, Hue];
        Span<float> drawn = stackalloc float[Kinds];
        for (int i = 0; i < Kinds; i++)
        {
            drawn[i] = (float)image.Random.Uniform(ranges[i].Low, ranges[i].High);
        }

        Span<float> pixels = image.Pixels;
        Range.ToUnit(pixels);
        foreach (int kind in order)
        {
            // What was not asked for does not even clamp.
            if (ranges[kind].Low < ranges[kind].High)
            {
                Change(pixels, image.Channels, kind, drawn[kind]);
            }
        }

        Range.FromUnit(pixels);
    }

    private static void Change(Span<float> pixels, int channels, int kind, float by)
    {
        switch (kind)
        {
            case 0:
                Colors.Brightness(pixels, by);
                break;
            case 1:
                Colors.Contrast(pixels, channels, by);
                break;
            case 2:
                Colors.Saturation(pixels, channels, by);
                break;
            default:
                Colors.Hue(pixels, channels, by);
                break;
        }
    }

    private static (double Low, double High) Factors(double x) => (Math.Max(0, 1 - x), 1 + x);
}
