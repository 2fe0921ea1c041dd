using System.Runtime.InteropServices;
using FastNN.Kernels;
using FastNN.Tensors;

namespace FastNN.Cuda;

/// <summary>Sorting: a warp or a block to a row; tiles of long rows, and a launch for each merge of their runs.</summary>
internal sealed unsafe partial class CudaIndexing
{
    private const int WarpTerms = 32, WarpRows = 8;

    public void Sort(Tensor x, Tensor values, Tensor indices, Tensor? workspace, in SortGeometry geometry)
    {
        if (geometry.Kept == 0 || geometry.Rows == 0)
        {
            return;
        }

        var arguments = new SortArguments(
            x.Address, values.Address, indices.Address, 0, 0, 1, geometry.Rows, geometry.Terms, geometry.Kept,
            geometry.Descending ? 1 : 0, SortGeometry.ShortTerms, 0);
        if (geometry.Terms <= WarpTerms)
        {
            Launch("sort", "sort_warps", new Grid(Blocks(geometry.Rows, WarpRows), ElementThreads), arguments);
        }
        else if (geometry.Terms <= SortGeometry.ShortTerms)
        {
            string kernel = geometry.Terms switch
            {
                <= ElementThreads => "sort_tiles_1",
                <= 2 * ElementThreads => "sort_tiles_2",
                <= 4 * ElementThreads => "sort_tiles_4",
                _ => "sort_tiles_8",
            };
            Launch("sort", kernel, new Grid(geometry.Rows, ElementThreads), arguments);
        }
        else
        {
            SortLong(arguments, workspace!, geometry);
        }
    }

    public void SortBackward(Tensor indices, Tensor dY, Tensor dX, in SortGeometry geometry, bool accumulate)
    {
        if (!accumulate && geometry.Kept != geometry.Terms)
        {
            Fill(dX, 0);
        }

        if (dY.Count > 0)
        {
            var arguments = new SortBackwardArguments(
                indices.Address, dY.Address, dX.Address, dY.Count, geometry.Terms, geometry.Kept, accumulate ? 1 : 0, 0);
            Launch("sort", "sort_backward", new Grid(Blocks(dY.Count, ElementThreads), ElementThreads), arguments);
        }
    }

    private void SortLong(SortArguments arguments, Tensor workspace, in SortGeometry geometry)
    {
        nint first = workspace.Address, second = first + (nint)(geometry.WorkspaceBytes / 2);
        int tiles = Blocks(geometry.Stride, SortGeometry.ShortTerms);
        Launch(
            "sort", "sort_tiles_8", new Grid(checked(geometry.Rows * tiles), ElementThreads),
            (arguments = arguments with { Stride = checked((int)geometry.Stride) }) with { To = first, BlocksPerRow = tiles });
        for (int run = SortGeometry.ShortTerms; ; run *= 2)
        {
            bool isLast = run >= geometry.Stride - run;
            Launch(
                "sort", "sort_merge", new Grid(checked(geometry.Rows * tiles), ElementThreads),
                arguments with { From = first, To = isLast ? 0 : second, BlocksPerRow = tiles, Run = run });
            if (isLast)
            {
                break;
            }

            (first, second) = (second, first);
        }
    }

    [StructLayout(LayoutKind.Sequential)]
    private readonly record struct SortArguments(
        nint X, nint Values, nint Indices, nint From, nint To, long BlocksPerRow, int Rows, int Terms, int Kept, int Descending,
        int Run, int Stride);

    [StructLayout(LayoutKind.Sequential)]
    private readonly record struct SortBackwardArguments(
        nint Indices, nint DY, nint DX, long Count, int Terms, int Kept, int Accumulate, int Unused);
}
