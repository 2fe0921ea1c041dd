using System.Runtime.CompilerServices;

namespace FastNN.Cpu;

/// <summary>y (=|+=) term: a loss that is not reduced.</summary>
internal readonly unsafe struct TermMap<TTerms, TStore>(TTerms terms, float* y) : IElementBody
    where TTerms : struct, ITermBody
    where TStore : struct, IStore
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Invoke<TLanes>(nint i, int count)
        where TLanes : struct, IVectorLanes<TLanes> => TStore.Store(y + i, terms.Invoke<TLanes>(i, count), count);
}

/// <summary>y (=|+=) scale * term: the gradient of a reduced loss.</summary>
internal readonly unsafe struct ScaledTermMap<TTerms, TStore>(TTerms terms, float scale, float* y) : IElementBody
    where TTerms : struct, ITermBody
    where TStore : struct, IStore
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Invoke<TLanes>(nint i, int count)
        where TLanes : struct, IVectorLanes<TLanes> =>
        TStore.Store(y + i, terms.Invoke<TLanes>(i, count) * TLanes.Broadcast(scale), count);
}

/// <summary>y (=|+=) factor * term: the gradient of a loss that is not reduced.</summary>
internal readonly unsafe struct ProductTermMap<TTerms, TStore>(TTerms terms, float* factors, float* y) : IElementBody
    where TTerms : struct, ITermBody
    where TStore : struct, IStore
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Invoke<TLanes>(nint i, int count)
        where TLanes : struct, IVectorLanes<TLanes> =>
        TStore.Store(y + i, terms.Invoke<TLanes>(i, count) * TLanes.Load(factors + i, count), count);
}

/// <summary>y = 0, or nothing where it accumulates: the gradient of what does not count.</summary>
internal readonly unsafe struct ZeroMap<TStore>(float* y) : IElementBody
    where TStore : struct, IStore
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Invoke<TLanes>(nint i, int count)
        where TLanes : struct, IVectorLanes<TLanes> => TStore.Store(y + i, TLanes.Broadcast(0f), count);
}
