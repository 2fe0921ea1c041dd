using System.Runtime.CompilerServices;
using FastNN.Functions;

namespace FastNN.Cpu;

/// <summary>How a result reaches memory: = or +=. Chosen once per kernel, so the loop has no branch.</summary>
internal unsafe interface IStore
{
    static abstract void Store<TLanes>(float* destination, TLanes value, int count)
        where TLanes : struct, IVectorLanes<TLanes>;
}

/// <summary>y = value.</summary>
internal readonly unsafe struct Assign : IStore
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store<TLanes>(float* destination, TLanes value, int count)
        where TLanes : struct, IVectorLanes<TLanes> => value.Store(destination, count);
}

/// <summary>y += value.</summary>
internal readonly unsafe struct Accumulate : IStore
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store<TLanes>(float* destination, TLanes value, int count)
        where TLanes : struct, IVectorLanes<TLanes> => (TLanes.Load(destination, count) + value).Store(destination, count);
}

/// <summary>A function of one number.</summary>
internal interface IUnaryOperator
{
    TLanes Invoke<TLanes>(TLanes x)
        where TLanes : struct, ILanes<TLanes>;
}

/// <summary>A function of two numbers.</summary>
internal interface IBinaryOperator
{
    TLanes Invoke<TLanes>(TLanes x, TLanes y)
        where TLanes : struct, ILanes<TLanes>;
}

/// <summary>y (=|+=) f(x).</summary>
internal readonly unsafe struct UnaryMap<TOperator, TStore>(float* x, float* y, TOperator f) : IElementBody
    where TOperator : struct, IUnaryOperator
    where TStore : struct, IStore
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Invoke<TLanes>(nint i, int count)
        where TLanes : struct, IVectorLanes<TLanes> =>
        TStore.Store(y + i, f.Invoke(TLanes.Load(x + i, count)), count);
}

/// <summary>y (=|+=) f(a, b).</summary>
internal readonly unsafe struct BinaryMap<TOperator, TStore>(float* a, float* b, float* y, TOperator f) : IElementBody
    where TOperator : struct, IBinaryOperator
    where TStore : struct, IStore
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Invoke<TLanes>(nint i, int count)
        where TLanes : struct, IVectorLanes<TLanes> =>
        TStore.Store(y + i, f.Invoke(TLanes.Load(a + i, count), TLanes.Load(b + i, count)), count);
}

/// <summary>y (=|+=) f(a, b) with one b for all.</summary>
internal readonly unsafe struct BinaryScalarMap<TOperator, TStore>(float* a, float b, float* y, TOperator f) : IElementBody
    where TOperator : struct, IBinaryOperator
    where TStore : struct, IStore
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Invoke<TLanes>(nint i, int count)
        where TLanes : struct, IVectorLanes<TLanes> =>
        TStore.Store(y + i, f.Invoke(TLanes.Load(a + i, count), TLanes.Broadcast(b)), count);
}
