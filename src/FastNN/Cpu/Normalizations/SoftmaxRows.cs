using System.Runtime.CompilerServices;
using FastNN.Functions;

namespace FastNN.Cpu;

/// <summary>Contiguous rows: y = softmax(x) or its logarithm. Rows of at most one vector stay in registers.</summary>
internal readonly unsafe struct SoftmaxRows<TLogarithm>(float* x, float* y, int axis) : IRowBody
    where TLogarithm : struct, IFlag
{
    [MethodImpl(KernelCode.Loop)]
    public void Invoke<TLanes>(nint start, nint end)
        where TLanes : struct, IVectorLanes<TLanes>
    {
        for (nint row = start; row < end; row++)
        {
            if (axis <= TLanes.Count)
            {
                ShortRow<TLanes>(x + (row * axis), y + (row * axis));
            }
            else
            {
                LongRow<TLanes>(x + (row * axis), y + (row * axis));
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void ShortRow<TLanes>(float* from, float* to)
        where TLanes : struct, IVectorLanes<TLanes>
    {
        TLanes exponentials = SoftmaxPieces.ShortExponentials(
            TLanes.Load(from, axis), axis, out TLanes shifted, out _, out float sum);
        TLanes result = TLogarithm.Value
            ? shifted - TLanes.Broadcast(MathF.Log(sum))
            : exponentials * TLanes.Broadcast(1 / sum);
        result.Store(to, axis);
    }

    private void LongRow<TLanes>(float* from, float* to)
        where TLanes : struct, IVectorLanes<TLanes>
    {
        float largest = SoftmaxPieces.Largest<TLanes>(from, axis);
        if (TLogarithm.Value)
        {
            float sum = (float)SumLoop.Range<TLanes, ExponentialTerms>(new(from, largest), 0, axis);
            ElementLoop.Range<TLanes, UnaryMap<ShiftTwice, Assign>>(new(from, to, new(largest, MathF.Log(sum))), 0, axis);
        }
        else
        {
            float sum = (float)SumLoop.Range<TLanes, KeptExponentialTerms>(new(from, to, largest), 0, axis);
            ElementLoop.Range<TLanes, BinaryScalarMap<ValueOfPair<Functions.Multiply>,
            Assign>>(new(to, 1 / sum, to, default), 0, axis);
        }
    }
}

/// <summary>Contiguous rows: dX (=|+=) y (dY - sum(dY y)), or dY - exp(y) sum(dY) for the logarithm.</summary>
internal readonly unsafe struct SoftmaxRowGradients<TLogarithm, TStore>(float* y, float* dY, float* dX, int axis) : IRowBody
    where TLogarithm : struct, IFlag
    where TStore : struct, IStore
{
    [MethodImpl(KernelCode.Loop)]
    public void Invoke<TLanes>(nint start, nint end)
        where TLanes : struct, IVectorLanes<TLanes>
    {
        for (nint row = start; row < end; row++)
        {
            float* output = y + (row * axis), given = dY + (row * axis), gradient = dX + (row * axis);
            float sum = Sum<TLanes>(output, given);
            if (TLogarithm.Value)
            {
                ElementLoop.Range<TLanes, BinaryMap<LogSoftmaxGradient, TStore>>(new(output, given, gradient, new(sum)), 0, axis);
            }
            else
            {
                ElementLoop.Range<TLanes, BinaryMap<SoftmaxGradient, TStore>>(new(output, given, gradient, new(sum)), 0, axis);
            }
        }
    }

    private float Sum<TLanes>(float* output, float* given)
        where TLanes : struct, IVectorLanes<TLanes> => TLogarithm.Value
        ? (float)SumLoop.Range<TLanes, ElementTerms>(new(given), 0, axis)
        : (float)SumLoop.Range<TLanes, ProductTerms>(new(output, given), 0, axis);
}

/// <summary>(x - first) - second: one after the other, because their sum would lose the second to a large first.</summary>
internal readonly struct ShiftTwice(float first, float second) : IUnaryOperator
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public TLanes Invoke<TLanes>(TLanes x)
        where TLanes : struct, ILanes<TLanes> => x - TLanes.Broadcast(first) - TLanes.Broadcast(second);
}

internal readonly struct SoftmaxGradient(float sum) : IBinaryOperator
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public TLanes Invoke<TLanes>(TLanes y, TLanes dY)
        where TLanes : struct, ILanes<TLanes> => y * (dY - TLanes.Broadcast(sum));
}

internal readonly struct LogSoftmaxGradient(float sum) : IBinaryOperator
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public TLanes Invoke<TLanes>(TLanes y, TLanes dY)
        where TLanes : struct, ILanes<TLanes> => dY - (Elementary.Exp(y) * TLanes.Broadcast(sum));
}
