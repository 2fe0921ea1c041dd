using System.Runtime.InteropServices;
using FastNN.Tensors;

namespace FastNN.Cuda;

/// <summary>
/// Places of extremes: a warp to an output where its terms are neighbors, else a block to neighboring columns, or, where terms
/// are few, to all columns of several outer indices.
/// </summary>
internal sealed unsafe partial class CudaReductions
{
    private const int WarpsPerBlock = 8;

    /// <summary>Columns of a block, and terms that it has at a time: kernels/argextreme.cu.</summary>
    private const int MostColumns = 256, ColumnTile = 2048;

    /// <summary>Floats of several outer indices, with room between them, and banks of shared memory.</summary>
    private const int SlabTile = 4096, Banks = 32;

    public void FirstEqual(Tensor x, Tensor extreme, Tensor y, int terms, int inner)
    {
        if (y.Count == 0)
        {
            return;
        }

        long outer = y.Count / inner;
        if (inner == 1)
        {
            Launch(
                "argextreme", "first_equal_rows", new Grid(Blocks(outer, WarpsPerBlock), 32 * WarpsPerBlock),
                new FirstEqualArguments(x.Address, extreme.Address, y.Address, outer, terms, 0));
        }
        else if ((long)terms * inner < ColumnTile)
        {
            // Behind an outer index's floats as much room as lets the next one's columns follow its own, bank by bank.
            int slab = terms * inner, room = (Banks - ((slab - inner) % Banks)) % Banks, slabs = SlabTile / (slab + room);
            Launch(
                "argextreme", "first_equal_slabs", new Grid(Blocks(outer, slabs), ElementThreads),
                new FirstEqualSlabsArguments(x.Address, extreme.Address, y.Address, outer, terms, inner, slabs, slab + room));
        }
        else
        {
            int ranges = Blocks(inner, MostColumns);
            Launch(
                "argextreme", "first_equal_columns", new Grid(checked((int)(outer * ranges)), ElementThreads),
                new FirstEqualColumnsArguments(
                    x.Address, extreme.Address, y.Address, terms, inner, Blocks(inner, ranges), ranges));
        }
    }

    [StructLayout(LayoutKind.Sequential)]
    private readonly record struct FirstEqualArguments(nint X, nint Extreme, nint Y, long Outputs, int Terms, int Unused);

    [StructLayout(LayoutKind.Sequential)]
    private readonly record struct FirstEqualSlabsArguments(
        nint X, nint Extreme, nint Y, long Outer, int Terms, int Inner, int Slabs, int Pitch);

    [StructLayout(LayoutKind.Sequential)]
    private readonly record struct FirstEqualColumnsArguments(
        nint X, nint Extreme, nint Y, int Terms, int Inner, int Width, int Ranges);
}
