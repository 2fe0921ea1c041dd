using System.Runtime.CompilerServices;
using FastNN.Functions;

namespace FastNN.Cpu;

/// <summary>x itself.</summary>
internal readonly struct Identity : IUnaryOperator
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public TLanes Invoke<TLanes>(TLanes x)
        where TLanes : struct, ILanes<TLanes> => x;
}

/// <summary>x + y.</summary>
internal readonly struct Add : IBinaryOperator
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public TLanes Invoke<TLanes>(TLanes x, TLanes y)
        where TLanes : struct, ILanes<TLanes> => x + y;
}

/// <summary>x y.</summary>
internal readonly struct Multiply : IBinaryOperator
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public TLanes Invoke<TLanes>(TLanes x, TLanes y)
        where TLanes : struct, ILanes<TLanes> => x * y;
}
