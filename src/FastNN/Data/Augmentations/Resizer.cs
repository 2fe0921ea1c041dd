using System.Numerics.Tensors;

namespace FastNN.Data;

/// <summary>
/// Takes a part of an image to another size: half-pixel centers, and a triangle filter that widens with the step where the image
/// shrinks, which is torch.nn.functional.interpolate with mode="bilinear", align_corners=False, antialias=True; it is plain
/// bilinear interpolation where the image grows. Columns first, then rows.
/// </summary>
internal static class Resizer
{
    /// <summary>Replaces an image by a part of it, of another size.</summary>
    /// <param name="image">The image.</param>
    /// <param name="part">Which part.</param>
    /// <param name="height">The rows to make of it.</param>
    /// <param name="width">The columns to make of it.</param>
    /// <param name="resampling">How.</param>
    public static void Apply(AugmentationImage image, Box part, int height, int width, Resampling resampling)
    {
        int channels = image.Channels, stride = image.Width * channels;
        var columns = new Axis(part.Left, part.Width, width);
        var rows = new Axis(part.Top, part.Height, height);
        Span<float> to = image.Replace(height, width, out ReadOnlySpan<float> from);
        if (resampling == Resampling.Nearest)
        {
            for (int y = 0; y < height; y++)
            {
                ReadOnlySpan<float> line = from.Slice(rows.Nearest(y) * stride, stride);
                for (int x = 0; x < width; x++)
                {
                    line.Slice(columns.Nearest(x) * channels, channels).CopyTo(to[(((y * width) + x) * channels)..]);
                }
            }

            return;
        }

        int row = width * channels;
        Span<float> scratch = image.Scratch((part.Height * row) + Math.Max(columns.MostTaps, rows.MostTaps));
        Span<float> narrowed = scratch[..(part.Height * row)], weights = scratch[(part.Height * row)..];
        for (int x = 0; x < width; x++)
        {
            (int first, int taps) = columns.Weigh(x, weights);
            for (int y = 0; y < part.Height; y++)
            {
                Column(
                    from[(((part.Top + y) * stride) + (first * channels))..], weights[..taps],
                    narrowed.Slice((y * row) + (x * channels), channels));
            }
        }

        for (int y = 0; y < height; y++)
        {
            (int first, int taps) = rows.Weigh(y, weights);
            Span<float> line = to.Slice(y * row, row);
            for (int tap = 0; tap < taps; tap++)
            {
                ReadOnlySpan<float> source = narrowed.Slice((first - part.Top + tap) * row, row);
                if (tap == 0)
                {
                    TensorPrimitives.Multiply(source, weights[0], line);
                }
                else
                {
                    TensorPrimitives.MultiplyAdd(source, weights[tap], line, line);
                }
            }
        }
    }

    private static void Column(ReadOnlySpan<float> from, ReadOnlySpan<float> weights, Span<float> pixel)
    {
        for (int c = 0; c < pixel.Length; c++)
        {
            float sum = from[c] * weights[0];
            for (int tap = 1; tap < weights.Length; tap++)
            {
                sum += from[(tap * pixel.Length) + c] * weights[tap];
            }

            pixel[c] = sum;
        }
    }

    /// <summary>A rectangle of an image.</summary>
    internal readonly record struct Box(int Top, int Left, int Height, int Width);

    /// <summary>One axis: from so many pixels, of which the first has a number, to so many.</summary>
    private readonly record struct Axis(int Begin, int Source, int Target)
    {
        private double Step => (double)Source / Target;

        private double Support => Math.Max(Step, 1);

        public int MostTaps => Math.Min((2 * (int)Math.Ceiling(Support)) + 1, Source);

        public int Nearest(int index) => Begin + Math.Min((int)(index * Step), Source - 1);

        /// <summary>The source's pixels that a target's is made of, and how much of each; together 1.</summary>
        public (int First, int Taps) Weigh(int index, Span<float> weights)
        {
            double center = (index + 0.5) * Step;
            int first = Math.Max((int)(center - Support + 0.5), 0), end = Math.Min((int)(center + Support + 0.5), Source);
            double total = 0;
            for (int i = first; i < end; i++)
            {
                total += Weight(i, center);
            }

            for (int i = first; i < end; i++)
            {
                weights[i - first] = (float)(Weight(i, center) / total);
            }

            return (Begin + first, end - first);
        }

        private double Weight(int i, double center) => Math.Max(1 - Math.Abs((i + 0.5 - center) / Support), 0);
    }
}
