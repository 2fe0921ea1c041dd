using FastNN.Graphs;
using FastNN.Kernels;

namespace FastNN;

/// <summary>Pooling of sequences [N, L, C] and volumes [N, D, H, W, C], and with positions, as fluent calls on values.</summary>
public static class PoolingOperators
{
    /// <summary>The maximum of each window of a sequence.</summary>
    /// <param name="x">[N, L, C].</param>
    /// <param name="kernel">The window's length.</param>
    /// <param name="stride">Default: the window's length.</param>
    /// <param name="padding">On both sides; default 0. Padding never wins.</param>
    /// <param name="dilation">Default 1.</param>
    /// <param name="ceilMode">Round the output size up, as PyTorch's ceil_mode; default false.</param>
    /// <returns>[N, OL, C].</returns>
    /// <exception cref="ShapeException">The window does not fit.</exception>
    public static Value MaxPool1D(
        this Value x, int kernel, int? stride = null, int padding = 0, int dilation = 1, bool ceilMode = false) =>
        WindowRecorder.AsRow(
            "MaxPool1D", x,
            row => row.MaxPool2D((1, kernel), (1, stride ?? kernel), (0, padding), (1, dilation), ceilMode));

    /// <summary>The maximum of each window of a volume.</summary>
    /// <param name="x">[N, D, H, W, C], of numbers but for N and C.</param>
    /// <param name="kernel">Planes, rows and columns of the window.</param>
    /// <param name="stride">Default: the window's size.</param>
    /// <param name="padding">Default valid (none); padding never wins.</param>
    /// <param name="dilation">Default 1.</param>
    /// <param name="ceilMode">Round the output size up, as PyTorch's ceil_mode; default false.</param>
    /// <returns>[N, OD, OH, OW, C].</returns>
    /// <exception cref="ShapeException">The window does not fit.</exception>
    public static Value MaxPool3D(
        this Value x, Size3D kernel, Size3D? stride = null, Padding3D padding = default, Size3D? dilation = null,
        bool ceilMode = false) =>
        Max("MaxPool3D", x, Axes("MaxPool3D", x, kernel, stride ?? kernel, padding, dilation ?? 1, ceilMode)).Y;

    /// <summary>As <see cref="MaxPool1D"/>, with the position of each maximum, as PyTorch's return_indices.</summary>
    /// <param name="x">[N, L, C], of numbers but for N and C.</param>
    /// <param name="kernel">The window's length.</param>
    /// <param name="stride">Default: the window's length.</param>
    /// <param name="padding">On both sides; default 0.</param>
    /// <param name="dilation">Default 1.</param>
    /// <param name="ceilMode">Round the output size up; default false.</param>
    /// <returns>[N, OL, C], and Int32 positions along L of the same shape, which have no gradient.</returns>
    /// <exception cref="ShapeException">The window does not fit.</exception>
    public static (Value Y, Value Indices) MaxPool1DWithIndices(
        this Value x, int kernel, int? stride = null, int padding = 0, int dilation = 1, bool ceilMode = false)
    {
        const string name = "MaxPool1DWithIndices";
        int length = WindowRecorder.Extents(name, x, 1)[0];
        return Max(
            name, x,
            WindowRecorder.RequireTable(
                name, x,
                Pool2DGeometry.Axis(
                    name, "length", length, kernel, stride ?? kernel, dilation, false, padding, padding, ceilMode)));
    }

    /// <summary>As <c>MaxPool2D</c>, with the position of each maximum, as PyTorch's return_indices.</summary>
    /// <param name="x">[N, H, W, C], of numbers but for N and C.</param>
    /// <param name="kernel">Rows and columns of the window.</param>
    /// <param name="stride">Default: the window's size.</param>
    /// <param name="padding">Default valid (none).</param>
    /// <param name="dilation">Default 1.</param>
    /// <param name="ceilMode">Round the output size up; default false.</param>
    /// <returns>
    /// [N, OH, OW, C], and Int32 positions h W + w in the plane of their channel, of the same shape, which have no gradient.
    /// </returns>
    /// <exception cref="ShapeException">The window does not fit.</exception>
    public static (Value Y, Value Indices) MaxPool2DWithIndices(
        this Value x, Size2D kernel, Size2D? stride = null, Padding2D padding = default, Size2D? dilation = null,
        bool ceilMode = false)
    {
        const string name = "MaxPool2DWithIndices";
        int[] extents = WindowRecorder.Extents(name, x, 2);
        (Size2D steps, Size2D taps) = (stride ?? kernel, dilation ?? 1);
        return Max(
            name, x,
            WindowRecorder.RequireTable(
                name, x,
                Pool2DGeometry.Axis(
                    name, "height", extents[0], kernel.Rows, steps.Rows, taps.Rows, padding.IsSame, padding.Top,
                    padding.Bottom, ceilMode),
                Pool2DGeometry.Axis(
                    name, "width", extents[1], kernel.Columns, steps.Columns, taps.Columns, padding.IsSame, padding.Left,
                    padding.Right, ceilMode)));
    }

