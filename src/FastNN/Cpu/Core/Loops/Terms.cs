using System.Runtime.CompilerServices;
using FastNN.Functions;

namespace FastNN.Cpu;

/// <summary>exp(x - shift).</summary>
internal readonly unsafe struct ExponentialTerms(float* x, float shift) : ITermBody
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public TLanes Invoke<TLanes>(nint i, int count)
        where TLanes : struct, IVectorLanes<TLanes> => Elementary.Exp(TLanes.Load(x + i, count) - TLanes.Broadcast(shift));
}

/// <summary>y = exp(x - shift), to be summed as well.</summary>
internal readonly unsafe struct KeptExponentialTerms(float* x, float* y, float shift) : ITermBody
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public TLanes Invoke<TLanes>(nint i, int count)
        where TLanes : struct, IVectorLanes<TLanes>
    {
        TLanes exponential = Elementary.Exp(TLanes.Load(x + i, count) - TLanes.Broadcast(shift));
        exponential.Store(y + i, count);
        return exponential;
    }
}

/// <summary>x.</summary>
internal readonly unsafe struct ElementTerms(float* x) : ITermBody
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public TLanes Invoke<TLanes>(nint i, int count)
        where TLanes : struct, IVectorLanes<TLanes> => TLanes.Load(x + i, count);
}

/// <summary>a b.</summary>
internal readonly unsafe struct ProductTerms(float* a, float* b) : ITermBody
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public TLanes Invoke<TLanes>(nint i, int count)
        where TLanes : struct, IVectorLanes<TLanes> => TLanes.Load(a + i, count) * TLanes.Load(b + i, count);
}
