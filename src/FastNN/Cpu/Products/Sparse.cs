using System.Runtime.CompilerServices;
using FastNN.Kernels;
using FastNN.Tensors;

namespace FastNN.Cpu;

/// <summary>
/// Sparse times dense, along rows of the dense operand: four vectors of a row of results add up in registers over the stored
/// elements; of blocks of four rows two vectors each, so that what is loaded of x serves four times. Gradients of the dense
/// operand are the same by columns, those of the values dot products of rows. 2 flops and 4 bytes of x per stored element and
/// column, half a byte less each for blocks.
/// </summary>
internal sealed unsafe partial class CpuProducts
{
    /// <summary>The terms of each row of a result: a weight and a row of the dense operand.</summary>
    private interface ISparseTerms
    {
        (int First, int Last) Range(nint row);

        (float Weight, nint Row) Term(int term);
    }

    public void SparseForward(Tensor values, SparsePattern pattern, Tensor x, Tensor y, SparseGeometry geometry)
    {
        int* starts = Integers(pattern.RowStarts), columns = Integers(pattern.Columns);
        if (geometry.Block == 1)
        {
            RunRows(
                geometry.Rows, geometry, new SparseRows<ByRows, Assign>(
                    new ByRows(starts, columns, Floats(values)), Floats(x), Floats(y), geometry.Width));
        }
        else
        {
            RunRows(
                geometry.BlockRows, geometry,
                new SparseBlocks(starts, columns, Floats(values), Floats(x), Floats(y), geometry.Width));
        }
    }

    public void SparseBackwardData(
        Tensor values, SparsePattern pattern, Tensor dY, Tensor dX, SparseGeometry geometry, bool accumulate)
    {
        var terms = new ByColumns(
            Integers(pattern.ColumnStarts), Integers(pattern.Blocks), Integers(pattern.Rows), Floats(values), geometry.Block);
        if (accumulate)
        {
            RunRows(
                geometry.Columns, geometry, new SparseRows<ByColumns, Accumulate>(terms, Floats(dY), Floats(dX), geometry.Width));
        }
        else
        {
            RunRows(
                geometry.Columns, geometry, new SparseRows<ByColumns, Assign>(terms, Floats(dY), Floats(dX), geometry.Width));
        }
    }

    public void SparseBackwardValues(
        SparsePattern pattern, Tensor x, Tensor dY, Tensor dValues, SparseGeometry geometry, bool accumulate) => RunRows(
        geometry.BlockRows, geometry,
        new SparseDots(
            Integers(pattern.RowStarts), Integers(pattern.Columns), Floats(x), Floats(dY), Floats(dValues), geometry.Width,
            geometry.Block, accumulate));

    private static int* Integers(Tensor tensor) => (int*)tensor.Address;

    /// <summary>A row's share of the work is taken to be the average.</summary>
    private void RunRows<TBody>(int rows, SparseGeometry geometry, TBody body)
        where TBody : struct, IRowBody
    {
        if (rows > 0)
        {
            long work = (long)geometry.Stored * geometry.Block * geometry.Width / rows;
            RowLoop.Run(Pool, rows, Math.Max(geometry.Width, work / 4), body);
        }
    }

    private readonly struct ByRows(int* starts, int* columns, float* values) : ISparseTerms
    {
        public (int First, int Last) Range(nint row) => (starts[row], starts[row + 1]);

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public (float Weight, nint Row) Term(int term) => (values[term], columns[term]);
    }

    private readonly struct ByColumns(int* starts, int* blocks, int* rows, float* values, int block) : ISparseTerms
    {
        public (int First, int Last) Range(nint row) => (starts[row] * block, starts[row + 1] * block);

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public (float Weight, nint Row) Term(int term)
        {
            (int place, int i) = block == 1 ? (term, 0) : (term >> 2, term & 3);
            return (values[((nint)blocks[place] * block) + i], ((nint)rows[place] * block) + i);
        }
    }

    private readonly struct SparseRows<TTerms, TStore>(TTerms terms, float* x, float* y, int width) : IRowBody
        where TTerms : struct, ISparseTerms
        where TStore : struct, IStore
    {
        [MethodImpl(KernelCode.Loop)]
        public void Invoke<TLanes>(nint start, nint end)
            where TLanes : struct, IVectorLanes<TLanes>
        {
            int lanes = TLanes.Count;
            for (nint row = start; row < end; row++)
            {
                (int first, int last) = terms.Range(row);
                float* to = y + (row * width);
                nint column = 0;
                for (; column + (4 * lanes) <= width; column += 4 * lanes)
                {
                    TLanes s0 = default(TLanes), s1 = s0, s2 = s0, s3 = s0;
                    for (int term = first; term < last; term++)
                    {
                        (float weight, nint from) = terms.Term(term);
                        TLanes w = TLanes.Broadcast(weight);
                        float* at = x + (from * width) + column;
                        s0 = TLanes.MultiplyAdd(w, TLanes.Load(at), s0);
                        s1 = TLanes.MultiplyAdd(w, TLanes.Load(at + lanes), s1);
                        s2 = TLanes.MultiplyAdd(w, TLanes.Load(at + (2 * lanes)), s2);
                        s3 = TLanes.MultiplyAdd(w, TLanes.Load(at + (3 * lanes)), s3);
                    }

                    TStore.Store(to + column, s0, lanes);
                    TStore.Store(to + column + lanes, s1, lanes);
                    TStore.Store(to + column + (2 * lanes), s2, lanes);
                    TStore.Store(to + column + (3 * lanes), s3, lanes);
                }

                for (; column < width; column += lanes)
                {
                    int count = (int)Math.Min(lanes, width - column);
                    TLanes sum = default(TLanes);
                    for (int term = first; term < last; term++)
                    {
                        (float weight, nint from) = terms.Term(term);
                        sum = TLanes.MultiplyAdd(TLanes.Broadcast(weight), TLanes.Load(x + (from * width) + column, count), sum);
                    }

                    TStore.Store(to + column, sum, count);
                }
            }
        }
    }

