using System.Runtime.CompilerServices;
using FastNN.Kernels;
using FastNN.Tensors;

namespace FastNN.Cpu;

/// <summary>
/// Rotations by positions, row by row: 8 bytes moved per element and 4 flops; the table's row stays in the cache for all heads of
/// a position. Pairs of neighbors are taken apart and put together again in registers.
/// </summary>
internal sealed unsafe partial class CpuAttention
{
    public void Rotate(
        RotaryGeometry geometry, Tensor x, Tensor table, Tensor? positions, bool backwards, Tensor y, bool accumulate)
    {
        int rows = geometry.Outer * geometry.Time;
        var places = positions is null ? null : (int*)positions.Address;
        if (accumulate)
        {
            RowLoop.Run(
                Pool, rows, geometry.Inner * geometry.Width,
                new RotateRows<Accumulate>(geometry, Floats(x), Floats(table), places, backwards ? -1 : 1, Floats(y)));
        }
        else
        {
            RowLoop.Run(
                Pool, rows, geometry.Inner * geometry.Width,
                new RotateRows<Assign>(geometry, Floats(x), Floats(table), places, backwards ? -1 : 1, Floats(y)));
        }
    }

    /// <summary>Rows of [outer, time], each of all inner indices.</summary>
    private readonly struct RotateRows<TStore>(
        RotaryGeometry geometry, float* x, float* table, int* positions, float sign, float* y) : IRowBody
        where TStore : struct, IStore
    {
        public void Invoke<TLanes>(nint start, nint end)
            where TLanes : struct, IVectorLanes<TLanes>
        {
            int width = geometry.Width, half = width / 2;
            for (nint row = start; row < end; row++)
            {
                (nint outer, nint time) = Math.DivRem(row, geometry.Time);
                nint example = geometry.PerExample == 0 ? 0 : outer / geometry.PerExample;
                long position = positions == null ? time + geometry.Offset : positions[(example * geometry.Time) + time];
                for (int inner = 0; inner < geometry.Inner; inner++)
                {
                    nint place = ((row * geometry.Inner) + inner) * width;
                    if (inner >= geometry.Rotated)
                    {
                        ElementLoop.Range<TLanes, UnaryMap<Identity, TStore>>(new(x + place, y + place, default), 0, width);
                    }
                    else if ((ulong)position >= (ulong)geometry.Positions)
                    {
                        throw new InvalidDatasetException(
                            $"Rotary: position {position} is out of range 0..{geometry.Positions - 1}.");
                    }
                    else if (geometry.Interleaved)
                    {
                        float* from = x + place, angles = table + ((nint)position * width), to = y + place;
                        nint left = Neighbors<TLanes>(from, angles, half, to, 0);
                        Neighbors<Lanes1>(from, angles, half, to, left);
                    }
                    else
                    {
                        Halves<TLanes>(x + place, table + ((nint)position * width), half, y + place);
                    }
                }
            }
        }

        private void Halves<TLanes>(float* from, float* angles, int half, float* to)
            where TLanes : struct, IVectorLanes<TLanes>
        {
            TLanes turn = TLanes.Broadcast(sign);
            for (nint i = 0; i < half; i += TLanes.Count)
            {
                int lanes = (int)Math.Min(TLanes.Count, half - i);
                TLanes a = TLanes.Load(from + i, lanes), b = TLanes.Load(from + half + i, lanes);
                TLanes cosine = TLanes.Load(angles + i, lanes), sine = TLanes.Load(angles + half + i, lanes) * turn;
                TStore.Store(to + i, (a * cosine) - (b * sine), lanes);
                TStore.Store(to + half + i, (b * cosine) + (a * sine), lanes);
            }
        }

        /// <summary>Two vectors of pairs are turned as one of their first and one of their second numbers.</summary>
        /// <param name="i">The pair to begin with; pairs that fill no vector are left.</param>
        /// <returns>The first pair that is left.</returns>
        [MethodImpl(MethodImplOptions.NoInlining)] // Inlined, it leaves the JIT no budget to inline what Halves is made of.
        private nint Neighbors<TLanes>(float* from, float* angles, int half, float* to, nint i)
            where TLanes : struct, IVectorLanes<TLanes>
        {
            TLanes turn = TLanes.Broadcast(sign);
            for (; i + TLanes.Count <= half; i += TLanes.Count)
            {
                float* x = from + (2 * i), y = to + (2 * i);
                TLanes low = TLanes.Load(x), high = TLanes.Load(x + TLanes.Count);
                TLanes a = TLanes.Evens(low, high), b = TLanes.Odds(low, high);
                TLanes cosine = TLanes.Load(angles + i), sine = TLanes.Load(angles + half + i) * turn;
                TLanes first = (a * cosine) - (b * sine), second = (b * cosine) + (a * sine);
                TStore.Store(y, TLanes.PairsOfFirstHalf(first, second), TLanes.Count);
                TStore.Store(y + TLanes.Count, TLanes.PairsOfSecondHalf(first, second), TLanes.Count);
            }

            return i;
        }
    }
}
