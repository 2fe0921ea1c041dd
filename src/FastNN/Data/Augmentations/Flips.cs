namespace FastNN.Data;

/// <summary>Mirrors an image left to right.</summary>
/// <param name="p">The probability; default 0.5.</param>
/// <exception cref="ArgumentOutOfRangeException">It is not in 0..1.</exception>
/// <seealso href="https://docs.pytorch.org/vision/stable/generated/torchvision.transforms.v2.RandomHorizontalFlip.html"/>
public sealed class RandomHorizontalFlip(double p = 0.5) : RandomAugmentation(p)
{
    /// <inheritdoc/>
    protected override void Change(AugmentationImage image)
    {
        Span<float> pixels = image.Pixels;
        int channels = image.Channels, row = image.Width * channels;
        for (int at = 0; at < pixels.Length; at += row)
        {
            // The numbers from right to left, then those of each pixel back into their order.
            Span<float> line = pixels.Slice(at, row);
            line.Reverse();
            for (int x = 0; channels > 1 && x < row; x += channels)
            {
                line.Slice(x, channels).Reverse();
            }
        }
    }
}

/// <summary>Mirrors an image top to bottom.</summary>
/// <param name="p">The probability; default 0.5.</param>
/// <exception cref="ArgumentOutOfRangeException">It is not in 0..1.</exception>
/// <seealso href="https://docs.pytorch.org/vision/stable/generated/torchvision.transforms.v2.RandomVerticalFlip.html"/>
public sealed class RandomVerticalFlip(double p = 0.5) : RandomAugmentation(p)
{
    /// <inheritdoc/>
    protected override void Change(AugmentationImage image)
    {
        int row = image.Width * image.Channels;
        Span<float> pixels = image.Pixels, held = image.Scratch(row);
        for (int top = 0, bottom = image.Height - 1; top < bottom; top++, bottom--)
        {
            Span<float> upper = pixels.Slice(top * row, row), lower = pixels.Slice(bottom * row, row);
            upper.CopyTo(held);
            lower.CopyTo(upper);
            held.CopyTo(lower);
        }
    }
}
