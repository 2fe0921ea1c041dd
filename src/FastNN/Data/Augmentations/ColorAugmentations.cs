namespace FastNN.Data;

/// <summary>Changes the colors of images of 1 or 3 channels with a probability.</summary>
public abstract class RandomColorAugmentation : RandomAugmentation
{
    private readonly ValueRange _range = ValueRange.Unit;

    private protected RandomColorAugmentation(double p)
        : base(p)
    {
    }

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
    protected sealed override void Change(AugmentationImage image)
    {
        Range.ToUnit(image.Pixels);
        Recolor(image);
        Range.FromUnit(image.Pixels);
    }

    private protected abstract void Recolor(AugmentationImage image);
}

/// <summary>Takes the colors away: all three channels get the gray, 0.2989 red + 0.587 green + 0.114 blue.</summary>
/// <param name="p">The probability; default 0.1.</param>
/// <exception cref="ArgumentOutOfRangeException">It is not in 0..1.</exception>
/// <seealso href="https://docs.pytorch.org/vision/stable/generated/torchvision.transforms.v2.RandomGrayscale.html"/>
public sealed class RandomGrayscale(double p = 0.1) : RandomColorAugmentation(p)
{
    private protected override void Recolor(AugmentationImage image)
    {
        Span<float> pixels = image.Pixels;
        for (int i = 0; image.Channels == 3 && i < pixels.Length; i += 3)
        {
            pixels.Slice(i, 3).Fill(Colors.Gray(pixels[i], pixels[i + 1], pixels[i + 2]));
        }
    }
}

/// <summary>The negative.</summary>
/// <param name="p">The probability; default 0.5.</param>
/// <exception cref="ArgumentOutOfRangeException">It is not in 0..1.</exception>
/// <seealso href="https://docs.pytorch.org/vision/stable/generated/torchvision.transforms.v2.RandomInvert.html"/>
public sealed class RandomInvert(double p = 0.5) : RandomColorAugmentation(p)
{
    private protected override void Recolor(AugmentationImage image) => Colors.Invert(image.Pixels);
}

/// <summary>Leaves so many bits of each value.</summary>
/// <seealso href="https://docs.pytorch.org/vision/stable/generated/torchvision.transforms.v2.RandomPosterize.html"/>
public sealed class RandomPosterize : RandomColorAugmentation
{
    /// <summary>A posterization.</summary>
    /// <param name="bits">Bits that stay, 1 to 8.</param>
    /// <param name="p">The probability; default 0.5.</param>
    /// <exception cref="ArgumentOutOfRangeException">The bits are not in 1..8, or the probability not in 0..1.</exception>
    public RandomPosterize(int bits, double p = 0.5)
        : base(p)
    {
        Bits = AugmentationArguments.Within(Name, bits, 1, 8);
    }

    /// <summary>Bits that stay.</summary>
    public int Bits { get; }

    private protected override void Recolor(AugmentationImage image) => Colors.Posterize(image.Pixels, Bits);
}

/// <summary>The negative of all that is bright.</summary>
/// <seealso href="https://docs.pytorch.org/vision/stable/generated/torchvision.transforms.v2.RandomSolarize.html"/>
public sealed class RandomSolarize : RandomColorAugmentation
{
    /// <summary>A solarization.</summary>
    /// <param name="threshold">The least value that is inverted, as a part of the way from black to white.</param>
    /// <param name="p">The probability; default 0.5.</param>
    /// <exception cref="ArgumentOutOfRangeException">One is not in 0..1.</exception>
    public RandomSolarize(double threshold, double p = 0.5)
        : base(p)
    {
        Threshold = AugmentationArguments.Within(Name, threshold, 0, 1);
    }

    /// <summary>The least value that is inverted, as a part of the way from black to white.</summary>
    public double Threshold { get; }

    private protected override void Recolor(AugmentationImage image) => Colors.Solarize(image.Pixels, (float)Threshold);
}

/// <summary>Stretches each channel from black to white.</summary>
/// <param name="p">The probability; default 0.5.</param>
/// <exception cref="ArgumentOutOfRangeException">It is not in 0..1.</exception>
/// <seealso href="https://docs.pytorch.org/vision/stable/generated/torchvision.transforms.v2.RandomAutocontrast.html"/>
public sealed class RandomAutocontrast(double p = 0.5) : RandomColorAugmentation(p)
{
    private protected override void Recolor(AugmentationImage image) => Colors.AutoContrast(image.Pixels, image.Channels);
}

/// <summary>Makes all of 256 levels as frequent in each channel.</summary>
/// <param name="p">The probability; default 0.5.</param>
/// <exception cref="ArgumentOutOfRangeException">It is not in 0..1.</exception>
/// <seealso href="https://docs.pytorch.org/vision/stable/generated/torchvision.transforms.v2.RandomEqualize.html"/>
public sealed class RandomEqualize(double p = 0.5) : RandomColorAugmentation(p)
{
    private protected override void Recolor(AugmentationImage image) => Colors.Equalize(image.Pixels, image.Channels);
}

/// <summary>Sharpens or blurs.</summary>
/// <seealso href="https://docs.pytorch.org/vision/stable/generated/torchvision.transforms.v2.RandomAdjustSharpness.html"/>
public sealed class RandomAdjustSharpness : RandomColorAugmentation
{
    /// <summary>A change of sharpness.</summary>
    /// <param name="factor">0 blurs, 1 changes nothing, 2 sharpens as much as 0 blurs.</param>
    /// <param name="p">The probability; default 0.5.</param>
    /// <exception cref="ArgumentOutOfRangeException">The factor is negative, or the probability not in 0..1.</exception>
    public RandomAdjustSharpness(double factor, double p = 0.5)
        : base(p)
    {
        Factor = AugmentationArguments.NotNegative(Name, factor);
    }

    /// <summary>0 blurs, 1 changes nothing, 2 sharpens.</summary>
    public double Factor { get; }

    private protected override void Recolor(AugmentationImage image) => Colors.Sharpness(image, (float)Factor);
}

/// <summary>Makes gray images of colored ones, always: 0.2989 red + 0.587 green + 0.114 blue.</summary>
/// <seealso href="https://docs.pytorch.org/vision/stable/generated/torchvision.transforms.v2.Grayscale.html"/>
public sealed class Grayscale : Augmentation
{
    /// <summary>A conversion.</summary>
    /// <param name="channels">Of the gray image: 1, or 3 that are alike; default 1.</param>
    /// <exception cref="ArgumentOutOfRangeException">It is another number.</exception>
    public Grayscale(int channels = 1)
    {
        Channels = AugmentationArguments.OneOrThree(Name, channels);
    }

    /// <summary>Channels of the gray image.</summary>
    public int Channels { get; }

    /// <inheritdoc/>
    protected override Shape ShapeAfter(Shape shape)
    {
        AugmentationArguments.Colored(Name, shape);
        return [shape[0], shape[1], Channels];
    }

    /// <inheritdoc/>
    protected override void Augment(AugmentationImage image)
    {
        int channels = image.Channels;
        Span<float> to = image.ReplaceBy(image.Height, image.Width, Channels, out ReadOnlySpan<float> from);
        for (int i = 0; i < to.Length / Channels; i++)
        {
            int at = i * channels;
            to.Slice(i * Channels, Channels).Fill(
                channels == 1 ? from[at] : Colors.Gray(from[at], from[at + 1], from[at + 2]));
        }
    }
}
