using System.Runtime.InteropServices;
using FastNN.Tensors;

namespace FastNN.Cuda;

/// <summary>Triangles of matrices: a thread per element.</summary>
internal sealed unsafe partial class CudaIndexing
{
    public void Trilu(Tensor x, Tensor y, int rows, int columns, int diagonal, bool upper, bool accumulate)
    {
        if (y.Count == 0)
        {
            return;
        }

        string kernel = (y.Type.Size(), accumulate) switch
        {
            (1, _) => "trilu_1",
            (2, _) => "trilu_2",
            (4, false) => "trilu_4",
            (4, true) => "trilu_add_4",
            _ => "trilu_8",
        };
        Launch(
            "trilu", kernel, new Grid(Blocks(y.Count, RearrangeThreads), RearrangeThreads),
            new TriluArguments(x.Address, y.Address, y.Count, rows, columns, diagonal, upper ? 1 : 0));
    }

    [StructLayout(LayoutKind.Sequential)]
    private readonly record struct TriluArguments(nint X, nint Y, long Count, int Rows, int Columns, int Diagonal, int Upper);
}
