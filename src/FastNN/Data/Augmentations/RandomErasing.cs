namespace FastNN.Data;

/// <summary>
/// Erases a rectangle of an image (Zhong, Zheng, Kang, Li and Yang, "Random erasing data augmentation", 2017). Of ten rectangles
/// drawn, the first that is smaller than the image both ways is erased; where none is, the image stays.
/// </summary>
/// <seealso href="https://docs.pytorch.org/vision/stable/generated/torchvision.transforms.v2.RandomErasing.html"/>
public sealed class RandomErasing : RandomAugmentation
{
    internal const int Attempts = 10;

    private readonly (double Low, double High) _scale = (0.02, 0.33);
    private readonly (double Low, double High) _ratio = (0.3, 3.3);
    private readonly float _value;

    /// <summary>An erasing.</summary>
    /// <param name="p">The probability; default 0.5.</param>
    /// <exception cref="ArgumentOutOfRangeException">It is not in 0..1.</exception>
    public RandomErasing(double p = 0.5)
        : base(p)
    {
    }

    /// <summary>The rectangle's area as a part of the image's; default 0.02 to 0.33.</summary>
    /// <exception cref="ArgumentOutOfRangeException">They are not in order, or not in 0..1.</exception>
    public (double Low, double High) Scale
    {
        get => _scale;
        init => _scale = AugmentationArguments.Range(Name, value, 0, 1, nameof(Scale));
    }

    /// <summary>The rectangle's height over its width, drawn evenly by its logarithm; default 0.3 to 3.3.</summary>
    /// <exception cref="ArgumentOutOfRangeException">They are not positive and in order.</exception>
    public (double Low, double High) Ratio
    {
        get => _ratio;
        init => _ratio = AugmentationArguments.Range(Name, value, double.Epsilon, double.MaxValue, nameof(Ratio));
    }

    /// <summary>What its pixels become; default 0.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is not finite.</exception>
    public float Value
    {
        get => _value;
        init => _value = AugmentationArguments.Finite(Name, value, nameof(Value));
    }

    /// <summary>Whether they become numbers of the standard normal distribution in place of <see cref="Value"/>; default
    /// not.</summary>
    public bool RandomValue { get; init; }

    /// <inheritdoc/>
    protected override void Change(AugmentationImage image)
    {
        AugmentationRandom random = image.Random;
        for (int attempt = 0; attempt < Attempts; attempt++)
        {
            (int height, int width) = RandomResizedCrop.DrawSides(random, image.Height * image.Width, Scale, Ratio);
            if (height < image.Height && width < image.Width)
            {
                Erase(image, random.Below(image.Height - height + 1), random.Below(image.Width - width + 1), height, width);
                return;
            }
        }
    }

    private void Erase(AugmentationImage image, int top, int left, int height, int width)
    {
        int row = image.Width * image.Channels, count = width * image.Channels;
        for (int y = top; y < top + height; y++)
        {
            Span<float> part = image.Pixels.Slice((y * row) + (left * image.Channels), count);
            if (RandomValue)
            {
                image.Random.FillNormal(part);
            }
            else
            {
                part.Fill(Value);
            }
        }
    }
}
