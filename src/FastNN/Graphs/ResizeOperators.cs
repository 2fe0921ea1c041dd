using FastNN.Graphs;
using FastNN.Kernels;

namespace FastNN;

/// <summary>Operators that change the size of sequences, images and volumes, as fluent calls on values.</summary>
public static class ResizeOperators
{
    /// <summary>Resizes to a given size, as PyTorch's interpolate with size.</summary>
    /// <param name="x">[N, L, C], [N, H, W, C] or [N, D, H, W, C], of numbers but for N and C.</param>
    /// <param name="size">The extents between batch and channels, one for each axis.</param>
    /// <param name="mode">Default nearest.</param>
    /// <param name="alignCorners">
    /// Linear and cubic: first and last positions of input and output coincide, instead of the edges of their pixels; default
    /// false.
    /// </param>
    /// <returns>x with these extents.</returns>
    /// <exception cref="ShapeException">x has no such axes, sizes are not positive, or the mode has no corners.</exception>
    public static Value Interpolate(
        this Value x, Shape size, InterpolationMode mode = InterpolationMode.Nearest, bool alignCorners = false)
    {
        int[] extents = Extents(x, size.Rank, $"{size}", mode, alignCorners), sizes = size.ToArray();
        return Record(x, extents, sizes, new double?[sizes.Length], mode, alignCorners);
    }

    /// <summary>
    /// Resizes by factors, as PyTorch's interpolate with scale_factor: the output has floor(extent * scale) positions.
    /// </summary>
    /// <param name="x">[N, L, C], [N, H, W, C] or [N, D, H, W, C], of numbers but for N and C.</param>
    /// <param name="scales">One factor for all axes, or one for each.</param>
    /// <param name="mode">Default nearest.</param>
    /// <param name="alignCorners">As in <see cref="Interpolate"/>.</param>
    /// <param name="recomputeScale">
    /// Map positions by the sizes that come out, instead of the given factors, as PyTorch's recompute_scale_factor; default
    /// false.
    /// </param>
    /// <returns>x with other extents between batch and channels.</returns>
    /// <exception cref="ShapeException">x has no such axes, a factor leaves nothing, or the mode has no corners.</exception>
    public static Value InterpolateBy(
        this Value x, ReadOnlySpan<double> scales, InterpolationMode mode = InterpolationMode.Nearest,
        bool alignCorners = false, bool recomputeScale = false)
    {
        ArgumentNullException.ThrowIfNull(x);
        double[] factors = scales.Length == 1 && x.Shape.Rank > 2
            ? [.. Enumerable.Repeat(scales[0], x.Shape.Rank - 2)]
            : scales.ToArray();
        string given = string.Join(" x ", factors);
        int[] extents = Extents(x, factors.Length, given, mode, alignCorners);
        var sizes = new int[extents.Length];
        for (int i = 0; i < sizes.Length; i++)
        {
            double size = Math.Floor(extents[i] * factors[i]);
            sizes[i] = size is >= 1 and <= int.MaxValue
                ? (int)size
                : throw new ShapeException(
                    $"{Name}: expected factors that leave 1 to {int.MaxValue} positions of {x.Shape}, got {given}.");
        }

        return Record(
            x, extents, sizes, Array.ConvertAll(factors, factor => recomputeScale ? (double?)null : factor), mode, alignCorners);
    }

