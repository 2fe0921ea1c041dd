using FastNN.Kernels;
using FastNN.Ops;

namespace FastNN.Graphs;

/// <summary>
/// Records windows given by bands over one to three axes between the batch and the channels: [N, L, C], [N, H, W, C] and
/// [N, D, H, W, C] are views of volumes.
/// </summary>
internal static class WindowRecorder
{
    /// <summary>Positions along an axis whose windows are written down one by one; more take seconds and gigabytes.</summary>
    private const int MaxExtent = 1 << 22;

    /// <summary>Positions of all windows along an axis, likewise.</summary>
    private const long MaxTaps = 1 << 26;

    private static readonly string[] Layouts = ["[N, L, C]", "[N, H, W, C]", "[N, D, H, W, C]"];

    /// <summary>The extents of the axes between the batch and the channels.</summary>
    /// <exception cref="ShapeException">x has another number of axes, or no numbers there.</exception>
    public static int[] Extents(string name, Value x, int axes)
    {
        Require(name, x, axes);
        int[] extents = x.Shape[1..^1].ToArray();
        return Array.TrueForAll(extents, extent => extent > 0)
            ? extents
            : throw new ShapeException(
                $"{name}: expected an input {Layouts[axes - 1]} whose extents between batch and channels are positive numbers, got {x.Shape}.");
    }

    /// <exception cref="ShapeException">x has another number of axes or type.</exception>
    public static void Require(string name, Value x, int axes)
    {
        ArgumentNullException.ThrowIfNull(x);
        if (x.Shape.Rank != axes + 2 || x.Type != DType.Float32)
        {
            throw new ShapeException($"{name}: expected a Float32 input {Layouts[axes - 1]}, got {x.TensorType}.");
        }
    }

    /// <summary>Axes whose windows can be written down.</summary>
    /// <exception cref="ShapeException">There are too many of them, or they are too long.</exception>
    public static WindowAxis[] RequireTable(string name, Value x, params WindowAxis[] axes)
    {
        RequireExtents(name, x, Array.ConvertAll(axes, axis => axis.Output));
        foreach (WindowAxis axis in axes)
        {
            if ((long)axis.Output * Math.Min(axis.Taps, axis.Input) > MaxTaps)
            {
                throw new ShapeException(
                    $"{name}: expected at most {MaxTaps} positions in all windows along an axis of {x.Shape}, got {axis.Output} " +
                    $"windows of {axis.Taps}; use larger strides.");
            }
        }

        return axes;
    }

    /// <exception cref="ShapeException">An axis is too long.</exception>
    public static void RequireExtents(string name, Value x, int[] sizes)
    {
        if (sizes.Concat(x.Shape[1..^1]).Any(extent => extent > MaxExtent))
        {
            throw new ShapeException(
                $"{name}: expected at most {MaxExtent} positions along an axis of the input and of the output, got {x.Shape} and " +
                $"{string.Join(" x ", sizes)}.");
        }
    }

    /// <exception cref="ShapeException">The output has too many elements.</exception>
    public static void RequireCount(string name, Value x, int[] sizes)
    {
        int batch = Dim.IsSymbol(x.Shape[0]) ? 1 : x.Shape[0], channels = Dim.IsSymbol(x.Shape[-1]) ? 1 : x.Shape[-1];
        RequireExtents(name, x, sizes);

        if (sizes.Aggregate((double)batch * channels, (count, size) => count * size) > int.MaxValue)
        {
            throw new ShapeException(
                $"{name}: an output of {string.Join(" x ", sizes)} for {x.Shape} has more than {int.MaxValue} elements; " +
                "use a smaller batch or size.");
        }
    }

    /// <summary>[N, L, C] as an image of one row, pooled, and [N, OL, C] again.</summary>
    public static Value AsRow(string name, Value x, Func<Value, Value> pool)
    {
        Require(name, x, 1);
        return x.Graph.Compose(
            () =>
            {
                Value y = pool(x.Reshape([x.Shape[0], 1, x.Shape[1], x.Shape[2]]));
                return y.Reshape([y.Shape[0], y.Shape[2], y.Shape[3]]);
            },
            name);
    }

    /// <summary>The sum over windows with the bands' weights.</summary>
    public static Value Sum(string name, Value x, params Bands[] axes)
    {
        WindowAxes windows = Axes(name, x, axes, weighted: true);
        return x.Graph.Compose(
            () => x.Graph.Add(
                new WindowSumOp(name, windows.Depth, windows.Vertical, windows.Horizontal), Volume(x), Table(x.Graph, windows))
                .Reshape(OutputShape(x, axes)),
            name);
    }

    /// <summary>The maxima of windows, and their positions in the plane or volume of their channel.</summary>
    public static (Value Y, Value Indices) Max(string name, Value x, params Bands[] axes)
    {
        WindowAxes windows = Axes(name, x, axes, weighted: false);
        return x.Graph.Compose(
            () =>
            {
                Value[] outputs = x.Graph.AddNode(
                    new WindowMaxOp(name, windows.Depth, windows.Vertical, windows.Horizontal), Volume(x),
                    Table(x.Graph, windows));
                Shape shape = OutputShape(x, axes);
                return (outputs[0].Reshape(shape), outputs[1].Reshape(shape));
            },
            name);
    }

    private static WindowAxes Axes(string name, Value x, Bands[] axes, bool weighted)
    {
        RequireCount(name, x, Array.ConvertAll(axes, axis => axis.Output));
        Bands one = Bands.Identity(1);
        return WindowAxes.Of(
            name, axes.Length > 2 ? axes[0] : one, axes.Length > 1 ? axes[^2] : one, axes[^1], weighted);
    }

    private static Value Table(Graph graph, WindowAxes windows) =>
        graph.ConstantInt32(windows.Table, new Shape(windows.Table.Length));

    private static Value Volume(Value x) => x.Shape.Rank == 5
        ? x
        : x.Reshape([x.Shape[0], .. Enumerable.Repeat(1, 5 - x.Shape.Rank), .. x.Shape[1..]]);

    private static Shape OutputShape(Value x, Bands[] axes) => [x.Shape[0], .. axes.Select(axis => axis.Output), x.Shape[-1]];
}
