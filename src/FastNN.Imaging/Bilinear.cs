namespace FastNN.Imaging;

/// <summary>
/// Bilinear interpolation of bytes in fixed point, first along rows and then along columns, rounded to bytes between: the order
/// and the precision of Pillow, so that networks see the pixels that they were trained on.
/// </summary>
internal static class Bilinear
{
    // Products of a byte and a weight must leave two bits for sums.
    private const int Bits = 32 - 8 - 2;

    /// <summary>Rows of another length.</summary>
    public static byte[] Rows(byte[] from, int width, int height, int target)
    {
        Weights weights = Weights.Of(width, target);
        var to = new byte[target * height * RgbImage.Channels];
        for (int row = 0; row < height; row++)
        {
            ReadOnlySpan<byte> source = from.AsSpan(row * width * RgbImage.Channels, width * RgbImage.Channels);
            for (int x = 0; x < target; x++)
            {
                Blend(source, weights.Starts[x] * RgbImage.Channels, RgbImage.Channels, weights.Row(x),
                    to.AsSpan(((row * target) + x) * RgbImage.Channels, RgbImage.Channels));
            }
        }

        return to;
    }

    /// <summary>Another number of rows.</summary>
    public static byte[] Columns(byte[] from, int width, int height, int target)
    {
        Weights weights = Weights.Of(height, target);
        int row = width * RgbImage.Channels;
        var to = new byte[target * row];
        for (int y = 0; y < target; y++)
        {
            Blend(from, weights.Starts[y] * row, row, weights.Row(y), to.AsSpan(y * row, row));
        }

        return to;
    }

    /// <summary>Weighted sums of pieces that lie a stride apart.</summary>
    private static void Blend(ReadOnlySpan<byte> from, int start, int stride, ReadOnlySpan<int> weights, Span<byte> to)
    {
        for (int i = 0; i < to.Length; i++)
        {
            int sum = 1 << (Bits - 1);
            for (int k = 0; k < weights.Length; k++)
            {
                sum += from[start + (k * stride) + i] * weights[k];
            }

            to[i] = (byte)Math.Clamp(sum >> Bits, 0, 255);
        }
    }

    /// <summary>Which places a target is a mean of, and their weights.</summary>
    private sealed record Weights(int[] Starts, int[] Counts, int[] Values, int Most)
    {
        public ReadOnlySpan<int> Row(int target) => Values.AsSpan(target * Most, Counts[target]);

        public static Weights Of(int size, int target)
        {
            // A triangle over two places, wider where several places make one.
            double scale = (double)size / target, reach = Math.Max(scale, 1);
            int most = (2 * (int)Math.Ceiling(reach)) + 1;
            int[] starts = new int[target], counts = new int[target], values = new int[target * most];
            var exact = new double[most];
            for (int i = 0; i < target; i++)
            {
                double center = (i + 0.5) * scale;
                int from = Math.Max(0, (int)(center - reach + 0.5)), to = Math.Min(size, (int)(center + reach + 0.5));
                double sum = 0;
                for (int k = 0; k < to - from; k++)
                {
                    exact[k] = Math.Max(0, 1 - Math.Abs((k + from - center + 0.5) / reach));
                    sum += exact[k];
                }

                (starts[i], counts[i]) = (from, to - from);
                for (int k = 0; k < to - from; k++)
                {
                    values[(i * most) + k] = (int)(0.5 + (exact[k] / sum * (1 << Bits)));
                }
            }

            return new Weights(starts, counts, values, most);
        }
    }
}
