using System.Runtime.InteropServices;
using FastNN.Tensors;

namespace FastNN.Cuda;

/// <summary>
/// Places of extremes: a warp to an output where its terms are neighbors, else a block to neighboring columns, or, where terms
/// are few, a thread to an output.
/// </summary>
internal sealed unsafe partial class CudaReductions
{
    private const int WarpsPerBlock = 8;

    /// <summary>Columns of a block, and terms that it has at a time: kernels/argextreme.cu.</summary>
    private const int MostColumns = 256, ColumnTile = 2048;

    public void FirstEqual(Tensor x, Tensor extreme, Tensor y, int terms, int inner)
    {
        var arguments = new FirstEqualArguments(x.Address, extreme.Address, y.Address, y.Count, terms, inner);
        if (inner == 1)
        {
            Launch("argextreme", "first_equal_rows", new Grid(Blocks(y.Count, WarpsPerBlock), 32 * WarpsPerBlock), arguments);
        }
        else if ((long)terms * inner < ColumnTile)
        {
            Launch("argextreme", "first_equal_short", new Grid(Blocks(y.Count, ElementThreads), ElementThreads), arguments);
        }
        else
        {
            int ranges = Blocks(inner, MostColumns);
            Launch(
                "argextreme", "first_equal_columns", new Grid(checked((int)(y.Count / inner * ranges)), ElementThreads),
                new FirstEqualColumnsArguments(
                    x.Address, extreme.Address, y.Address, terms, inner, Blocks(inner, ranges), ranges));
        }
    }

    [StructLayout(LayoutKind.Sequential)]
    private readonly record struct FirstEqualArguments(nint X, nint Extreme, nint Y, long Outputs, int Terms, int Inner);

    [StructLayout(LayoutKind.Sequential)]
    private readonly record struct FirstEqualColumnsArguments(
        nint X, nint Extreme, nint Y, int Terms, int Inner, int Width, int Ranges);
}