    /// <summary>As <see cref="MaxPool3D"/>, with the position of each maximum, as PyTorch's return_indices.</summary>
    /// <param name="x">[N, D, H, W, C], of numbers but for N and C.</param>
    /// <param name="kernel">Planes, rows and columns of the window.</param>
    /// <param name="stride">Default: the window's size.</param>
    /// <param name="padding">Default valid (none).</param>
    /// <param name="dilation">Default 1.</param>
    /// <param name="ceilMode">Round the output size up; default false.</param>
    /// <returns>
    /// [N, OD, OH, OW, C], and Int32 positions (d H + h) W + w in the volume of their channel, which have no gradient.
    /// </returns>
    /// <exception cref="ShapeException">The window does not fit.</exception>
    public static (Value Y, Value Indices) MaxPool3DWithIndices(
        this Value x, Size3D kernel, Size3D? stride = null, Padding3D padding = default, Size3D? dilation = null,
        bool ceilMode = false)
    {
        const string name = "MaxPool3DWithIndices";
        return Max(name, x, Axes(name, x, kernel, stride ?? kernel, padding, dilation ?? 1, ceilMode));
    }

    /// <summary>The mean of each window of a sequence.</summary>
    /// <param name="x">[N, L, C].</param>
    /// <param name="kernel">The window's length.</param>
    /// <param name="stride">Default: the window's length.</param>
    /// <param name="padding">On both sides; default 0.</param>
    /// <param name="ceilMode">Round the output size up, as PyTorch's ceil_mode; default false.</param>
    /// <param name="countIncludePad">Padding counts as zeros; default true, as in PyTorch.</param>
    /// <returns>[N, OL, C].</returns>
    /// <exception cref="ShapeException">The window does not fit.</exception>
    public static Value AvgPool1D(
        this Value x, int kernel, int? stride = null, int padding = 0, bool ceilMode = false, bool countIncludePad = true) =>
        WindowRecorder.AsRow(
            "AvgPool1D", x,
            row => row.AvgPool2D((1, kernel), (1, stride ?? kernel), (0, padding), ceilMode, countIncludePad));

    /// <summary>The mean of each window of a volume.</summary>
    /// <param name="x">[N, D, H, W, C], of numbers but for N and C.</param>
    /// <param name="kernel">Planes, rows and columns of the window.</param>
    /// <param name="stride">Default: the window's size.</param>
    /// <param name="padding">Default valid (none).</param>
    /// <param name="ceilMode">Round the output size up, as PyTorch's ceil_mode; default false.</param>
    /// <param name="countIncludePad">Padding counts as zeros; default true, as in PyTorch.</param>
    /// <param name="divisorOverride">Divides by this instead of the window's size; 0 (default) does not.</param>
    /// <returns>[N, OD, OH, OW, C].</returns>
    /// <exception cref="ShapeException">The window does not fit.</exception>
    public static Value AvgPool3D(
        this Value x, Size3D kernel, Size3D? stride = null, Padding3D padding = default, bool ceilMode = false,
        bool countIncludePad = true, int divisorOverride = 0)
    {
        const string name = "AvgPool3D";
        WindowAxis[] axes = Axes(name, x, kernel, stride ?? kernel, padding, 1, ceilMode);
        if (divisorOverride < 0)
        {
            throw new ShapeException(
                $"{name}: the divisor must be positive, or 0 for the window's own, got {divisorOverride}.");
        }

        Bands[] bands = divisorOverride == 0
            ? Array.ConvertAll(axes, axis => Bands.Means(axis, countIncludePad))
            : [Bands.Windows(axes[0]), Bands.Windows(axes[1]), Bands.Windows(axes[2]).Times(1f / divisorOverride)];
        return WindowRecorder.Sum(name, x, bands);
    }

    /// <summary>The mean of each channel over a sequence.</summary>
    /// <param name="x">[N, L, C].</param>
    /// <param name="keepAxes">Keep the axis with extent 1; default false.</param>
    /// <returns>[N, C], or [N, 1, C].</returns>
    /// <exception cref="ShapeException">x is not a batch of sequences.</exception>
    public static Value GlobalAvgPool1D(this Value x, bool keepAxes = false) => Global("GlobalAvgPool1D", x, 1, false, keepAxes);

