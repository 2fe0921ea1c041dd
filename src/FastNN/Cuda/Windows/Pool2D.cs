using System.Runtime.InteropServices;
using FastNN.Kernels;
using FastNN.Tensors;

namespace FastNN.Cuda;

/// <summary>Pooling, see kernels/pool2d.cu.</summary>
internal sealed unsafe partial class CudaWindows
{
    /// <summary>Pixels of a cell that a thread writes for one dY that it reads, where the cell is large.</summary>
    private const int LeastCellPixels = 32;

    private const int PoolThreads = 256;

    /// <summary>
    /// Bytes of the rows that pass through shared memory at once, unless one row has more, and the most that fit.
    /// </summary>
    private const int RunBytes = 8 << 10, MostRunBytes = 48 << 10;

    /// <summary>A warp visits the columns of taps one by one.</summary>
    private const int MostRowTaps = 4;

    private const int MostGridY = 65535;

    public static long MaxPool2DWinnerBytes(in Pool2DGeometry geometry) =>
        geometry.OutputCount * (HasWideWinners(geometry) ? 2 : 1);

    public void MaxPool2DForward(in Pool2DGeometry geometry, Tensor x, Tensor y, Tensor? winners, bool relu)
    {
        PoolArguments arguments = Arguments(geometry) with
        {
            X = x.Address,
            Y = y.Address,
            Winners = AddressOf(winners),
            Count = Tensor.Index(y.Count),
            Relu = relu ? 1 : 0,
        };
        Launch("pool2d", ForwardPath(geometry, ref arguments, out Grid grid) switch
        {
            PoolPath.Fours => "pool2d_max_forward_fours",
            PoolPath.Rows => "pool2d_max_forward_rows",
            _ => "pool2d_max_forward",
        }, grid, arguments);
    }

    public void MaxPool2DBackward(
        in Pool2DGeometry geometry, Tensor dY, Tensor y, Tensor winners, Tensor dX, bool relu, bool accumulate)
    {
        PoolArguments arguments = Arguments(geometry) with
        {
            Y = y.Address,
            Winners = winners.Address,
            DY = dY.Address,
            DX = dX.Address,
            Relu = relu ? 1 : 0,
            Accumulate = accumulate ? 1 : 0,
        };
        Launch("pool2d", BackwardPath(geometry, ref arguments, out Grid grid) switch
        {
            PoolPath.Fours => "pool2d_max_backward_fours",
            PoolPath.Rows => "pool2d_max_backward_rows",
            PoolPath.Cells => "pool2d_max_backward_cells",
            PoolPath.CellsFours => "pool2d_max_backward_cells_fours",
            _ => "pool2d_max_backward",
        }, grid, arguments);
    }

    public void AvgPool2DForward(in Pool2DGeometry geometry, Tensor x, Tensor y)
    {
        PoolArguments arguments = Arguments(geometry) with { X = x.Address, Y = y.Address, Count = Tensor.Index(y.Count) };
        Launch("pool2d", ForwardPath(geometry, ref arguments, out Grid grid) switch
        {
            PoolPath.Fours => "pool2d_average_forward_fours",
            PoolPath.Rows => "pool2d_average_forward_rows",
            _ => "pool2d_average_forward",
        }, grid, arguments);
    }

    public void AvgPool2DBackward(in Pool2DGeometry geometry, Tensor dY, Tensor dX, bool accumulate)
    {
        PoolArguments arguments = Arguments(geometry) with { DY = dY.Address, DX = dX.Address, Accumulate = accumulate ? 1 : 0 };
        Launch("pool2d", BackwardPath(geometry, ref arguments, out Grid grid) switch
        {
            PoolPath.Fours => "pool2d_average_backward_fours",
            PoolPath.Rows => "pool2d_average_backward_rows",
            PoolPath.Cells => "pool2d_average_backward_cells",
            PoolPath.CellsFours => "pool2d_average_backward_cells_fours",
            _ => "pool2d_average_backward",
        }, grid, arguments);
    }

    private static PoolPath ForwardPath(in Pool2DGeometry geometry, ref PoolArguments arguments, out Grid grid)
    {
        if (PassesRows(geometry, ref arguments, out grid))
        {
            return PoolPath.Rows;
        }

        bool fours = geometry.C % 4 == 0 && IsAligned(arguments.X, arguments.Y, arguments.Winners);
        grid = PoolGrid(arguments.Count, fours);
        return fours ? PoolPath.Fours : PoolPath.Plain;
    }

