using System.Runtime.CompilerServices;
using FastNN.Functions;
using FastNN.Kernels;
using FastNN.Tensors;

namespace FastNN.Cpu;

/// <summary>
/// dA (=|+=) the sum of dY, of -dY, or of dY * other, over the axes along which a was repeated. Where the innermost axis is among
/// them, each output is a sum along runs; else rows are added, 64 columns at a time, pairwise above 32 rows. Both orders
/// depend on the shapes alone.
/// </summary>
internal readonly unsafe struct BroadcastSum
{
    private const int Columns = 64;
    private const int Leaf = 32;
    private const int MaxOutputs = 256;
    private const int MaxBlocks = 16;

    private readonly float* _dY;
    private readonly float* _other;
    private readonly float* _dA;
    private readonly int _outputs;
    private readonly float _sign;

    /// <summary>The axes in front of the innermost that a has; A is dY's stride, B the other operand's.</summary>
    private readonly BroadcastAxes _kept;

    /// <summary>Those that it repeats along.</summary>
    private readonly BroadcastAxes _summed;

    private readonly int _rows;
    private readonly int _inner;
    private readonly bool _innerSummed;
    private readonly long _innerOther;

    /// <param name="dY">The gradient of the result.</param>
    /// <param name="dA">The operand's.</param>
    /// <param name="other">The other operand, or null.</param>
    /// <param name="otherShape">Its shape.</param>
    /// <param name="sign">1 or -1: what the sums are multiplied by.</param>
    public BroadcastSum(Tensor dY, Tensor dA, float* other, in Shape otherShape, float sign)
    {
        _dY = (float*)dY.Address;
        _dA = (float*)dA.Address;
        _other = other;
        _sign = sign;
        _outputs = Tensor.Index(dA.Count);

        // Without another operand its strides are those of a scalar and never keep axes apart.
        var axes = new BroadcastAxes(dY.Shape, dA.Shape, otherShape);
        _inner = axes.Inner;
        _innerSummed = axes.InnerA == 0;
        _innerOther = axes.InnerB;
        long stride = _inner;
        Span<long> strides = stackalloc long[Shape.MaxRank];
        for (int axis = axes.Rank - 2; axis >= 0; axis--)
        {
            strides[axis] = stride;
            stride *= axes.Extents[axis];
        }

        _rows = 1;
        for (int axis = 0; axis < axes.Rank - 1; axis++)
        {
            if (axes.A[axis] == 0)
            {
                _summed.Append(axes.Extents[axis], strides[axis], axes.B[axis]);
                _rows *= axes.Extents[axis];
            }
            else
            {
                _kept.Append(axes.Extents[axis], strides[axis], axes.B[axis]);
            }
        }

        // Locate walks all axes but the innermost, which here is a row of its own.
        _summed.Append(1, -1, -1);
        _kept.Append(1, -1, -1);
    }

    private bool OneRun => _innerSummed && _outputs == 1 && _rows == 1;

    public void Run(WorkerPool pool, bool accumulate)
    {
        if (accumulate)
        {
            Run<Accumulate>(pool);
        }
        else
        {
            Run<Assign>(pool);
        }
    }

    private void Run<TStore>(WorkerPool pool)
        where TStore : struct, IStore
    {
        if (_rows == 0 || _inner == 0)
        {
            // A sum of nothing.
            ElementLoop.Run(pool, _outputs, new ZeroMap<TStore>(_dA));
        }
        else if (OneRun)
        {
            double sum = _other == null ? SumLoop.Run(pool, _inner, new ElementTerms(_dY))
                : _innerOther == 0 ? *_other * SumLoop.Run(pool, _inner, new ElementTerms(_dY))
                : SumLoop.Run(pool, _inner, new ProductTerms(_dY, _other));
            TStore.Store(_dA, new Lanes1(_sign * (float)sum), 1);
        }
        else if (_innerSummed)
        {
            RowLoop.Run(pool, _outputs, (long)_rows * _inner, new Runs<TStore>(this));
        }
        else
        {
            AddRows<TStore>(pool);
        }
    }

    private void AddRows<TStore>(WorkerPool pool)
        where TStore : struct, IStore
    {
        // Few outputs with many rows are cut along the rows too; the parts stay on this stack.
        long work = (long)_rows * _outputs;
        int blocks = _outputs <= MaxOutputs && work > ElementLoop.Serial ? Math.Min(MaxBlocks, (_rows + Leaf - 1) / Leaf) : 1;
        float* parts = stackalloc float[blocks == 1 ? 0 : blocks * _outputs];
        int chunks = (_inner + Columns - 1) / Columns;
        int tasks = _outputs / _inner * chunks * blocks;
        long perTask = (work + tasks - 1) / tasks;
        if (blocks == 1)
        {
            RowLoop.Run(pool, tasks, perTask, new RowSums<TStore>(this, _dA, 1, chunks));
            return;
        }

        RowLoop.Run(pool, tasks, perTask, new RowSums<Assign>(this, parts, blocks, chunks));
        for (int i = 0; i < _outputs; i++)
        {
            double sum = 0;
            for (int block = 0; block < blocks; block++)
            {
                sum += parts[(block * _outputs) + i];
            }

            TStore.Store(_dA + i, new Lanes1(_sign * (float)sum), 1);
        }
    }

    /// <summary>Each output the sum of some runs.</summary>
    private readonly struct Runs<TStore>(BroadcastSum sum) : IRowBody
        where TStore : struct, IStore
    {
        public void Invoke<TLanes>(nint start, nint end)
            where TLanes : struct, IVectorLanes<TLanes>
        {
            for (nint output = start; output < end; output++)
            {
                sum._kept.Locate(output, out nint given, out nint other);
                double total = 0;
                for (nint row = 0; row < sum._rows; row++)
                {
                    sum._summed.Locate(row, out nint i, out nint k);
                    total += Run<TLanes>(sum._dY + given + i, sum._other + other + k);
                }

                TStore.Store(sum._dA + output, new Lanes1(sum._sign * (float)total), 1);
            }
        }

        private double Run<TLanes>(float* dY, float* other)
            where TLanes : struct, IVectorLanes<TLanes> =>
            sum._other == null ? SumLoop.Range<TLanes, ElementTerms>(new(dY), 0, sum._inner)
            : sum._innerOther == 0 ? *other * SumLoop.Range<TLanes, ElementTerms>(new(dY), 0, sum._inner)
            : SumLoop.Range<TLanes, ProductTerms>(new(dY, other), 0, sum._inner);
    }

    /// <summary>Tasks are numbered (block of rows, kept axes, chunk of columns).</summary>
    private readonly struct RowSums<TStore>(BroadcastSum sum, float* outputs, int blocks, int chunks) : IRowBody
        where TStore : struct, IStore
    {
        public void Invoke<TLanes>(nint start, nint end)
            where TLanes : struct, IVectorLanes<TLanes>
        {
            float* total = stackalloc float[Columns];
            int perBlock = sum._outputs / sum._inner * chunks;
            for (nint task = start; task < end; task++)
            {
                (nint block, nint rest) = Math.DivRem(task, perBlock);
                (nint kept, nint chunk) = Math.DivRem(rest, chunks);
                nint column = chunk * Columns;
                int width = (int)Math.Min(Columns, sum._inner - column);
                sum._kept.Locate(kept, out nint given, out nint other);
                nint origin = other + (sum._innerOther == 0 ? 0 : column);
                Add<TLanes>(sum._dY + given + column, sum._other + origin, First(block), First(block + 1), width, total);
                float* to = outputs + (block * sum._outputs) + (kept * sum._inner) + column;
                ElementLoop.Range<TLanes, UnaryMap<Signed, TStore>>(new(total, to, new(blocks == 1 ? sum._sign : 1)), 0, width);
            }
        }

        private nint First(nint block) => (nint)((long)sum._rows * block / blocks);

        /// <summary>total = the sum of rows start to end - 1, by halves.</summary>
        private void Add<TLanes>(float* dY, float* other, nint start, nint end, int width, float* total)
            where TLanes : struct, IVectorLanes<TLanes>
        {
            if (end - start <= Leaf)
            {
                AddLeaf<TLanes>(dY, other, start, end, width, total);
                return;
            }

            nint middle = start + ((end - start) / 2);
            float* second = stackalloc float[Columns];
            Add<TLanes>(dY, other, start, middle, width, total);
            Add<TLanes>(dY, other, middle, end, width, second);
            ElementLoop.Range<TLanes, UnaryMap<Identity, Accumulate>>(new(second, total, default), 0, width);
        }

        [MethodImpl(KernelCode.Loop)]
        private void AddLeaf<TLanes>(float* dY, float* other, nint start, nint end, int width, float* total)
            where TLanes : struct, IVectorLanes<TLanes>
        {
            for (nint column = 0; column < width; column += TLanes.Count)
            {
                int count = (int)Math.Min(TLanes.Count, width - column);
                TLanes strip = TLanes.Broadcast(0f);
                for (nint row = start; row < end; row++)
                {
                    sum._summed.Locate(row, out nint i, out nint k);
                    TLanes given = TLanes.Load(dY + i + column, count);
                    strip += sum._other == null ? given
                        : given * (sum._innerOther == 0 ? TLanes.Broadcast(other[k]) : TLanes.Load(other + k + column, count));
                }

                strip.Store(total + column, count);
            }
        }
    }

    /// <summary>x or -x; a product with 1 keeps every bit.</summary>
    private readonly struct Signed(float sign) : IUnaryOperator
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public TLanes Invoke<TLanes>(TLanes x)
            where TLanes : struct, ILanes<TLanes> => x * TLanes.Broadcast(sign);
    }
}