    /// <summary>The mean of each channel over a volume.</summary>
    /// <param name="x">[N, D, H, W, C], of numbers but for N and C.</param>
    /// <param name="keepAxes">Keep the three axes with extent 1; default false.</param>
    /// <returns>[N, C], or [N, 1, 1, 1, C].</returns>
    /// <exception cref="ShapeException">x is not a batch of volumes.</exception>
    public static Value GlobalAvgPool3D(this Value x, bool keepAxes = false) => Global("GlobalAvgPool3D", x, 3, false, keepAxes);

    /// <summary>The maximum of each channel over a sequence; the gradient goes to the first of equal ones.</summary>
    /// <param name="x">[N, L, C], of numbers but for N and C.</param>
    /// <param name="keepAxes">Keep the axis with extent 1; default false.</param>
    /// <returns>[N, C], or [N, 1, C].</returns>
    /// <exception cref="ShapeException">x is not a batch of sequences.</exception>
    public static Value GlobalMaxPool1D(this Value x, bool keepAxes = false) => Global("GlobalMaxPool1D", x, 1, true, keepAxes);

    /// <summary>The maximum of each channel over an image; the gradient goes to the first of equal ones.</summary>
    /// <param name="x">[N, H, W, C], of numbers but for N and C.</param>
    /// <param name="keepAxes">Keep the two axes with extent 1; default false.</param>
    /// <returns>[N, C], or [N, 1, 1, C].</returns>
    /// <exception cref="ShapeException">x is not a batch of images.</exception>
    public static Value GlobalMaxPool2D(this Value x, bool keepAxes = false) => Global("GlobalMaxPool2D", x, 2, true, keepAxes);

    /// <summary>The maximum of each channel over a volume; the gradient goes to the first of equal ones.</summary>
    /// <param name="x">[N, D, H, W, C], of numbers but for N and C.</param>
    /// <param name="keepAxes">Keep the three axes with extent 1; default false.</param>
    /// <returns>[N, C], or [N, 1, 1, 1, C].</returns>
    /// <exception cref="ShapeException">x is not a batch of volumes.</exception>
    public static Value GlobalMaxPool3D(this Value x, bool keepAxes = false) => Global("GlobalMaxPool3D", x, 3, true, keepAxes);

    /// <summary>The p-norm of each window of a sequence: (sum of x^p)^(1/p), as PyTorch's lp_pool1d.</summary>
    /// <param name="x">[N, L, C].</param>
    /// <param name="norm">p, positive; x is not made positive first.</param>
    /// <param name="kernel">The window's length.</param>
    /// <param name="stride">Default: the window's length.</param>
    /// <param name="ceilMode">
    /// Round the output size up; default false. A window that reaches beyond the input then counts as if it were full, with the
    /// mean of its part.
    /// </param>
    /// <returns>[N, OL, C].</returns>
    /// <exception cref="ShapeException">The window does not fit, or p is not positive.</exception>
    public static Value LpPool1D(this Value x, float norm, int kernel, int? stride = null, bool ceilMode = false)
    {
        WindowRecorder.Require("LpPool1D", x, 1);
        return Norm("LpPool1D", x, norm, kernel, powers => powers.AvgPool1D(kernel, stride, 0, ceilMode));
    }

    /// <summary>The p-norm of each window of an image: (sum of x^p)^(1/p), as PyTorch's lp_pool2d.</summary>
    /// <param name="x">[N, H, W, C].</param>
    /// <param name="norm">p, positive; x is not made positive first.</param>
    /// <param name="kernel">Rows and columns of the window.</param>
    /// <param name="stride">Default: the window's size.</param>
    /// <param name="ceilMode">As in <see cref="LpPool1D"/>.</param>
    /// <returns>[N, OH, OW, C].</returns>
    /// <exception cref="ShapeException">The window does not fit, or p is not positive.</exception>
    public static Value LpPool2D(this Value x, float norm, Size2D kernel, Size2D? stride = null, bool ceilMode = false)
    {
        WindowRecorder.Require("LpPool2D", x, 2);
        return Norm(
            "LpPool2D", x, norm, (long)kernel.Rows * kernel.Columns,
            powers => powers.AvgPool2D(kernel, stride, default, ceilMode));
    }

