using System.Runtime.CompilerServices;

namespace FastNN;

/// <summary>What grid sampling reads where a place lies outside the image.</summary>
public enum GridPadding
{
    /// <summary>Zeros.</summary>
    Zeros,

    /// <summary>The nearest pixel of the border.</summary>
    Border,

    /// <summary>
    /// The image mirrored at its borders: at the centers of the outermost pixels where corners are aligned, else at their edges.
    /// </summary>
    Reflection,
}

/// <summary>The sizes and rules of a grid sampling: x [N, H, W, C] and grid [N, OH, OW, 2] give y [N, OH, OW, C].</summary>
internal readonly record struct GridSampleGeometry(
    int N, int H, int W, int C, int OH, int OW, bool IsNearest, GridPadding Padding, bool AlignCorners)
{
    /// <summary>Places of one image.</summary>
    public int Places => OH * OW;
}

/// <summary>
/// Where a place of the grid falls along one axis, as PyTorch's grid_sample computes it: the first pixel, the weight of the
/// second, and how fast the position moves with the grid.
/// </summary>
internal readonly struct GridPosition
{
    /// <summary>Far outside of every image, yet an integer.</summary>
    private const int Outside = -100;

    /// <param name="grid">In [-1, 1] where it lies on the image.</param>
    /// <param name="size">Pixels.</param>
    /// <param name="geometry">The rules.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public GridPosition(float grid, int size, in GridSampleGeometry geometry)
    {
        float slope = geometry.AlignCorners ? (size - 1) / 2f : size / 2f;
        float at = geometry.AlignCorners ? (grid + 1) * slope : (((grid + 1) * size) - 1) / 2;
        if (geometry.Padding == GridPadding.Reflection)
        {
            at = Reflect(at, size, geometry.AlignCorners, ref slope);
        }

        if (geometry.Padding != GridPadding.Zeros)
        {
            slope = at > 0 && at < size - 1 ? slope : 0;
            at = at > 0 ? Math.Min(at, size - 1) : 0;
        }

        // NaN and what no integer holds are outside.
        at = at is > -1e9f and < 1e9f ? at : Outside;
        float floor = geometry.IsNearest ? MathF.Round(at) : MathF.Floor(at);
        First = (int)floor;
        Rest = geometry.IsNearest ? 0 : at - floor;
        Slope = geometry.IsNearest ? 0 : slope;
    }

    public int First { get; }

    /// <summary>The weight of the pixel behind <see cref="First"/>; 0 for the nearest pixel.</summary>
    public float Rest { get; }

    /// <summary>The derivative of the position by the grid.</summary>
    public float Slope { get; }

    private static float Reflect(float at, int size, bool alignCorners, ref float slope)
    {
        float low = alignCorners ? 0 : -0.5f, span = alignCorners ? size - 1 : size;
        if (span == 0)
        {
            slope = 0;
            return 0;
        }

        float distance = MathF.Abs(at - low), flips = MathF.Floor(distance / span), extra = distance - (flips * span);
        bool odd = flips - (2 * MathF.Floor(flips / 2)) != 0;
        slope = (at < low) != odd ? -slope : slope;
        return (odd ? span - extra : extra) + low;
    }
}
