using System.Runtime.InteropServices;
using FastNN.Kernels;
using FastNN.Tensors;

namespace FastNN.Cuda;

/// <summary>
/// Scans: a warp to a short row and a block to a long one, strips of few very long rows in two launches, a thread to a column.
/// </summary>
internal sealed unsafe partial class CudaReductions
{
    /// <summary>Rows up to this many terms go to warps; fewer rows than <see cref="FewRows"/> are cut above the next.</summary>
    private const int ShortTerms = 1024, WholeTerms = 16_384, FewRows = 64, MaxStrips = 64;

    private static readonly string[] RowKernels = ["scan_rows_sum", "scan_rows_product", "scan_rows_slope"];
    private static readonly string[] LongKernels = ["scan_long_sum", "scan_long_product", "scan_long_slope"];
    private static readonly string[] StripKernels = ["scan_strips_sum", "scan_strips_product", "scan_strips_slope"];
    private static readonly string[] ColumnKernels = ["scan_columns_sum", "scan_columns_product", "scan_columns_slope"];

    public void Scan(ScanFunction function, Tensor x, Tensor y, in ScanGeometry geometry, bool accumulate) =>
        Scan((int)function, x, null, null, y, geometry, geometry.Exclusive, accumulate);

    public void ScanProductBackward(Tensor x, Tensor y, Tensor dY, Tensor dX, in ScanGeometry geometry, bool accumulate) =>
        Scan((int)ScanFunction.ProductGradient, x, y, dY, dX, geometry.Reversed, geometry.Exclusive, accumulate);

    private void Scan(
        int kernel, Tensor x, Tensor? y, Tensor? dY, Tensor result, in ScanGeometry geometry, bool exclusive, bool accumulate)
    {
        if (result.Count == 0)
        {
            return;
        }

        bool isColumns = geometry.Inner > 1;
        bool isCut = !isColumns && geometry.Terms > WholeTerms && geometry.Outer < FewRows;
        int strip = isCut ? Math.Max(WholeTerms / 2, Blocks(geometry.Terms, MaxStrips)) : geometry.Terms;
        int strips = Blocks(geometry.Terms, strip);
        long rows = isColumns ? (long)geometry.Outer * geometry.Inner : geometry.Outer;
        var arguments = new ScanArguments(
            x.Address, AddressOf(y), AddressOf(dY), result.Address, Sums.Parts, rows, geometry.Terms, geometry.Inner, strip,
            strips, exclusive ? 1 : 0, geometry.Reverse ? 1 : 0, accumulate ? 1 : 0, 0);
        if (isColumns)
        {
            // Where a row of columns begins within a sector a block's columns go through shared memory.
            bool shifts = geometry.Inner % 8 != 0 && geometry.Inner >= ElementThreads / 4;
            int columns = ElementThreads - (shifts ? MostShift : 0);
            int blocks = shifts ? checked(geometry.Outer * Blocks(geometry.Inner, columns)) : Blocks(rows, ElementThreads);
            Launch("scan", ColumnKernels[kernel], new Grid(blocks, ElementThreads), arguments with { Strip = columns });
        }
        else if (geometry.Terms <= ShortTerms)
        {
            Launch("scan", RowKernels[kernel], new Grid(Blocks(rows, WarpsPerBlock), ElementThreads), arguments);
        }
        else
        {
            var grid = new Grid(geometry.Outer * strips, ElementThreads);
            if (isCut)
            {
                Launch("scan", StripKernels[kernel], grid, arguments);
            }

            Launch("scan", LongKernels[kernel], grid, arguments);
        }
    }

    [StructLayout(LayoutKind.Sequential)]
    private readonly record struct ScanArguments(
        nint X, nint Y, nint DY, nint Result, nint Strips, long Rows, int Terms, int Inner, int Strip, int StripsPerRow,
        int Exclusive, int Reverse, int Accumulate, int Unused);
}