    /// <summary>The p-norm of each window of a volume: (sum of x^p)^(1/p), as PyTorch's lp_pool3d.</summary>
    /// <param name="x">[N, D, H, W, C], of numbers but for N and C.</param>
    /// <param name="norm">p, positive; x is not made positive first.</param>
    /// <param name="kernel">Planes, rows and columns of the window.</param>
    /// <param name="stride">Default: the window's size.</param>
    /// <param name="ceilMode">As in <see cref="LpPool1D"/>.</param>
    /// <returns>[N, OD, OH, OW, C].</returns>
    /// <exception cref="ShapeException">The window does not fit, or p is not positive.</exception>
    public static Value LpPool3D(this Value x, float norm, Size3D kernel, Size3D? stride = null, bool ceilMode = false)
    {
        WindowRecorder.Require("LpPool3D", x, 3);
        return Norm(
            "LpPool3D", x, norm, (long)kernel.Planes * kernel.Rows * kernel.Columns,
            powers => powers.AvgPool3D(kernel, stride, default, ceilMode));
    }

    private static Value Norm(string name, Value x, float norm, long taps, Func<Value, Value> mean)
    {
        if (!(norm > 0) || !float.IsFinite(norm))
        {
            throw new ShapeException($"{name}: expected a positive norm such as 2 for {x.Shape}, got {norm}.");
        }

        return x.Graph.Compose(
            () =>
            {
                Value sums = mean(x.Pow(norm)) * (float)taps;
                return norm == 2 ? sums.Sqrt() : sums.Pow(1 / norm);
            },
            name);
    }

    private static Value Global(string name, Value x, int axes, bool maximum, bool keepAxes)
    {
        ArgumentNullException.ThrowIfNull(x);
        return x.Graph.Compose(() => Pooled(name, x, axes, maximum, keepAxes), name);
    }

    private static Value Pooled(string name, Value x, int axes, bool maximum, bool keepAxes)
    {
        Value y;
        if (axes == 1 && !maximum)
        {
            WindowRecorder.Require(name, x, 1);
            y = x.Reshape([x.Shape[0], 1, x.Shape[1], x.Shape[2]]).GlobalAvgPool2D();
        }
        else
        {
            int[] extents = WindowRecorder.Extents(name, x, axes);
            int columns = extents[^1];
            double all = extents[..^1].Aggregate(1.0, (count, extent) => count * extent);
            int rows = all <= int.MaxValue
                ? (int)all
                : throw new ShapeException(
                    $"{name}: expected at most {int.MaxValue} rows in all planes together, got {x.Shape}.");
            Value image = x.Reshape([x.Shape[0], rows, columns, x.Shape[-1]]);

            // The positions of the 2D kernels' winners have 16 bits.
            y = !maximum ? image.GlobalAvgPool2D()
                : rows * (long)columns <= ushort.MaxValue ? image.MaxPool2D((rows, columns), 1)
                : Whole(name, image, rows, columns);
        }

        Shape shape = keepAxes ? [x.Shape[0], .. Enumerable.Repeat(1, axes), x.Shape[-1]] : [x.Shape[0], x.Shape[-1]];
        return y.Shape == shape ? y : y.Reshape(shape);
    }

    private static Value Whole(string name, Value image, int rows, int columns)
    {
        WindowRecorder.RequireExtents(name, image, [1, 1]);
        return WindowRecorder.Max(name, image, Bands.Bins(rows, 1, mean: false), Bands.Bins(columns, 1, mean: false)).Y;
    }

    private static (Value Y, Value Indices) Max(string name, Value x, WindowAxis[] axes) =>
        WindowRecorder.Max(name, x, Array.ConvertAll(axes, Bands.Windows));

    private static WindowAxis[] Axes(
        string name, Value x, Size3D kernel, Size3D stride, Padding3D padding, Size3D dilation, bool ceilMode)
    {
        int[] extents = WindowRecorder.Extents(name, x, 3);
        return WindowRecorder.RequireTable(
            name, x,
            Pool2DGeometry.Axis(
                name, "depth", extents[0], kernel.Planes, stride.Planes, dilation.Planes, padding.IsSame, padding.Front,
                padding.Back, ceilMode),
            Pool2DGeometry.Axis(
                name, "height", extents[1], kernel.Rows, stride.Rows, dilation.Rows, padding.IsSame, padding.Top,
                padding.Bottom, ceilMode),
            Pool2DGeometry.Axis(
                name, "width", extents[2], kernel.Columns, stride.Columns, dilation.Columns, padding.IsSame, padding.Left,
                padding.Right, ceilMode));
    }
}
