using FastNN.Tensors;

namespace FastNN.Cpu;

/// <summary>Concatenation: a strided copy of whole rows, 8 bytes moved per element.</summary>
internal sealed unsafe partial class CpuIndexing
{
    public void ConcatForward(Tensor x, Tensor y, int rows, int width, int total, int offset) =>
        RowLoop.Run(Pool, rows, width, new CopyRows<Assign>(Floats(x), width, Floats(y) + offset, total, width));

    public void ConcatBackward(Tensor dY, Tensor dX, int rows, int width, int total, int offset, bool accumulate)
    {
        if (accumulate)
        {
            RowLoop.Run(Pool, rows, width, new CopyRows<Accumulate>(Floats(dY) + offset, total, Floats(dX), width, width));
        }
        else
        {
            RowLoop.Run(Pool, rows, width, new CopyRows<Assign>(Floats(dY) + offset, total, Floats(dX), width, width));
        }
    }

    private readonly struct CopyRows<TStore>(float* x, int xStride, float* y, int yStride, int width) : IRowBody
        where TStore : struct, IStore
    {
        public void Invoke<TLanes>(nint start, nint end)
            where TLanes : struct, IVectorLanes<TLanes>
        {
            for (nint row = start; row < end; row++)
            {
                ElementLoop.Range<TLanes, UnaryMap<Identity,
                TStore>>(new(x + (row * xStride), y + (row * yStride), default), 0, width);
            }
        }
    }
}
