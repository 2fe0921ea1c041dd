using FastNN.Tensors;

namespace FastNN.Cpu;

/// <summary>Concatenation: strided copies of whole rows, 8 bytes moved per element.</summary>
internal sealed unsafe partial class CpuIndexing
{
    /// <summary>
    /// Up to here one thread copies. What is joined both have just computed, each some rows: fetching the other's half from its
    /// cache takes longer than copying.
    /// </summary>
    private const long SerialCopy = 2 * ElementLoop.Block;

    public void ConcatForward(ReadOnlySpan<Tensor> x, ReadOnlySpan<int> widths, Tensor y, int rows)
    {
        nint total = WidthOf(widths), offset = 0;
        for (int i = 0; i < x.Length; offset += widths[i++])
        {
            var copy = new CopyRows<Assign>(Floats(x[i]), widths[i], Floats(y) + offset, total, widths[i]);
            RowLoop.Run(Pool, rows, widths[i], copy, SerialCopy);
        }
    }

    public void ConcatBackward(
        Tensor dY, ReadOnlySpan<Tensor?> dX, ReadOnlySpan<int> widths, int rows, ReadOnlySpan<bool> accumulate)
    {
        nint total = WidthOf(widths), offset = total;
        for (int i = dX.Length - 1; i >= 0; i--)
        {
            int width = widths[i];
            offset -= width;
            if (dX[i] is not { } gradient)
            {
                continue;
            }

            float* from = Floats(dY) + offset;
            if (accumulate[i])
            {
                RowLoop.Run(Pool, rows, width, new CopyRows<Accumulate>(from, total, Floats(gradient), width, width));
            }
            else
            {
                RowLoop.Run(Pool, rows, width, new CopyRows<Assign>(from, total, Floats(gradient), width, width));
            }
        }
    }

    private static nint WidthOf(ReadOnlySpan<int> widths)
    {
        nint total = 0;
        foreach (int width in widths)
        {
            total += width;
        }

        return total;
    }

    private readonly struct CopyRows<TStore>(float* x, nint xStride, float* y, nint yStride, int width) : IRowBody
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
