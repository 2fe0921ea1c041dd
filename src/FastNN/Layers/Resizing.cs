using System.Globalization;
using FastNN.Layers;

namespace FastNN;

/// <summary>
/// Resizes sequences, images or volumes, as PyTorch's Upsample: [N, L, C], [N, H, W, C] or [N, D, H, W, C], to a size or by
/// factors, of which one must be given.
/// </summary>
public sealed class Upsample : Layer
{
    /// <summary>The extents between batch and channels, one for each axis; null where factors are given.</summary>
    public Shape? Size { get; init; }

    /// <summary>One factor for all axes, or one for each; empty where a size is given. The output has floor(extent * factor)
    /// positions.</summary>
    public IReadOnlyList<double> Scale { get; init; } = [];

    /// <summary>How values between positions are computed; default nearest.</summary>
    public InterpolationMode Mode { get; init; } = InterpolationMode.Nearest;

    /// <summary>Linear and cubic: first and last positions of input and output coincide; default false.</summary>
    public bool AlignCorners { get; init; }

    /// <summary>Map positions by the sizes that come out instead of the factors; default false.</summary>
    public bool RecomputeScale { get; init; }

    /// <inheritdoc/>
    protected override Value Forward(Value x)
    {
        if (Size is null == (Scale.Count == 0))
        {
            throw new ShapeException(
                $"Upsample: expected either Size or Scale for {x.Shape}, got {(Size is null ? "neither" : $"both, {Size} and {Scale.Count} factors")}.");
        }

        return Size is { } size
            ? x.Interpolate(size, Mode, AlignCorners)
            : x.InterpolateBy([.. Scale], Mode, AlignCorners, RecomputeScale);
    }

    /// <inheritdoc/>
    protected internal override void Describe(LayerDescription description)
    {
        ArgumentNullException.ThrowIfNull(description);
        description.Set("mode", Mode.ToString()).Set("alignCorners", AlignCorners).Set("recomputeScale", RecomputeScale);
        if (Size is { } size)
        {
            description.Set("size", size.ToArray());
        }

        if (Scale.Count > 0)
        {
            // As texts: numbers of descriptions have the precision of floats.
            string[] factors = [.. Scale.Select(factor => factor.ToString("R", CultureInfo.InvariantCulture))];
            description.Set("scale", factors);
        }
    }

    internal static Upsample Create(LayerDescription description) => new()
    {
        Name = description.Name,
        Size = description.Has("size") ? new Shape(description.Int32s("size")) : default(Shape?),
        Scale = description.Has("scale") ? Array.ConvertAll(description.Texts("scale"), Number) : [],
        Mode = Enum.TryParse(description.Text("mode"), out InterpolationMode mode) && Enum.IsDefined(mode)
            ? mode
            : throw new ArgumentException($"{description.Kind}: expected an interpolation mode as attribute 'mode'."),
        AlignCorners = description.Boolean("alignCorners", false),
        RecomputeScale = description.Boolean("recomputeScale", false),
    };

    private static double Number(string text) =>
        double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out double number)
            ? number
            : throw new ArgumentException("Upsample: expected numbers as attribute 'scale'.");
}

/// <summary>
/// Moves channels into the plane, as PyTorch's PixelShuffle. [N, H, W, C r^2] becomes [N, H r, W r, C].
/// </summary>
/// <param name="factor">r, at least 1.</param>
public sealed class PixelShuffle(int factor) : Layer
{
    /// <inheritdoc/>
    protected override Value Forward(Value x) => x.PixelShuffle(factor);

    /// <inheritdoc/>
    protected internal override void Describe(LayerDescription description)
    {
        ArgumentNullException.ThrowIfNull(description);
        description.Set("factor", factor);
    }

    internal static PixelShuffle Create(LayerDescription description) =>
        new(description.Int32("factor")) { Name = description.Name };
}

/// <summary>The inverse of <see cref="PixelShuffle"/>. [N, H r, W r, C] becomes [N, H, W, C r^2].</summary>
/// <param name="factor">r, at least 1.</param>
public sealed class PixelUnshuffle(int factor) : Layer
{
    /// <inheritdoc/>
    protected override Value Forward(Value x) => x.PixelUnshuffle(factor);

    /// <inheritdoc/>
    protected internal override void Describe(LayerDescription description)
    {
        ArgumentNullException.ThrowIfNull(description);
        description.Set("factor", factor);
    }

    internal static PixelUnshuffle Create(LayerDescription description) =>
        new(description.Int32("factor")) { Name = description.Name };
}

/// <summary>
/// Divides by neighboring channels (Krizhevsky et al., 2012), as PyTorch's LocalResponseNorm. [N, ..., C] keeps its shape.
/// </summary>
/// <param name="size">Channels of the window.</param>
public sealed class LocalResponseNorm(int size) : Layer
{
    /// <summary>The factor of the mean of squares; default 1e-4.</summary>
    public float Alpha { get; init; } = 1e-4f;

    /// <summary>The exponent; default 0.75.</summary>
    public float Beta { get; init; } = 0.75f;

    /// <summary>What is added to it; default 1.</summary>
    public float K { get; init; } = 1;

    /// <inheritdoc/>
    protected override Value Forward(Value x) => x.LocalResponseNorm(size, Alpha, Beta, K);

    /// <inheritdoc/>
    protected internal override void Describe(LayerDescription description)
    {
        ArgumentNullException.ThrowIfNull(description);
        description.Set("size", size).Set("alpha", Alpha).Set("beta", Beta).Set("k", K);
    }

    internal static LocalResponseNorm Create(LayerDescription description) => new(description.Int32("size"))
    {
        Name = description.Name,
        Alpha = description.Single("alpha"),
        Beta = description.Single("beta"),
        K = description.Single("k"),
    };
}
