using FastNN.Data;

namespace FastNN.Cli.Recipes;

/// <summary>
/// Moves each image of a batch by up to some pixels, zeros coming in at the border: where in its frame a digit stands means
/// nothing, and a network that saw it in several places reads more of those it never saw. The shift is a function of seed, epoch
/// and example.
/// </summary>
internal sealed class RandomShift(int pixels, float background) : IBatchTransform
{
    private float[] _image = [];

    public void Apply(in TransformContext context)
    {
        (int height, int width, int channels) = (context.ExampleShape[0], context.ExampleShape[1], context.ExampleShape[2]);
        int size = height * width * channels;
        if (_image.Length != size)
        {
            _image = new float[size];
        }

        for (int i = 0; i < context.Examples.Length; i++)
        {
            ulong random = Mix(Mix(context.Seed + (ulong)(context.Epoch - 1)) + (ulong)context.Examples[i]);
            int down = (int)(random % (uint)((2 * pixels) + 1)) - pixels;
            int right = (int)((random >> 32) % (uint)((2 * pixels) + 1)) - pixels;
            Span<float> image = context.Features.Slice(i * size, size);
            image.CopyTo(_image);
            image.Fill(background);
            Move(_image, image, height, width * channels, down, right * channels);
        }
    }

    private static void Move(ReadOnlySpan<float> from, Span<float> to, int height, int row, int down, int right)
    {
        int length = row - Math.Abs(right);
        for (int y = Math.Max(down, 0); y < height + Math.Min(down, 0); y++)
        {
            from.Slice(((y - down) * row) + Math.Max(-right, 0), length).CopyTo(to[((y * row) + Math.Max(right, 0))..]);
        }
    }

    /// <summary>The finalizer of SplitMix64 (Steele, Lea and Flood, 2014).</summary>
    private static ulong Mix(ulong x)
    {
        x += 0x9E3779B97F4A7C15;
        x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9;
        x = (x ^ (x >> 27)) * 0x94D049BB133111EB;
        return x ^ (x >> 31);
    }
}
