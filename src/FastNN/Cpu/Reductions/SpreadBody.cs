using System.Runtime.CompilerServices;
using FastNN.Functions;
using FastNN.Kernels;

namespace FastNN.Cpu;

/// <summary>The operands of a reduction's gradient.</summary>
/// <param name="axes">First: the input's strides, dense. Second: the output's, 0 along reduced axes.</param>
internal readonly unsafe struct SpreadOperands(
    StridedAxes axes, float* x, float* y, float* saved, float* more, float* dY, float* dX, float scale)
{
    public readonly StridedAxes Axes = axes;
    public readonly float* X = x;
    public readonly float* Y = y;
    public readonly float* Saved = saved;
    public readonly float* More = more;
    public readonly float* DY = dY;
    public readonly float* DX = dX;
    public readonly float Scale = scale;
}

/// <summary>A run of elements, whose outputs are one, or as many neighbors.</summary>
internal readonly unsafe struct SpreadBody<TSlope, TStore>(SpreadOperands operands, nint first, nint output) : IElementBody
    where TSlope : struct, ISlope
    where TStore : struct, IStore
{
    private readonly bool _one = operands.Axes.Rank == 0 || operands.Axes.Second[operands.Axes.Rank - 1] == 0;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Invoke<TLanes>(nint i, int count)
        where TLanes : struct, IVectorLanes<TLanes>
    {
        TLanes x = TLanes.Load(operands.X + first + i, count);
        TStore.Store(
            operands.DX + first + i,
            TSlope.Of(
                x, Load<TLanes>(operands.Y, i, count), Load<TLanes>(operands.Saved, i, count),
                Load<TLanes>(operands.More, i, count),
                Load<TLanes>(operands.DY, i, count), TLanes.Broadcast(operands.Scale)),
            count);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private TLanes Load<TLanes>(float* outputs, nint i, int count)
        where TLanes : struct, IVectorLanes<TLanes> =>
        _one ? TLanes.Broadcast(outputs[output]) : TLanes.Load(outputs + output + i, count);
}

internal readonly unsafe struct SpreadRowsBody<TSlope, TStore>(SpreadOperands operands) : IRowBody
    where TSlope : struct, ISlope
    where TStore : struct, IStore
{
    public void Invoke<TLanes>(nint start, nint end)
        where TLanes : struct, IVectorLanes<TLanes>
    {
        for (nint row = start; row < end; row++)
        {
            operands.Axes.Locate(row, out nint first, out nint output, out _);
            ElementLoop.Range<TLanes, SpreadBody<TSlope, TStore>>(new(operands, first, output), 0, operands.Axes.Inner);
        }
    }
}
