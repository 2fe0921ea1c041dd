namespace FastNN.Explain;

/// <summary>What attributions of images are turned into, to be looked at.</summary>
public static class Attributions
{
    /// <summary>The largest magnitude among the channels of each pixel.</summary>
    /// <param name="attributions">Attributions whose last axis holds channels.</param>
    /// <param name="channels">How many channels there are.</param>
    /// <returns>A number for each pixel.</returns>
    /// <exception cref="ShapeException">The length is not a multiple of the channels.</exception>
    public static float[] MaxOverChannels(ReadOnlySpan<float> attributions, int channels)
    {
        Require(attributions.Length, channels);
        var pixels = new float[attributions.Length / channels];
        for (int i = 0; i < attributions.Length; i++)
        {
            pixels[i / channels] = Math.Max(pixels[i / channels], Math.Abs(attributions[i]));
        }

        return pixels;
    }

    /// <summary>The sum over the channels of each pixel, which keeps the sum of all.</summary>
    /// <param name="attributions">Attributions whose last axis holds channels.</param>
    /// <param name="channels">How many channels there are.</param>
    /// <returns>A number for each pixel.</returns>
    /// <exception cref="ShapeException">The length is not a multiple of the channels.</exception>
    public static float[] SumOverChannels(ReadOnlySpan<float> attributions, int channels)
    {
        Require(attributions.Length, channels);
        var pixels = new float[attributions.Length / channels];
        for (int i = 0; i < pixels.Length; i++)
        {
            double sum = 0;
            foreach (float attribution in attributions.Slice(i * channels, channels))
            {
                sum += attribution;
            }

            pixels[i] = (float)sum;
        }

        return pixels;
    }

    private static void Require(int length, int channels)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(channels);
        if (length % channels != 0)
        {
            throw new ShapeException($"Attributions: expected a multiple of {channels} values, one per channel, got {length}.");
        }
    }
}
