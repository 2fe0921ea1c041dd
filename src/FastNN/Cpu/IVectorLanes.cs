using FastNN.Functions;

namespace FastNN.Cpu;

/// <summary>Lanes of a vector register, 16, 8, 4 or 1 of them, that come from memory, go back there, and add up.</summary>
internal unsafe interface IVectorLanes<TSelf> : ILanes<TSelf>
    where TSelf : struct, IVectorLanes<TSelf>
{
    /// <summary>Number of lanes, a constant to the JIT.</summary>
    static abstract int Count { get; }

    /// <summary>Loads the first <paramref name="count"/> lanes; the others are zero and their memory is not touched.</summary>
    static abstract TSelf Load(float* source, int count);

    /// <summary>Stores the first <paramref name="count"/> lanes.</summary>
    void Store(float* destination, int count);

    /// <summary>x in the first <paramref name="count"/> lanes, fill in the others.</summary>
    static abstract TSelf KeepFirst(TSelf x, int count, float fill);

    /// <summary>The sum of all lanes, pairwise.</summary>
    static abstract float Sum(TSelf x);

    /// <summary>The largest lane; unspecified where one is NaN.</summary>
    static abstract float Largest(TSelf x);
}

/// <summary>
/// Work that is generic over the width; <see cref="Lanes.Dispatch"/> runs it at the widest that this processor has.
/// </summary>
internal interface ILanesAction
{
    void Invoke<TLanes>()
        where TLanes : struct, IVectorLanes<TLanes>;
}
