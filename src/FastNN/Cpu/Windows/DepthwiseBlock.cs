using FastNN.Kernels;

namespace FastNN.Cpu;

/// <summary>
/// Neighboring pixels of a depthwise convolution whose taps all lie inside, so that they share the loads of the filter: strides
/// in floats of their sources and of the filter.
/// </summary>
internal struct DepthwiseBlock
{
    /// <summary>Pixels of a block: their sums, a source and the filter stay in registers on every rung.</summary>
    public const int Pixels = 4;

    public nint SourceRow;
    public nint SourceColumn;
    public nint SourcePixel;
    public nint FilterRow;
    public nint FilterColumn;
    public int Rows;
    public int Columns;
    public int Channels;

    /// <summary>The outputs [first, end) of an axis all of whose taps lie inside.</summary>
    public static (int First, int End) Interior(in WindowAxis axis)
    {
        int first = (axis.PadBefore + axis.Stride - 1) / axis.Stride;
        int room = axis.Input + axis.PadBefore - axis.Extent;
        return (first, room < 0 ? first : Math.Min(axis.Output, (room / axis.Stride) + 1));
    }

    /// <summary>The columns [first, end) of x that meet an output through every tap; none where a stride is not 1.</summary>
    public static (int First, int End) GradientInterior(in Conv2DGeometry g)
    {
        if (g.Vertical.Stride != 1 || g.Horizontal.Stride != 1)
        {
            return (0, 0);
        }

        int first = Math.Max(0, g.Horizontal.Extent - 1 - g.Horizontal.PadBefore);
        return (first, Math.Min(g.W, g.OW - g.Horizontal.PadBefore));
    }
}