    private static PoolPath BackwardPath(in Pool2DGeometry geometry, ref PoolArguments arguments, out Grid grid)
    {
        if (PassesRows(geometry, ref arguments, out grid))
        {
            return PoolPath.Rows;
        }

        bool fours = geometry.C % 4 == 0 && IsAligned(arguments.DY, arguments.DX, arguments.Y, arguments.Winners);
        bool disjoint = geometry.IsDisjoint;
        int cellRows = LargestCell(geometry.Vertical), cellColumns = LargestCell(geometry.Horizontal);

        // A large cell, such as the one of a global pooling, is shared by blocks; each reads dY again, for so many pixels that it
        // does not count.
        int rows = cellRows * (long)cellColumns <= 2 * LeastCellPixels ? cellRows : Blocks(LeastCellPixels, cellColumns);
        rows = Math.Max(rows, Blocks(cellRows, MostGridY));
        arguments = arguments with { Count = (int)(disjoint ? geometry.OutputCount : geometry.InputCount), RowsPerBlock = rows };
        grid = PoolGrid(arguments.Count, fours) with { Y = disjoint ? Blocks(cellRows, rows) : 1 };
        return (disjoint, fours) switch
        {
            (true, true) => PoolPath.CellsFours,
            (true, false) => PoolPath.Cells,
            (false, true) => PoolPath.Fours,
            _ => PoolPath.Plain,
        };
    }

    /// <summary>
    /// Whether windows tile an image whose pixels are not whole sectors, so that rows should pass through shared memory; and
    /// blocks of some rows of outputs each.
    /// </summary>
    private static bool PassesRows(in Pool2DGeometry geometry, ref PoolArguments arguments, out Grid grid)
    {
        grid = default;
        (WindowAxis y, WindowAxis x) = (geometry.Vertical, geometry.Horizontal);
        if (geometry.C % 8 == 0 || !geometry.IsDisjoint || !y.IsInside || !x.IsInside || y.Stride != y.Taps || x.Stride != x.Taps
            || x.Taps > MostRowTaps || geometry.N > MostGridY)
        {
            return false;
        }

        long rowBytes = (long)y.Taps * x.Taps * x.Output * geometry.C * sizeof(float);
        long rows = Math.Clamp(RunBytes / rowBytes, 1, geometry.OH);

        // An even number of rows keeps runs of outputs on whole sectors more often.
        rows = rows > 1 && rows < geometry.OH ? rows & ~1L : rows;
        if (rows * rowBytes > MostRunBytes)
        {
            return false;
        }

        grid = new Grid(Blocks(geometry.OH, (int)rows), PoolThreads, geometry.N, 1, (int)(rows * rowBytes));
        arguments = arguments with { RowsPerBlock = (int)rows };
        return true;
    }

    /// <summary>Inputs from one window to the next, from the first input to the last.</summary>
    private static int LargestCell(in WindowAxis axis) =>
        axis.Output == 1 ? axis.Input : Math.Max(axis.Stride, axis.Input - (((axis.Output - 1) * axis.Stride) - axis.PadBefore));

    private static Grid PoolGrid(int count, bool fours) => new(Blocks(count, fours ? 4 * PoolThreads : PoolThreads), PoolThreads);

    private static bool HasWideWinners(in Pool2DGeometry geometry) => geometry.Vertical.Taps * geometry.Horizontal.Taps > 256;

    private static PoolArguments Arguments(in Pool2DGeometry geometry) =>
        new() { Shape = new PoolShape(geometry), WideWinners = HasWideWinners(geometry) ? 1 : 0 };

    private enum PoolPath
    {
        Plain,
        Fours,
        Rows,
        Cells,
        CellsFours,
    }

    /// <summary>One axis of kernels/pool2d.cu.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private readonly struct PoolAxis(WindowAxis axis)
    {
        private readonly int _input = axis.Input;
        private readonly int _output = axis.Output;
        private readonly int _taps = axis.Taps;
        private readonly int _stride = axis.Stride;
        private readonly int _dilation = axis.Dilation;
        private readonly int _padding = axis.PadBefore;
        private readonly int _paddedEnd = axis.Input + axis.PadAfter;
        private readonly int _unused;
        private readonly Divisor _byInput = new(axis.Input);
        private readonly Divisor _byOutput = new(axis.Output);
        private readonly Divisor _byStride = new(axis.Stride);
    }

    [StructLayout(LayoutKind.Sequential)]
    private readonly struct PoolShape(in Pool2DGeometry geometry)
    {
        private readonly PoolAxis _y = new(geometry.Vertical);
        private readonly PoolAxis _x = new(geometry.Horizontal);
        private readonly Divisor _byC = new(geometry.C);
        private readonly int _n = geometry.N;
        private readonly int _c = geometry.C;
        private readonly int _divisorOverride = geometry.DivisorOverride;
        private readonly int _countIncludePad = geometry.CountIncludePad ? 1 : 0;
    }

    [StructLayout(LayoutKind.Sequential)]
    private readonly record struct PoolArguments
    {
        public nint X { get; init; }

        public nint Y { get; init; }

        public nint Winners { get; init; }

        public nint DY { get; init; }

        public nint DX { get; init; }

        public PoolShape Shape { get; init; }

        public int Count { get; init; }

        public int Relu { get; init; }

        public int Accumulate { get; init; }

        public int WideWinners { get; init; }

        public int RowsPerBlock { get; init; }

        public int Unused { get; init; }
    }
}
