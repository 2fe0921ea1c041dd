using FastNN.Functions;

namespace FastNN.Cpu;

/// <summary>
/// One rung of the SIMD ladder: the lanes of a vector register, 16, 8, 4 or 1 of them, that come from memory, go back there, and
/// add up. Every kernel is written once, generic over a rung; as the rungs are structs with static members, the JIT compiles it
/// exactly for the vector it gets.
/// </summary>
internal unsafe interface IVectorLanes<TSelf> : ILanes<TSelf>
    where TSelf : struct, IVectorLanes<TSelf>
{
    /// <summary>Whether this processor has the instructions, and runs them at full speed.</summary>
    static abstract bool IsSupported { get; }

    /// <summary>
    /// Rows of the register tile, which is two vectors wide: 12 where there are 32 registers (24 sums, two of B, one of A),
    /// 6 where there are 16.
    /// </summary>
    static abstract int TileRows { get; }

    /// <summary>Number of lanes, a constant to the JIT.</summary>
    static abstract int Count { get; }

    /// <summary>Loads the first <paramref name="count"/> lanes; the others are zero and their memory is not touched.</summary>
    static abstract TSelf Load(float* source, int count);

    /// <summary>Loads all lanes.</summary>
    static abstract TSelf Load(float* source);

    /// <summary>All bits set in the first <paramref name="count"/> lanes.</summary>
    static abstract TSelf Mask(int count);

    /// <summary>Zero in the lanes that the mask leaves out, whose memory is not touched.</summary>
    static abstract TSelf LoadMasked(float* source, TSelf mask);

    /// <summary>Four floats, from offset on, of every fourth row (0, 4, 8, 12) into one 128-bit lane each.</summary>
    static abstract TSelf LoadQuads(float** rows, nint offset);

    /// <summary>Stores the first <paramref name="count"/> lanes.</summary>
    void Store(float* destination, int count);

    /// <summary>Stores all lanes.</summary>
    static abstract void Store(TSelf value, float* destination);

    /// <summary>Stores the lanes of the mask.</summary>
    static abstract void StoreMasked(TSelf value, float* destination, TSelf mask);

    /// <summary>Stores the first <paramref name="count"/> lanes, which are 0 or 1, as bytes.</summary>
    static abstract void StoreTruth(TSelf value, byte* destination, int count);

    /// <summary>x in the first <paramref name="count"/> lanes, fill in the others.</summary>
    static abstract TSelf KeepFirst(TSelf x, int count, float fill);

    /// <summary>max(0, x); NaN stays NaN.</summary>
    static abstract TSelf Positive(TSelf x);

    /// <summary>min(0, x); NaN stays NaN.</summary>
    static abstract TSelf Negative(TSelf x);

    /// <summary>The lesser of x and a bound that is a number; NaN stays NaN.</summary>
    static abstract TSelf AtMost(TSelf x, TSelf bound);

    /// <summary>The greater of x and a bound that is a number; NaN stays NaN.</summary>
    static abstract TSelf AtLeast(TSelf x, TSelf bound);

    /// <summary>In each 128-bit lane: x0 y0 x1 y1.</summary>
    static abstract TSelf ZipLow(TSelf x, TSelf y);

    /// <summary>In each 128-bit lane: x2 y2 x3 y3.</summary>
    static abstract TSelf ZipHigh(TSelf x, TSelf y);

    /// <summary>In each 128-bit lane: x0 x1 y0 y1.</summary>
    static abstract TSelf ZipLowPairs(TSelf x, TSelf y);

    /// <summary>In each 128-bit lane: x2 x3 y2 y3.</summary>
    static abstract TSelf ZipHighPairs(TSelf x, TSelf y);

    /// <summary>The lanes of x and then of y with even numbers; of single lanes x.</summary>
    static abstract TSelf Evens(TSelf x, TSelf y);

    /// <summary>The lanes of x and then of y with odd numbers; of single lanes y.</summary>
    static abstract TSelf Odds(TSelf x, TSelf y);

    /// <summary>x0 y0 x1 y1 ... of the first half of the lanes; of single lanes x.</summary>
    static abstract TSelf PairsOfFirstHalf(TSelf x, TSelf y);

    /// <summary>x0 y0 x1 y1 ... of the second half of the lanes; of single lanes y.</summary>
    static abstract TSelf PairsOfSecondHalf(TSelf x, TSelf y);

    /// <summary>The sums of all lanes of four vectors, pairwise.</summary>
    static abstract void SumFour(TSelf x, TSelf y, TSelf z, TSelf w, float* sums);

    /// <summary>Asks for the line at this address to be brought into the first-level cache.</summary>
    static abstract void Prefetch(float* address);

    /// <summary>The sum of all lanes, pairwise.</summary>
    static abstract float Sum(TSelf x);

    /// <summary>The largest lane; unspecified where one is NaN.</summary>
    static abstract float Largest(TSelf x);
}
