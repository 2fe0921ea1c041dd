namespace FastNN.Data;

/// <summary>
/// (x - mean) / deviation for each channel: after the augmentations that expect values in a range. Examples to validate and
/// test on need the same, by <see cref="Augmentation.Apply(Dataset, ulong)"/>.
/// </summary>
/// <seealso href="https://docs.pytorch.org/vision/stable/generated/torchvision.transforms.v2.Normalize.html"/>
public sealed class Normalize : Augmentation
{
    private readonly float[] _mean;
    private readonly float[] _deviation;

    /// <summary>A normalization.</summary>
    /// <param name="mean">The mean of each channel.</param>
    /// <param name="standardDeviation">The deviation of each channel.</param>
    /// <exception cref="ArgumentException">There are none, or not as many of one as of the other.</exception>
    /// <exception cref="ArgumentOutOfRangeException">A mean is not finite, or a deviation not positive.</exception>
    public Normalize(ReadOnlySpan<float> mean, ReadOnlySpan<float> standardDeviation)
    {
        if (mean.IsEmpty || mean.Length != standardDeviation.Length)
        {
            throw new ArgumentException(
                $"{Name}: expected a mean and a deviation for each channel, got {mean.Length} and {standardDeviation.Length}.",
                nameof(standardDeviation));
        }

        for (int i = 0; i < mean.Length; i++)
        {
            AugmentationArguments.Finite(Name, mean[i], nameof(mean));
            AugmentationArguments.Positive(Name, standardDeviation[i], nameof(standardDeviation));
        }

        (_mean, _deviation) = (mean.ToArray(), standardDeviation.ToArray());
    }

    /// <inheritdoc/>
    protected override Shape ShapeAfter(Shape shape) => shape[2] == _mean.Length
        ? shape
        : throw new ShapeException($"{Name}: expected images of {_mean.Length} channels, got {shape}.");

    /// <inheritdoc/>
    protected override void Augment(AugmentationImage image)
    {
        Span<float> pixels = image.Pixels;
        for (int at = 0; at < pixels.Length; at += _mean.Length)
        {
            for (int c = 0; c < _mean.Length; c++)
            {
                pixels[at + c] = (pixels[at + c] - _mean[c]) / _deviation[c];
            }
        }
    }
}
