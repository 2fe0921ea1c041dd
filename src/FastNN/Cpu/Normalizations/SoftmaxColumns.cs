using System.Runtime.CompilerServices;
using FastNN.Functions;

namespace FastNN.Cpu;

/// <summary>Rows of [axis, inner]: softmax, or its logarithm, down each of the inner columns; lanes lie across columns.</summary>
internal readonly unsafe struct SoftmaxColumns<TLogarithm>(float* x, float* y, int axis, int inner) : IRowBody
    where TLogarithm : struct, IFlag
{
    public void Invoke<TLanes>(nint start, nint end)
        where TLanes : struct, IVectorLanes<TLanes>
    {
        for (nint row = start; row < end; row++)
        {
            nint origin = row * axis * inner;
            ElementLoop.Range<TLanes, Columns>(new(x + origin, y + origin, axis, inner), 0, inner);
        }
    }

    private readonly struct Columns(float* x, float* y, int axis, int inner) : IElementBody
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Invoke<TLanes>(nint i, int count)
            where TLanes : struct, IVectorLanes<TLanes>
        {
            TLanes largest = TLanes.Load(x + i, count);
            for (nint k = 1; k < axis; k++)
            {
                largest = TLanes.Max(TLanes.Load(x + i + (k * inner), count), largest);
            }

            TLanes sum = TLanes.Broadcast(0f);
            for (nint k = 0; k < axis; k++)
            {
                TLanes exponential = Elementary.Exp(TLanes.Load(x + i + (k * inner), count) - largest);
                sum += exponential;
                if (!TLogarithm.Value)
                {
                    exponential.Store(y + i + (k * inner), count);
                }
            }

            TLanes last = TLogarithm.Value ? TLanes.Log(sum) : TLanes.Broadcast(1f) / sum;
            for (nint k = 0; k < axis; k++)
            {
                TLanes result = TLogarithm.Value
                    ? TLanes.Load(x + i + (k * inner), count) - largest - last
                    : TLanes.Load(y + i + (k * inner), count) * last;
                result.Store(y + i + (k * inner), count);
            }
        }
    }
}

/// <summary>The gradient of <see cref="SoftmaxColumns{TLogarithm}"/>: dX (=|+=).</summary>
internal readonly unsafe struct SoftmaxColumnGradients<TLogarithm, TStore>(float* y, float* dY, float* dX, int axis, int inner)
    : IRowBody
    where TLogarithm : struct, IFlag
    where TStore : struct, IStore
{
    public void Invoke<TLanes>(nint start, nint end)
        where TLanes : struct, IVectorLanes<TLanes>
    {
        for (nint row = start; row < end; row++)
        {
            nint origin = row * axis * inner;
            ElementLoop.Range<TLanes, Columns>(new(y + origin, dY + origin, dX + origin, axis, inner), 0, inner);
        }
    }

    private readonly struct Columns(float* y, float* dY, float* dX, int axis, int inner) : IElementBody
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Invoke<TLanes>(nint i, int count)
            where TLanes : struct, IVectorLanes<TLanes>
        {
            TLanes sum = TLanes.Broadcast(0f);
            for (nint k = 0; k < axis; k++)
            {
                TLanes given = TLanes.Load(dY + i + (k * inner), count);
                sum += TLogarithm.Value ? given : given * TLanes.Load(y + i + (k * inner), count);
            }

            for (nint k = 0; k < axis; k++)
            {
                TLanes given = TLanes.Load(dY + i + (k * inner), count), output = TLanes.Load(y + i + (k * inner), count);
                TLanes gradient = TLogarithm.Value ? given - (Elementary.Exp(output) * sum) : output * (given - sum);
                TStore.Store(dX + i + (k * inner), gradient, count);
            }
        }
    }
}
