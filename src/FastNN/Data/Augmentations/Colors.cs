using System.Numerics.Tensors;

namespace FastNN.Data;

/// <summary>
/// Changes of color in place, on values from 0 to 1 of 1 or 3 channels, as torchvision.transforms.v2.functional does for floats.
/// </summary>
internal static class Colors
{
    private const int Levels = 256;

    public static float Gray(float red, float green, float blue) => (0.2989f * red) + (0.587f * green) + (0.114f * blue);

    public static void Brightness(Span<float> pixels, float factor)
    {
        TensorPrimitives.Multiply(pixels, factor, pixels);
        Clamp(pixels);
    }

    /// <summary>Away from or towards the mean gray, which is summed in double and in order.</summary>
    public static void Contrast(Span<float> pixels, int channels, float factor)
    {
        double sum = 0;
        for (int i = 0; i < pixels.Length; i += channels)
        {
            sum += channels == 1 ? pixels[i] : Gray(pixels[i], pixels[i + 1], pixels[i + 2]);
        }

        float mean = (float)(sum / (pixels.Length / channels));
        TensorPrimitives.Multiply(pixels, factor, pixels);
        TensorPrimitives.Add(pixels, mean * (1 - factor), pixels);
        Clamp(pixels);
    }

    public static void Saturation(Span<float> pixels, int channels, float factor)
    {
        for (int i = 0; channels == 3 && i < pixels.Length; i += channels)
        {
            float gray = Gray(pixels[i], pixels[i + 1], pixels[i + 2]) * (1 - factor);
            for (int c = i; c < i + channels; c++)
            {
                pixels[c] = Math.Clamp((pixels[c] * factor) + gray, 0, 1);
            }
        }
    }

    /// <param name="pixels">The image.</param>
    /// <param name="channels">1, which has no hue, or 3.</param>
    /// <param name="shift">A part of the whole circle of hues, from -0.5 to 0.5.</param>
    public static void Hue(Span<float> pixels, int channels, float shift)
    {
        for (int i = 0; channels == 3 && i < pixels.Length; i += channels)
        {
            (float red, float green, float blue) = (pixels[i], pixels[i + 1], pixels[i + 2]);
            float most = Math.Max(red, Math.Max(green, blue)), span = most - Math.Min(red, Math.Min(green, blue));
            if (span == 0)
            {
                continue;
            }

            // Sixths of the circle, from red over green and blue.
            float sixths = most == red ? (green - blue) / span
                : most == green ? 2 + ((blue - red) / span)
                : 4 + ((red - green) / span);
            sixths += 6 * shift;
            sixths -= 6 * MathF.Floor(sixths / 6);
            pixels[i] = Channel(5, sixths, most, span);
            pixels[i + 1] = Channel(3, sixths, most, span);
            pixels[i + 2] = Channel(1, sixths, most, span);
        }
    }

    public static void Invert(Span<float> pixels) => TensorPrimitives.Subtract(1, pixels, pixels);

    public static void Posterize(Span<float> pixels, int bits)
    {
        float levels = 1 << bits;
        foreach (ref float value in pixels)
        {
            value = Math.Clamp(MathF.Floor(value * levels), 0, levels - 1) * (1 / levels);
        }
    }

    public static void Solarize(Span<float> pixels, float threshold)
    {
        foreach (ref float value in pixels)
        {
            value = value >= threshold ? 1 - value : value;
        }
    }

    /// <summary>Stretches each channel to 0..1; one that is constant stays.</summary>
    public static void AutoContrast(Span<float> pixels, int channels)
    {
        for (int c = 0; c < channels; c++)
        {
            (float least, float most) = (pixels[c], pixels[c]);
            for (int i = c; i < pixels.Length; i += channels)
            {
                (least, most) = (Math.Min(least, pixels[i]), Math.Max(most, pixels[i]));
            }

            (float from, float span) = most > least ? (least, most - least) : (0, 1);
            for (int i = c; i < pixels.Length; i += channels)
            {
                pixels[i] = Math.Clamp((pixels[i] - from) / span, 0, 1);
            }
        }
    }

    /// <summary>
    /// Spreads the 256 levels of each channel such that each is as frequent as the others; as torchvision, the image is rounded
    /// to these levels even where there is nothing to spread.
    /// </summary>
    public static void Equalize(Span<float> pixels, int channels)
    {
        Span<int> counts = stackalloc int[Levels];
        Span<float> levels = stackalloc float[Levels];
        for (int c = 0; c < channels; c++)
        {
            counts.Clear();
            int last = 0;
            for (int i = c; i < pixels.Length; i += channels)
            {
                int level = Level(pixels[i]);
                counts[level]++;
                last = Math.Max(last, level);
            }

            int step = ((pixels.Length / channels) - counts[last]) / (Levels - 1), below = 0;
            for (int level = 0; level < Levels; level++)
            {
                levels[level] = (step == 0 ? level : Math.Min((below + (step / 2)) / step, Levels - 1)) / (Levels - 1f);
                below += counts[level];
            }

            for (int i = c; i < pixels.Length; i += channels)
            {
                pixels[i] = levels[Level(pixels[i])];
            }
        }
    }

    /// <summary>Away from or towards a blurred image: 3x3 with 5 in the middle and 1 around, over 13; the border stays.</summary>
    public static void Sharpness(AugmentationImage image, float factor)
    {
        (int height, int width, int channels) = (image.Height, image.Width, image.Channels);
        if (height <= 2 || width <= 2)
        {
            return;
        }

        int row = width * channels;
        Span<float> to = image.Replace(height, width, out ReadOnlySpan<float> from);
        from.CopyTo(to);
        for (int y = 1; y < height - 1; y++)
        {
            for (int i = (y * row) + channels; i < ((y + 1) * row) - channels; i++)
            {
                float around = Three(from, i - row, channels) + Three(from, i, channels) + Three(from, i + row, channels);
                float blurred = (around + (4 * from[i])) * (1f / 13);
                to[i] = from[i] + ((blurred - from[i]) * (1 - factor));
            }
        }

        Clamp(to);
    }

    private static float Three(ReadOnlySpan<float> from, int at, int channels) =>
        from[at - channels] + from[at] + from[at + channels];

    // As torchvision converts to bytes; what lies outside of 0..1 is taken for black or white.
    private static int Level(float value) => Math.Clamp((int)(value * (Levels - 0.001f)), 0, Levels - 1);

    /// <summary>HSV to RGB without branches (Wikipedia, "HSL and HSV"): value - span * max(0, min(k, 4 - k, 1)).</summary>
    private static float Channel(int n, float sixths, float most, float span)
    {
        float k = n + sixths;
        k = k >= 6 ? k - 6 : k;
        return Math.Clamp(most - (span * Math.Clamp(Math.Min(k, 4 - k), 0, 1)), 0, 1);
    }

    private static void Clamp(Span<float> pixels) => TensorPrimitives.Clamp(pixels, 0f, 1f, pixels);
}
