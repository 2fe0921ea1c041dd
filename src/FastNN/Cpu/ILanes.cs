namespace FastNN.Cpu;

/// <summary>
/// A few floats that are computed on together: 16, 8, 4 or 1 of them. Element-wise kernels are written once against this and the
/// JIT compiles them for each width, as every member is inlined. Comparisons come fused with their selection, so that no mask
/// type is needed and AVX-512 can keep masks in its own registers.
/// </summary>
internal unsafe interface ILanes<TSelf>
    where TSelf : struct, ILanes<TSelf>
{
    /// <summary>Number of lanes, a constant to the JIT.</summary>
    static abstract int Count { get; }

    /// <summary>Loads the first <paramref name="count"/> lanes; the others are zero and their memory is not touched.</summary>
    static abstract TSelf Load(float* source, int count);

    /// <summary>Stores the first <paramref name="count"/> lanes.</summary>
    void Store(float* destination, int count);

    static abstract TSelf Broadcast(float value);

    /// <summary>x in the first <paramref name="count"/> lanes, fill in the others.</summary>
    static abstract TSelf KeepFirst(TSelf x, int count, float fill);

    static abstract TSelf operator +(TSelf x, TSelf y);

    static abstract TSelf operator -(TSelf x, TSelf y);

    static abstract TSelf operator *(TSelf x, TSelf y);

    static abstract TSelf operator /(TSelf x, TSelf y);

    static abstract TSelf operator -(TSelf x);

    /// <summary>x * y + z, rounded once where the processor has such an instruction.</summary>
    static abstract TSelf MultiplyAdd(TSelf x, TSelf y, TSelf z);

    /// <summary>The smaller; y where y is NaN.</summary>
    static abstract TSelf Min(TSelf x, TSelf y);

    /// <summary>The larger; y where y is NaN.</summary>
    static abstract TSelf Max(TSelf x, TSelf y);

    static abstract TSelf Abs(TSelf x);

    static abstract TSelf Sqrt(TSelf x);

    /// <summary>The nearest integer, ties to even.</summary>
    static abstract TSelf Round(TSelf x);

    /// <summary>x * 2^n for integral n in [-250, 250], with correct overflow and denormal results.</summary>
    static abstract TSelf ScaleByPowerOfTwo(TSelf x, TSelf n);

    /// <summary>The natural logarithm, as the base library computes it.</summary>
    static abstract TSelf Log(TSelf x);

    /// <summary>a > b ? x : y; y where a or b is NaN.</summary>
    static abstract TSelf IfGreater(TSelf a, TSelf b, TSelf x, TSelf y);

    /// <summary>a >= b ? x : y; y where a or b is NaN.</summary>
    static abstract TSelf IfGreaterOrEqual(TSelf a, TSelf b, TSelf x, TSelf y);

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
        where TLanes : struct, ILanes<TLanes>;
}
