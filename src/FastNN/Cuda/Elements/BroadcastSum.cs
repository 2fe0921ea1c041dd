using System.Runtime.InteropServices;
using FastNN.Kernels;
using FastNN.Tensors;

namespace FastNN.Cuda;

/// <summary>
/// dA (=|+=) the sum of dY, of -dY, or of dY * other, over the axes along which a was repeated: all, rows, columns, or any axes.
/// </summary>
internal sealed unsafe partial class CudaElements
{
    /// <summary>Columns of one block where rows are long.</summary>
    private const int ColumnChunk = 32;

    private void SumRepeated(Tensor dY, Tensor? other, Tensor dA, float sign, bool accumulate)
    {
        if (dA.Count == 0)
        {
            return;
        }

        if (dY.Count == 0)
        {
            // A sum of nothing.
            if (!accumulate)
            {
                Fill(dA, 0);
            }

            return;
        }

        // Without another operand its strides are those of a scalar and never keep axes apart.
        var axes = new BroadcastAxes(dY.Shape, dA.Shape, other is null ? default : other.Shape);
        (int inner, long strideA, long strideB) = (axes.Inner, axes.InnerA, axes.InnerB);
        var arguments = new SumArguments(
            dY.Address, AddressOf(other), dA.Address, Sums, dY.Count, axes.B[0], (int)strideB, axes.Outer, inner, inner, 1,
            accumulate ? 1 : 0, sign, 0);
        if (axes.Rank == 1 && (other is null || strideB == 1))
        {
            Launch("elementwise", "elementwise_sum_all", SumGrid(dY.Count), arguments);
        }
        else if (axes.Rank == 2 && axes.A[0] == 0 && strideA == 1)
        {
            SumRows(arguments);
        }
        else if (axes.Rank == 2 && axes.A[0] == 1 && strideA == 0)
        {
            SumColumns(arguments);
        }
        else
        {
            SumAxes(axes, dY, other, dA, sign, accumulate);
        }
    }

    private void SumRows(SumArguments arguments)
    {
        // As many threads as take whole sectors of 32 bytes and a whole number of rows, if so many are possible.
        int inner = arguments.Inner;
        long unit = (long)inner * (8 / CommonPowerOfTwo(inner, 8));
        bool runs = unit <= 1024, shifts = !runs && inner % 8 != 0;
        int threads = runs ? (int)unit * Math.Max(1, 256 / (int)unit) : shifts ? ShiftedAcross * ShiftedDown : 256;
        int columns = runs ? inner : shifts ? ShiftedAcross : ColumnChunk, width = shifts ? ShiftedWidth : 0;
        int lanes = threads / columns, chunks = Blocks(inner, shifts ? width : columns);
        int parts = Math.Min(Blocks(arguments.Rows, lanes * RowsPerThread), Math.Min(MaxRowParts, ScratchParts / inner));
        parts = chunks > MaxChunks ? 1 : Math.Max(1, parts);
        int sums = threads * (shifts ? ShiftedSpans : 1);
        var grid = new Grid(checked(chunks * parts), threads, Shared: sums * sizeof(float));
        Launch(
            "elementwise", "elementwise_sum_rows", grid,
            arguments with { Columns = columns, RowBlocks = parts, Width = width });
    }

    private void SumColumns(SumArguments arguments)
    {
        int inner = arguments.Inner;
        if (inner <= ShortRow)
        {
            int perTile = RowsPerTile(inner, SlabThreads);
            int shared = 2 * ((perTile * inner) + 3) * sizeof(float);
            var grid = new Grid(Blocks(arguments.Rows, perTile), SlabThreads, Shared: shared);
            Launch("elementwise", "elementwise_sum_columns_tiles", grid, arguments with { Columns = perTile });
        }
        else
        {
            Launch("elementwise", "elementwise_sum_columns", new Grid(arguments.Rows, inner <= 1024 ? 128 : 256), arguments);
        }
    }

    private void SumAxes(in BroadcastAxes axes, Tensor dY, Tensor? other, Tensor dA, float sign, bool accumulate)
    {
        BroadcastAxes kept = default, summed = default;
        Span<long> strides = stackalloc long[Shape.MaxRank];
        long stride = 1;
        for (int axis = axes.Rank - 1; axis >= 0; axis--)
        {
            strides[axis] = stride;
            stride *= axes.Extents[axis];
        }

        for (int axis = 0; axis < axes.Rank; axis++)
        {
            if (axes.A[axis] == 0)
            {
                summed.Append(axes.Extents[axis], strides[axis], axes.B[axis]);
            }
            else
            {
                kept.Append(axes.Extents[axis], strides[axis], axes.B[axis]);
            }
        }

        int terms = Tensor.Index(dY.Count / dA.Count);
        var arguments = new SumAxesArguments(
            dY.Address, AddressOf(other), dA.Address, kept, summed, terms, accumulate ? 1 : 0, sign);
        Launch("elementwise", "elementwise_sum_axes", new Grid(Tensor.Index(dA.Count), terms <= 256 ? 32 : 256), arguments);
    }

    [StructLayout(LayoutKind.Sequential)]
    private readonly record struct SumArguments(
        nint DY, nint Other, nint DA, ScratchAddresses Scratch, long Count, long OtherRow, int OtherColumn, int Rows, int Inner,
        int Columns,
        int RowBlocks, int Accumulate, float Sign, int Width);

    [StructLayout(LayoutKind.Sequential)]
    private readonly struct SumAxesArguments(
        nint dY, nint other, nint dA, in BroadcastAxes kept, in BroadcastAxes summed, int terms, int accumulate, float sign)
    {
        public readonly nint DY = dY, Other = other, DA = dA;
        public readonly BroadcastAxes Kept = kept, Summed = summed;
        public readonly int Terms = terms, Accumulate = accumulate;
        public readonly float Sign = sign;
        public readonly int Unused = 0;
    }
}