    private readonly struct SparseBlocks(int* starts, int* columns, float* values, float* x, float* y, int width) : IRowBody
    {
        public void Invoke<TLanes>(nint start, nint end)
            where TLanes : struct, IVectorLanes<TLanes>
        {
            int lanes = TLanes.Count;
            for (nint row = start; row < end; row++)
            {
                nint column = 0;
                for (; column + (2 * lanes) <= width; column += 2 * lanes)
                {
                    Whole<TLanes>(row, column);
                }

                for (; column < width; column += lanes)
                {
                    Tail<TLanes>(row, column, (int)Math.Min(lanes, width - column));
                }
            }
        }

        [MethodImpl(KernelCode.Loop)]
        private void Whole<TLanes>(nint row, nint column)
            where TLanes : struct, IVectorLanes<TLanes>
        {
            int lanes = TLanes.Count;
            TLanes s00 = default(TLanes), s01 = s00, s10 = s00, s11 = s00, s20 = s00, s21 = s00, s30 = s00, s31 = s00;
            for (int block = starts[row]; block < starts[row + 1]; block++)
            {
                float* at = x + ((nint)columns[block] * width) + column, weights = values + (4 * (nint)block);
                TLanes x0 = TLanes.Load(at), x1 = TLanes.Load(at + lanes);
                TLanes w = TLanes.Broadcast(weights[0]);
                (s00, s01) = (TLanes.MultiplyAdd(w, x0, s00), TLanes.MultiplyAdd(w, x1, s01));
                w = TLanes.Broadcast(weights[1]);
                (s10, s11) = (TLanes.MultiplyAdd(w, x0, s10), TLanes.MultiplyAdd(w, x1, s11));
                w = TLanes.Broadcast(weights[2]);
                (s20, s21) = (TLanes.MultiplyAdd(w, x0, s20), TLanes.MultiplyAdd(w, x1, s21));
                w = TLanes.Broadcast(weights[3]);
                (s30, s31) = (TLanes.MultiplyAdd(w, x0, s30), TLanes.MultiplyAdd(w, x1, s31));
            }

            float* to = y + (4 * row * width) + column;
            TLanes.Store(s00, to);
            TLanes.Store(s01, to + lanes);
            TLanes.Store(s10, to + width);
            TLanes.Store(s11, to + width + lanes);
            TLanes.Store(s20, to + (2 * (nint)width));
            TLanes.Store(s21, to + (2 * (nint)width) + lanes);
            TLanes.Store(s30, to + (3 * (nint)width));
            TLanes.Store(s31, to + (3 * (nint)width) + lanes);
        }

        [MethodImpl(KernelCode.Loop)]
        private void Tail<TLanes>(nint row, nint column, int count)
            where TLanes : struct, IVectorLanes<TLanes>
        {
            TLanes s0 = default(TLanes), s1 = s0, s2 = s0, s3 = s0;
            for (int block = starts[row]; block < starts[row + 1]; block++)
            {
                float* weights = values + (4 * (nint)block);
                TLanes at = TLanes.Load(x + ((nint)columns[block] * width) + column, count);
                s0 = TLanes.MultiplyAdd(TLanes.Broadcast(weights[0]), at, s0);
                s1 = TLanes.MultiplyAdd(TLanes.Broadcast(weights[1]), at, s1);
                s2 = TLanes.MultiplyAdd(TLanes.Broadcast(weights[2]), at, s2);
                s3 = TLanes.MultiplyAdd(TLanes.Broadcast(weights[3]), at, s3);
            }

            float* to = y + (4 * row * width) + column;
            s0.Store(to, count);
            s1.Store(to + width, count);
            s2.Store(to + (2 * (nint)width), count);
            s3.Store(to + (3 * (nint)width), count);
        }
    }

    private readonly struct SparseDots(
        int* starts, int* columns, float* x, float* dY, float* dValues, int width, int block, bool accumulate) : IRowBody
    {
        public void Invoke<TLanes>(nint start, nint end)
            where TLanes : struct, IVectorLanes<TLanes>
        {
            for (nint row = start; row < end; row++)
            {
                for (int at = starts[row]; at < starts[row + 1]; at++)
                {
                    float* from = x + ((nint)columns[at] * width);
                    for (int i = 0; i < block; i++)
                    {
                        float dot = Product<TLanes>(dY + (((row * block) + i) * width), from);
                        float* to = dValues + ((nint)at * block) + i;
                        *to = accumulate ? *to + dot : dot;
                    }
                }
            }
        }

        [MethodImpl(KernelCode.Loop)]
        private float Product<TLanes>(float* a, float* b)
            where TLanes : struct, IVectorLanes<TLanes>
        {
            int lanes = TLanes.Count;
            TLanes s0 = default(TLanes), s1 = s0;
            nint i = 0;
            for (; i + (2 * lanes) <= width; i += 2 * lanes)
            {
                s0 = TLanes.MultiplyAdd(TLanes.Load(a + i), TLanes.Load(b + i), s0);
                s1 = TLanes.MultiplyAdd(TLanes.Load(a + i + lanes), TLanes.Load(b + i + lanes), s1);
            }

            for (; i < width; i += lanes)
            {
                int count = (int)Math.Min(lanes, width - i);
                s0 = TLanes.MultiplyAdd(TLanes.Load(a + i, count), TLanes.Load(b + i, count), s0);
            }

            return TLanes.Sum(s0 + s1);
        }
    }
}