    /// <summary>
    /// Moves channels into the plane, as PyTorch's pixel_shuffle: channel c r^2 + i r + j of a pixel becomes channel c of row i
    /// and column j of the block of r x r pixels in its place.
    /// </summary>
    /// <param name="x">[N, H, W, C r^2], of numbers but for N.</param>
    /// <param name="factor">r, at least 1.</param>
    /// <returns>[N, H r, W r, C].</returns>
    /// <exception cref="ShapeException">x is not a batch of images with a multiple of r^2 channels.</exception>
    public static Value PixelShuffle(this Value x, int factor)
    {
        ArgumentNullException.ThrowIfNull(x);
        Shape shape = x.Shape;
        if (factor < 1 || factor > 46340 || shape.Rank != 4 || HasSymbols(shape) || shape[3] % (factor * factor) != 0
            || Math.Max(shape[1], shape[2]) > int.MaxValue / factor)
        {
            throw new ShapeException(
                $"PixelShuffle: expected an input [N, H, W, C] with a multiple of factor^2 channels, whose H and W stay below 2^31, got {shape} and factor {factor}.");
        }

        int channels = shape[3] / (factor * factor);
        return x.Graph.Compose(
            () => x.Reshape([shape[0], shape[1], shape[2], channels, factor, factor]).Permute(0, 1, 4, 2, 5, 3)
                .Reshape([shape[0], shape[1] * factor, shape[2] * factor, channels]));
    }

    /// <summary>The inverse of <see cref="PixelShuffle"/>, as PyTorch's pixel_unshuffle.</summary>
    /// <param name="x">[N, H r, W r, C], of numbers but for N.</param>
    /// <param name="factor">r, at least 1.</param>
    /// <returns>[N, H, W, C r^2].</returns>
    /// <exception cref="ShapeException">x is not a batch of images whose height and width are multiples of r.</exception>
    public static Value PixelUnshuffle(this Value x, int factor)
    {
        ArgumentNullException.ThrowIfNull(x);
        Shape shape = x.Shape;
        if (factor < 1 || shape.Rank != 4 || HasSymbols(shape) || shape[1] % factor != 0 || shape[2] % factor != 0
            || shape[3] > int.MaxValue / factor / factor)
        {
            throw new ShapeException(
                $"PixelUnshuffle: expected an input [N, H, W, C] whose H and W are multiples of the factor and whose C factor^2 stays below 2^31, got {shape} and factor {factor}.");
        }

        (int height, int width) = (shape[1] / factor, shape[2] / factor);
        return x.Graph.Compose(
            () => x.Reshape([shape[0], height, factor, width, factor, shape[3]]).Permute(0, 1, 3, 5, 2, 4)
                .Reshape([shape[0], height, width, shape[3] * factor * factor]));
    }

    private const string Name = "Interpolate";

    private static bool HasSymbols(Shape shape) => shape[1..].IsSymbolic;

    private static int[] Extents(Value x, int axes, string given, InterpolationMode mode, bool alignCorners)
    {
        ArgumentNullException.ThrowIfNull(x);
        if (!Enum.IsDefined(mode))
        {
            throw new ArgumentOutOfRangeException(nameof(mode), mode, $"{Name}: unknown mode.");
        }

        if (axes is < 1 or > 3 || x.Shape.Rank != axes + 2)
        {
            throw new ShapeException(
                $"{Name}: expected one size for each axis between batch and channels of {x.Shape}, 1 to 3, got {given}.");
        }

        if (alignCorners && mode is not (InterpolationMode.Linear or InterpolationMode.Cubic))
        {
            throw new ShapeException($"{Name}: only Linear and Cubic have corners to align, got {mode} for {x.Shape}.");
        }

        return WindowRecorder.Extents(Name, x, axes);
    }

    private static Value Record(
        Value x, int[] extents, int[] sizes, double?[] scales, InterpolationMode mode, bool alignCorners)
    {
        if (!Array.TrueForAll(sizes, size => size > 0))
        {
            throw new ShapeException($"{Name}: expected positive sizes for {x.Shape}, got {string.Join(" x ", sizes)}.");
        }

        WindowRecorder.RequireCount(Name, x, sizes);
        var bands = new Bands[sizes.Length];
        for (int i = 0; i < bands.Length; i++)
        {
            bands[i] = Interpolation.Along(mode, extents[i], sizes[i], alignCorners, scales[i]);
        }

        return WindowRecorder.Sum(Name, x, bands);
    }
}
