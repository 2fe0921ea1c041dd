using System.Runtime.InteropServices;
using FastNN.Kernels;
using FastNN.Tensors;

namespace FastNN.Cuda;

/// <summary>Sparse times dense: a thread per column of a row of blocks; gradients of the values a warp per block.</summary>
internal sealed unsafe partial class CudaProducts
{
    private const int SparseThreads = 128, SparseWarps = SparseThreads / 32;

    public void SparseForward(Tensor values, SparsePattern pattern, Tensor x, Tensor y, SparseGeometry geometry) => SparseRows(
        geometry.Block == 1 ? "sparse_forward_1" : "sparse_forward_4", geometry.BlockRows, geometry,
        new SparseArguments
        {
            Values = values.Address,
            Dense = x.Address,
            Result = y.Address,
            Starts = pattern.RowStarts.Address,
            Indices = pattern.Columns.Address,
        });

    public void SparseBackwardData(
        Tensor values, SparsePattern pattern, Tensor dY, Tensor dX, SparseGeometry geometry, bool accumulate) => SparseRows(
        geometry.Block == 1 ? "sparse_data_1" : "sparse_data_4", geometry.Columns, geometry,
        new SparseArguments
        {
            Values = values.Address,
            Dense = dY.Address,
            Result = dX.Address,
            Starts = pattern.ColumnStarts.Address,
            Indices = pattern.Rows.Address,
            Blocks = pattern.Blocks.Address,
            Accumulate = accumulate ? 1 : 0,
        });

    public void SparseBackwardValues(
        SparsePattern pattern, Tensor x, Tensor dY, Tensor dValues, SparseGeometry geometry, bool accumulate)
    {
        if (geometry.Stored > 0)
        {
            Launch(
                "sparse", geometry.Block == 1 ? "sparse_values_1" : "sparse_values_4",
                new Grid(Blocks(geometry.Stored, SparseWarps), SparseThreads),
                new SparseArguments
                {
                    Dense = dY.Address,
                    More = x.Address,
                    Result = dValues.Address,
                    Indices = pattern.Columns.Address,
                    Blocks = pattern.Blocks.Address,
                    BlockRows = pattern.Rows.Address,
                    Rows = geometry.Stored,
                    Width = geometry.Width,
                    Accumulate = accumulate ? 1 : 0,
                });
        }
    }

    private void SparseRows(string kernel, int rows, SparseGeometry geometry, in SparseArguments arguments)
    {
        int tiles = Blocks(geometry.Width, SparseThreads);
        if (rows > 0 && tiles > 0)
        {
            Launch(
                "sparse", kernel, new Grid(checked(rows * tiles), SparseThreads),
                arguments with { Rows = rows, Width = geometry.Width, Tiles = tiles });
        }
    }

    [StructLayout(LayoutKind.Sequential)]
    private readonly record struct SparseArguments
    {
        public nint Values { get; init; }

        public nint Dense { get; init; }

        public nint More { get; init; }

        public nint Result { get; init; }

        public nint Starts { get; init; }

        public nint Indices { get; init; }

        public nint Blocks { get; init; }

        public nint BlockRows { get; init; }

        public int Rows { get; init; }

        public int Width { get; init; }

        public int Tiles { get; init; }

        public int Accumulate { get; init; }
    }
}
