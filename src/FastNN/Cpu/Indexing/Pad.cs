using FastNN.Kernels;
using FastNN.Tensors;

namespace FastNN.Cpu;

/// <summary>
/// Padding, row by row of the innermost padded axis: what lies inside is copied in one piece, 8 bytes moved per float, and the
/// borders block by block. Backward adds the rows that repeat one, each in one piece as well.
/// </summary>
internal sealed unsafe partial class CpuIndexing
{
    public void PadForward(Tensor x, Tensor y, in PadGeometry geometry, ulong constant)
    {
        switch (y.Type.Size())
        {
            case 1:
                PadForward((byte*)x.Address, (byte*)y.Address, geometry, (byte)constant);
                break;
            case 2:
                PadForward((ushort*)x.Address, (ushort*)y.Address, geometry, (ushort)constant);
                break;
            case 4:
                PadForward((uint*)x.Address, (uint*)y.Address, geometry, (uint)constant);
                break;
            default:
                PadForward((ulong*)x.Address, (ulong*)y.Address, geometry, constant);
                break;
        }
    }

    public void PadBackward(Tensor dY, Tensor dX, in PadGeometry geometry, bool accumulate) => RowLoop.Run(
        Pool, geometry.OuterInputs, (long)geometry.Inputs[geometry.Rank - 1] * geometry.Block,
        new PadGradients(geometry, Floats(dY), Floats(dX), accumulate));

    private void PadForward<T>(T* x, T* y, in PadGeometry geometry, T constant)
        where T : unmanaged => RowLoop.Run(
        Pool, geometry.OuterOutputs, (long)geometry.Outputs[geometry.Rank - 1] * geometry.Block,
        new PadRows<T>(geometry, x, y, constant));

    private readonly struct PadRows<T>(PadGeometry geometry, T* x, T* y, T constant) : IRowBody
        where T : unmanaged
    {
        public void Invoke<TLanes>(nint start, nint end)
            where TLanes : struct, IVectorLanes<TLanes>
        {
            int axis = geometry.Rank - 1, block = geometry.Block, extent = geometry.Inputs[axis], length = geometry.Outputs[axis];
            int inside = Math.Clamp(geometry.Befores[axis], 0, length);
            int outside = (int)Math.Clamp((long)geometry.Befores[axis] + extent, inside, length);
            for (nint row = start; row < end; row++)
            {
                T* to = y + (row * length * block);
                if (SourceRow(row) is not (>= 0 and nint source))
                {
                    Fill(to, (nint)length * block);
                    continue;
                }

                T* from = x + (source * extent * block);
                Border(from, to, 0, inside);
                long bytes = (long)(outside - inside) * block * sizeof(T);
                Buffer.MemoryCopy(
                    from + ((nint)(inside - geometry.Befores[axis]) * block), to + ((nint)inside * block), bytes, bytes);
                Border(from, to, outside, length);
            }
        }

        /// <summary>The row of x that a row of y repeats, or -1.</summary>
        private nint SourceRow(nint row)
        {
            nint source = 0, stride = 1;
            for (int axis = geometry.Rank - 2; axis >= 0; axis--)
            {
                (row, nint place) = Math.DivRem(row, geometry.Outputs[axis]);
                int at = geometry.Source(axis, (int)place);
                if (at < 0)
                {
                    return -1;
                }

                source += at * stride;
                stride *= geometry.Inputs[axis];
            }

            return source;
        }

        private void Border(T* from, T* to, int first, int last)
        {
            if (geometry.Mode == PadMode.Constant)
            {
                Fill(to + ((nint)first * geometry.Block), (nint)(last - first) * geometry.Block);
                return;
            }

            for (int place = first; place < last; place++)
            {
                T* source = from + ((nint)geometry.Source(geometry.Rank - 1, place) * geometry.Block);
                T* target = to + ((nint)place * geometry.Block);
                for (int i = 0; i < geometry.Block; i++)
                {
                    target[i] = source[i];
                }
            }
        }

        private void Fill(T* to, nint count)
        {
            for (nint done = 0; done < count; done += int.MaxValue)
            {
                new Span<T>(to + done, (int)Math.Min(int.MaxValue, count - done)).Fill(constant);
            }
        }
    }

    private readonly struct PadGradients(PadGeometry geometry, float* dY, float* dX, bool accumulate) : IRowBody
    {
        public void Invoke<TLanes>(nint start, nint end)
            where TLanes : struct, IVectorLanes<TLanes>
        {
            int axis = geometry.Rank - 1, block = geometry.Block, extent = geometry.Inputs[axis];
            int* places = stackalloc int[Shape.MaxRank];
            for (nint row = start; row < end; row++)
            {
                float* to = dX + (row * extent * block);
                if (!accumulate)
                {
                    for (nint done = 0, count = (nint)extent * block; done < count; done += int.MaxValue)
                    {
                        new Span<float>(to + done, (int)Math.Min(int.MaxValue, count - done)).Clear();
                    }
                }

                long combinations = 1;
                nint rest = row;
                for (int i = axis - 1; i >= 0; i--)
                {
                    (rest, nint place) = Math.DivRem(rest, geometry.Inputs[i]);
                    places[i] = (int)place;
                    combinations *= geometry.Candidates(i, places[i]);
                }

                for (long number = 0; number < combinations; number++)
                {
                    if (Row(places, number) is >= 0 and nint from)
                    {
                        Add<TLanes>(dY + (from * geometry.Outputs[axis] * block), to);
                    }
                }
            }
        }

        /// <summary>One of the rows of dY that may repeat a row of dX, or -1 where it does not.</summary>
        private nint Row(int* places, long number)
        {
            nint row = 0, stride = 1;
            for (int axis = geometry.Rank - 2; axis >= 0; axis--)
            {
                (number, long candidate) = Math.DivRem(number, geometry.Candidates(axis, places[axis]));
                int at = geometry.Candidate(axis, places[axis], (int)candidate);
                if (at < 0)
                {
                    return -1;
                }

                row += at * stride;
                stride *= geometry.Outputs[axis];
            }

            return row;
        }

        private void Add<TLanes>(float* from, float* to)
            where TLanes : struct, IVectorLanes<TLanes>
        {
            int axis = geometry.Rank - 1, before = geometry.Befores[axis], length = geometry.Outputs[axis];
            nint block = geometry.Block;
            int inside = Math.Clamp(before, 0, length);
            int outside = (int)Math.Clamp((long)before + geometry.Inputs[axis], inside, length);
            ElementLoop.Range<TLanes, UnaryMap<Identity, Accumulate>>(
                new(from + (inside * block), to + ((inside - before) * block), default), 0, (outside - inside) * block);
            for (int place = 0; place < length && geometry.Mode != PadMode.Constant; place++)
            {
                place = place == inside ? outside : place;
                if (place < length)
                {
                    ElementLoop.Range<TLanes, UnaryMap<Identity, Accumulate>>(
                        new(from + (place * block), to + (geometry.Source(axis, place) * block), default), 0, block);
                }
            }
        }
    }
}
