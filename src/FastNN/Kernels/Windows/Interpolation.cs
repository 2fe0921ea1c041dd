namespace FastNN.Kernels;

/// <summary>
/// Where interpolation reads along one axis, as PyTorch's interpolate computes it, in floats like there: output o lies at
/// (o + 0.5) ratio - 0.5 of the input, or at o ratio where corners are aligned.
/// </summary>
internal static class Interpolation
{
    /// <summary>The cubic convolution's parameter (Keys, 1981), as OpenCV and PyTorch choose it.</summary>
    private const float A = -0.75f;

    /// <param name="mode">The rule.</param>
    /// <param name="input">Positions of the input.</param>
    /// <param name="output">Positions of the output.</param>
    /// <param name="alignCorners">The first and last positions of both coincide.</param>
    /// <param name="scale">The factor that maps positions; null: output / input.</param>
    public static Bands Along(InterpolationMode mode, int input, int output, bool alignCorners, double? scale)
    {
        float ratio = alignCorners ? (output > 1 ? (input - 1f) / (output - 1) : 0)
            : scale is { } given ? (float)(1 / given)
            : (float)input / output;
        return mode switch
        {
            InterpolationMode.Area => Bands.Bins(input, output, mean: true),
            InterpolationMode.Nearest => Nearest(input, output, ratio, 0),
            InterpolationMode.NearestExact => Nearest(input, output, ratio, 0.5f),
            InterpolationMode.Linear when input == output => Bands.Identity(input),
            InterpolationMode.Linear => Bands.Of(input, output, o => Linear(input, Position(o, ratio, alignCorners))),
            _ => Bands.Of(input, output, o => Cubic(input, Position(o, ratio, alignCorners))),
        };
    }

    private static Bands Nearest(int input, int output, float ratio, float shift) =>
        Bands.Of(input, output, o => ((int)Math.Min(MathF.Floor((o + shift) * ratio), input - 1), [1]));

    private static float Position(int output, float ratio, bool alignCorners) =>
        alignCorners ? ratio * output : (ratio * (output + 0.5f)) - 0.5f;

    private static (int, float[]) Linear(int input, float position)
    {
        position = Math.Max(position, 0);
        int first = (int)Math.Min(position, input - 1);
        float rest = Math.Clamp(position - first, 0, 1);
        return first == input - 1 ? (first, [1]) : (first, [1 - rest, rest]);
    }

    /// <summary>Taps beyond the border read the border, so their weights are added to its.</summary>
    private static (int, float[]) Cubic(int input, float position)
    {
        int second = (int)Math.Min(MathF.Floor(position), input - 1);
        float rest = Math.Clamp(position - second, 0, 1);
        int first = Math.Clamp(second - 1, 0, input - 1), last = Math.Clamp(second + 2, 0, input - 1);
        var weights = new float[last - first + 1];
        for (int tap = -1; tap <= 2; tap++)
        {
            weights[Math.Clamp(second + tap, 0, input - 1) - first] += Kernel(Math.Abs(rest - tap));
        }

        return (first, weights);
    }

    private static float Kernel(float distance) => distance <= 1
        ? (((((A + 2) * distance) - (A + 3)) * distance) * distance) + 1
        : (((((A * distance) - (5 * A)) * distance) + (8 * A)) * distance) - (4 * A);
}
