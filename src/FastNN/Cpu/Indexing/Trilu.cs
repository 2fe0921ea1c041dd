using FastNN.Tensors;

namespace FastNN.Cpu;

/// <summary>Triangles of matrices: each row's kept run is copied and the rest cleared, 8 bytes moved per float that
/// stays.</summary>
internal sealed unsafe partial class CpuIndexing
{
    public void Trilu(Tensor x, Tensor y, int rows, int columns, int diagonal, bool upper, bool accumulate)
    {
        if (y.Count == 0)
        {
            return;
        }

        switch (y.Type.Size())
        {
            case 1:
                Run(new Triangles<byte>((byte*)x.Address, (byte*)y.Address, rows, columns, diagonal, upper, false));
                break;
            case 2:
                Run(new Triangles<ushort>((ushort*)x.Address, (ushort*)y.Address, rows, columns, diagonal, upper, false));
                break;
            case 4:
                Run(new Triangles<float>(Floats(x), Floats(y), rows, columns, diagonal, upper, accumulate));
                break;
            default:
                Run(new Triangles<ulong>((ulong*)x.Address, (ulong*)y.Address, rows, columns, diagonal, upper, false));
                break;
        }

        void Run<T>(Triangles<T> body)
            where T : unmanaged => RowLoop.Run(Pool, Tensor.Index(y.Count / columns), columns, body);
    }

    private readonly struct Triangles<T>(T* x, T* y, int rows, int columns, int diagonal, bool upper, bool accumulate) : IRowBody
        where T : unmanaged
    {
        public void Invoke<TLanes>(nint start, nint end)
            where TLanes : struct, IVectorLanes<TLanes>
        {
            for (nint row = start; row < end; row++)
            {
                long edge = (row % rows) + diagonal;
                int first = upper ? (int)Math.Clamp(edge, 0, columns) : 0;
                int last = upper ? columns : (int)Math.Clamp(edge + 1, 0, columns);
                T* from = x + (row * columns), to = y + (row * columns);
                if (accumulate)
                {
                    ElementLoop.Range<TLanes, UnaryMap<Identity, Accumulate>>(
                        new((float*)from, (float*)to, default), first, last);
                    continue;
                }

                new Span<T>(to, first).Clear();
                new Span<T>(to + last, columns - last).Clear();
                if (from != to)
                {
                    new ReadOnlySpan<T>(from + first, last - first).CopyTo(new Span<T>(to + first, last - first));
                }
            }
        }
    }
}
