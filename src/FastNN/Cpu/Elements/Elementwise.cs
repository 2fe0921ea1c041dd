using System.Runtime.CompilerServices;
using FastNN.Kernels;
using FastNN.Tensors;

namespace FastNN.Cpu;

/// <summary>
/// Operators of two operands with broadcasting: 12 bytes moved per element where both are whole, 8 where one is a row or a
/// scalar, which stays in the cache.
/// </summary>
internal sealed unsafe partial class CpuElements
{
    public void BinaryForward(BinaryOperator op, Tensor a, Tensor b, Tensor y)
    {
        var axes = new BroadcastAxes(y.Shape, a.Shape, b.Shape);
        if (op == BinaryOperator.Add)
        {
            Broadcast<Add, Assign>(axes, Floats(a), Floats(b), Floats(y), y.Count);
        }
        else
        {
            Broadcast<Multiply, Assign>(axes, Floats(a), Floats(b), Floats(y), y.Count);
        }
    }

    public void BinaryBackward(BinaryOperator op, Tensor dY, Tensor other, Tensor dA, bool accumulate)
    {
        bool repeated = dA.Count != dY.Count;
        if (repeated)
        {
            BroadcastSum sum = op == BinaryOperator.Add
                ? new BroadcastSum(dY, dA, null)
                : new BroadcastSum(dY, dA, other);
            sum.Run(Pool, accumulate);
        }
        else if (op == BinaryOperator.Multiply)
        {
            var axes = new BroadcastAxes(dY.Shape, dY.Shape, other.Shape);
            if (accumulate)
            {
                Broadcast<Multiply, Accumulate>(axes, Floats(dY), Floats(other), Floats(dA), dY.Count);
            }
            else
            {
                Broadcast<Multiply, Assign>(axes, Floats(dY), Floats(other), Floats(dA), dY.Count);
            }
        }
        else if (accumulate || dA.Address != dY.Address)
        {
            Copy(dY, dA, accumulate);
        }
    }

    private void Broadcast<TOperator, TStore>(BroadcastAxes axes, float* a, float* b, float* y, long count)
        where TOperator : struct, IBinaryOperator
        where TStore : struct, IStore
    {
        if (count == 0)
        {
            return;
        }

        if (axes.Rank > 1)
        {
            RowLoop.Run(Pool, axes.Outer, axes.Inner, new BroadcastRows<TOperator, TStore>(axes, a, b, y));
        }
        else if (axes.InnerA == axes.InnerB)
        {
            ElementLoop.Run(Pool, count, new BinaryMap<TOperator, TStore>(a, b, y, default));
        }
        else if (axes.InnerA == 0)
        {
            // Both operators are commutative, so the repeated operand may always be the second.
            ElementLoop.Run(Pool, count, new BinaryScalarMap<TOperator, TStore>(b, *a, y, default));
        }
        else
        {
            ElementLoop.Run(Pool, count, new BinaryScalarMap<TOperator, TStore>(a, *b, y, default));
        }
    }

    private readonly struct BroadcastRows<TOperator, TStore>(BroadcastAxes axes, float* a, float* b, float* y) : IRowBody
        where TOperator : struct, IBinaryOperator
        where TStore : struct, IStore
    {
        // A short row is repeated in a buffer, so that vectors are full and few loops start.
        private const int Repeated = 512;

        public void Invoke<TLanes>(nint start, nint end)
            where TLanes : struct, IVectorLanes<TLanes>
        {
            int length = axes.Inner;
            if (axes.Rank == 2 && axes.InnerA == 1 && axes.InnerB == 1 && length <= Repeated / 4 && (axes.A[0] == 0 || axes.B[0] == 0))
            {
                bool first = axes.A[0] == 0;
                ShortRows<TLanes>(first ? b : a, first ? a : b, start, end, length);
                return;
            }

            for (nint row = start; row < end; row++)
            {
                axes.Locate(row, out nint i, out nint k);
                float* to = y + (row * length);
                if (axes.InnerA == axes.InnerB)
                {
                    ElementLoop.Range<TLanes, BinaryMap<TOperator, TStore>>(new(a + i, b + k, to, default), 0, length);
                }
                else if (axes.InnerA == 0)
                {
                    ElementLoop.Range<TLanes, BinaryScalarMap<TOperator, TStore>>(new(b + k, a[i], to, default), 0, length);
                }
                else
                {
                    ElementLoop.Range<TLanes, BinaryScalarMap<TOperator, TStore>>(new(a + i, b[k], to, default), 0, length);
                }
            }
        }

        private void ShortRows<TLanes>(float* whole, float* row, nint start, nint end, int length)
            where TLanes : struct, IVectorLanes<TLanes>
        {
            float* pattern = stackalloc float[Repeated];
            int times = (int)Math.Min(Repeated / length, end - start);
            for (int i = 0; i < times; i++)
            {
                Unsafe.CopyBlock(pattern + (i * length), row, (uint)length * sizeof(float));
            }

            for (nint i = start; i < end; i += times)
            {
                nint offset = i * length;
                nint some = Math.Min(times, end - i) * length;
                ElementLoop.Range<TLanes, BinaryMap<TOperator, TStore>>(new(whole + offset, pattern, y + offset, default), 0, some);
            }
        }
    }
}
