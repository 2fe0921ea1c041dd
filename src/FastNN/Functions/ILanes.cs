namespace FastNN.Functions;

/// <summary>
/// A few numbers that are computed on together, and all that a function may do with them. A function is written once against
/// this: vectors of 16, 8, 4 and 1 floats compute it on the CPU, where the JIT inlines every member and compiles it for each
/// width. Comparisons come fused with their selection, so that no mask type is needed and AVX-512 can keep masks in its own
/// registers. Nothing here knows of memory: vectors that load and store are the CPU's own (IVectorLanes).
/// </summary>
internal interface ILanes<TSelf>
    where TSelf : struct, ILanes<TSelf>
{
    /// <summary>One number in all lanes: literals stand in a function's text as they are.</summary>
    static abstract implicit operator TSelf(float value);

    /// <summary>A parameter of the function in all lanes.</summary>
    static abstract implicit operator TSelf(Scalar scalar);

    static abstract TSelf Broadcast(float value);

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

    /// <summary>The bits that both have; of integers alone, like the four below.</summary>
    static virtual TSelf BitwiseAnd(TSelf x, TSelf y) => throw OfIntegers();

    /// <summary>The bits that either has.</summary>
    static virtual TSelf BitwiseOr(TSelf x, TSelf y) => throw OfIntegers();

    /// <summary>The bits in which they differ.</summary>
    static virtual TSelf BitwiseXor(TSelf x, TSelf y) => throw OfIntegers();

    /// <summary>x's bits moved up by the lowest five bits of y.</summary>
    static virtual TSelf ShiftLeft(TSelf x, TSelf y) => throw OfIntegers();

    /// <summary>x's bits moved down by the lowest five bits of y; its sign moves in.</summary>
    static virtual TSelf ShiftRight(TSelf x, TSelf y) => throw OfIntegers();

    private static NotSupportedException OfIntegers() =>
        new("Floats have no bits to compute with: the function's row must name integers alone.");
}
