using System.Globalization;

namespace FastNN.Imaging;

/// <summary>Means and standard deviations of the channels, which numbers from 0 to 1 are normalized with.</summary>
public sealed class ImageNormalization
{
    private readonly float[] _means;
    private readonly float[] _deviations;

    /// <summary>A normalization.</summary>
    /// <param name="means">One for red, green and blue each.</param>
    /// <param name="deviations">Likewise; not 0.</param>
    /// <exception cref="ArgumentException">There are not three of each, or a deviation is 0.</exception>
    public ImageNormalization(ReadOnlySpan<float> means, ReadOnlySpan<float> deviations)
    {
        if (means.Length != RgbImage.Channels || deviations.Length != RgbImage.Channels || deviations.Contains(0))
        {
            throw new ArgumentException(string.Create(CultureInfo.InvariantCulture,
                $"ImageNormalization: expected {RgbImage.Channels} means and {RgbImage.Channels} deviations other than 0, got {means.Length} and {deviations.Length}."));
        }

        (_means, _deviations) = (means.ToArray(), deviations.ToArray());
    }

    /// <summary>Numbers from 0 to 1 as they are.</summary>
    public static ImageNormalization None { get; } = new([0, 0, 0], [1, 1, 1]);

    /// <summary>That of networks trained on ImageNet by torchvision.</summary>
    public static ImageNormalization ImageNet { get; } = new([0.485f, 0.456f, 0.406f], [0.229f, 0.224f, 0.225f]);

    /// <summary>-1 to 1, as networks of TensorFlow's take it.</summary>
    public static ImageNormalization Symmetric { get; } = new([0.5f, 0.5f, 0.5f], [0.5f, 0.5f, 0.5f]);

    /// <summary>The number of each byte, for each channel.</summary>
    internal void Fill(Span<float> table)
    {
        for (int c = 0; c < RgbImage.Channels; c++)
        {
            for (int value = 0; value < 256; value++)
            {
                table[(c * 256) + value] = ((value / 255f) - _means[c]) / _deviations[c];
            }
        }
    }
}
