using FastNN.Ops;

namespace FastNN;

/// <summary>Images read at computed places, as fluent calls on values (Jaderberg et al., 2015).</summary>
public static class GridOperators
{
    /// <summary>An image at the places of a grid, as PyTorch's grid_sample. Gradients flow to both.</summary>
    /// <param name="x">[N, H, W, C].</param>
    /// <param name="grid">
    /// [N, OH, OW, 2]: x, then y, of each place; -1 and 1 are the left and right, and the upper and lower, border. NaN is
    /// outside.
    /// </param>
    /// <param name="mode">Linear (default) or Nearest; the nearest pixel gives the grid no gradient.</param>
    /// <param name="padding">What lies outside; default zeros.</param>
    /// <param name="alignCorners">-1 and 1 are the centers of the outermost pixels instead of their edges; default false.</param>
    /// <returns>[N, OH, OW, C].</returns>
    /// <exception cref="ShapeException">The shapes do not fit, or the mode is another.</exception>
    /// <exception cref="ArgumentOutOfRangeException">The padding is not a member of the enumeration.</exception>
    public static Value GridSample(
        this Value x, Value grid, InterpolationMode mode = InterpolationMode.Linear, GridPadding padding = GridPadding.Zeros,
        bool alignCorners = false)
    {
        ArgumentNullException.ThrowIfNull(x);
        ArgumentNullException.ThrowIfNull(grid);
        if (mode is not (InterpolationMode.Linear or InterpolationMode.Nearest))
        {
            throw new ShapeException($"GridSample: expected mode Linear or Nearest for {x.Shape}, got {mode}.");
        }

        return Enum.IsDefined(padding)
            ? x.Graph.Add(new GridSampleOp(mode == InterpolationMode.Nearest, padding, alignCorners), x, grid)
            : throw new ArgumentOutOfRangeException(nameof(padding), padding, "GridSample: unknown padding.");
    }

    /// <summary>
    /// The places of an image after an affine map, for <see cref="GridSample"/>, as PyTorch's affine_grid: theta times (x, y, 1).
    /// </summary>
    /// <param name="theta">[N, 2, 3].</param>
    /// <param name="size">Rows and columns of the grid.</param>
    /// <param name="alignCorners">As <see cref="GridSample"/> is told; default false.</param>
    /// <returns>[N, rows, columns, 2].</returns>
    /// <exception cref="ShapeException">theta has another shape, or a size is not positive.</exception>
    public static Value AffineGrid(this Value theta, Size2D size, bool alignCorners = false)
    {
        ArgumentNullException.ThrowIfNull(theta);
        if (theta.Shape.Rank != 3 || theta.Shape[1] != 2 || theta.Shape[2] != 3 || size.Rows < 1 || size.Columns < 1)
        {
            throw new ShapeException(
                $"AffineGrid: expected matrices [N, 2, 3] and a positive size, got {theta.Shape} and {size}.");
        }

        if ((long)size.Rows * size.Columns > int.MaxValue / 3)
        {
            throw new ShapeException($"AffineGrid: a grid of {size} for {theta.Shape} has more than {int.MaxValue} elements.");
        }

        var places = new Shape(size.Rows, size.Columns, 3);
        var values = new float[places.Count];
        for (int i = 0; i < values.Length; i += 3)
        {
            values[i] = Place(i / 3 % size.Columns, size.Columns, alignCorners);
            values[i + 1] = Place(i / 3 / size.Columns, size.Rows, alignCorners);
            values[i + 2] = 1;
        }

        Value points = theta.Graph.Constant(values, [size.Rows * size.Columns, 3]);
        return theta.Graph.Compose(
            () => points.MatMul(theta, transposeB: true).Reshape([theta.Shape[0], size.Rows, size.Columns, 2]));
    }

    private static float Place(int i, int size, bool alignCorners) =>
        alignCorners ? (size == 1 ? 0 : (2f * i / (size - 1)) - 1) : (((2f * i) + 1) / size) - 1;
}
