using System.Runtime.CompilerServices;
using FastNN.Functions;
using FastNN.Tensors;

namespace FastNN.Cpu;

/// <summary>Clipping: 8 bytes per element forward, 12 or 16 backward.</summary>
internal sealed unsafe partial class CpuElements
{
    public void ClipForward(Tensor x, float low, float high, Tensor y) => ElementLoop.Map(Pool, x, y, new Clip(low, high));

    public void ClipBackward(Tensor x, float low, float high, Tensor dY, Tensor dX, bool accumulate) =>
        ElementLoop.Map(Pool, x, dY, dX, new ClipGradient(low, high), accumulate);

    private readonly struct Clip(float low, float high) : IUnaryOperator
    {
        /// <summary>NaN stays NaN.</summary>
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public TLanes Invoke<TLanes>(TLanes x)
            where TLanes : struct, ILanes<TLanes>
        {
            TLanes least = TLanes.Broadcast(low), most = TLanes.Broadcast(high);
            return TLanes.IfGreater(least, x, least, TLanes.IfGreater(x, most, most, x));
        }
    }

    private readonly struct ClipGradient(float low, float high) : IBinaryOperator
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public TLanes Invoke<TLanes>(TLanes x, TLanes dY)
            where TLanes : struct, ILanes<TLanes>
        {
            TLanes zero = TLanes.Broadcast(0f);
            return TLanes.IfGreaterOrEqual(
                x, TLanes.Broadcast(low), TLanes.IfGreaterOrEqual(TLanes.Broadcast(high), x, dY, zero), zero);
        }
    }
}
