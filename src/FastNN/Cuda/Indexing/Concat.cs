using System.Runtime.InteropServices;
using FastNN.Tensors;

namespace FastNN.Cuda;

/// <summary>Concatenation: a strided copy of whole rows.</summary>
internal sealed unsafe partial class CudaIndexing
{
    public void ConcatForward(Tensor x, Tensor y, int rows, int width, int total, int offset) =>
        CopyRows(new(x.Address, y.Address + ((nint)offset * sizeof(float)), width, total, rows, width, 0));

    public void ConcatBackward(Tensor dY, Tensor dX, int rows, int width, int total, int offset, bool accumulate) =>
        CopyRows(new(dY.Address + ((nint)offset * sizeof(float)), dX.Address, total, width, rows, width, accumulate ? 1 : 0));

    private void CopyRows(in ConcatArguments arguments)
    {
        long count = arguments.Rows * arguments.Width;
        if (count == 0)
        {
            return;
        }

        if (((arguments.From | arguments.To) & 15) == 0 && ((arguments.FromStride | arguments.ToStride) & 3) == 0)
        {
            Launch("concat", "concat_rows_by_four", new Grid(Blocks(count / 4, ElementThreads), ElementThreads), arguments);
        }
        else
        {
            Launch("concat", "concat_rows", new Grid(Blocks(count, ElementThreads), ElementThreads), arguments);
        }
    }

    [StructLayout(LayoutKind.Sequential)]
    private readonly record struct ConcatArguments(
        nint From, nint To, long FromStride, long ToStride, long Rows, int Width, int Accumulate);
}
