using System.Runtime.CompilerServices;
using FastNN.Functions;

namespace FastNN.Cpu;

/// <summary>One float: the last resort, and in tests the rung that the wider ones are held against.</summary>
internal readonly unsafe struct Lanes1(float value) : IVectorLanes<Lanes1>
{
    private readonly float _value = value;

    public static bool IsSupported => true;

    public static int TileRows => 6;

    public static int Count => 1;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes1 Load(float* source, int count) => new(*source);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Store(float* destination, int count) => *destination = _value;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static implicit operator Lanes1(float value) => new(value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static implicit operator Lanes1(Scalar scalar) => new(scalar.Value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes1 Broadcast(float value) => new(value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes1 KeepFirst(Lanes1 x, int count, float fill) => x;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes1 operator +(Lanes1 x, Lanes1 y) => new(x._value + y._value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes1 operator -(Lanes1 x, Lanes1 y) => new(x._value - y._value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes1 operator *(Lanes1 x, Lanes1 y) => new(x._value * y._value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes1 operator /(Lanes1 x, Lanes1 y) => new(x._value / y._value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes1 operator -(Lanes1 x) => new(-x._value);

    // Not Math.FusedMultiplyAdd, which is a library call where the processor has no such instruction.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes1 MultiplyAdd(Lanes1 x, Lanes1 y, Lanes1 z) =>
        new(float.MultiplyAddEstimate(x._value, y._value, z._value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes1 Min(Lanes1 x, Lanes1 y) => new(x._value < y._value ? x._value : y._value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes1 Max(Lanes1 x, Lanes1 y) => new(x._value > y._value ? x._value : y._value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes1 Abs(Lanes1 x) => new(MathF.Abs(x._value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes1 Sqrt(Lanes1 x) => new(MathF.Sqrt(x._value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes1 Round(Lanes1 x) => new(MathF.Round(x._value));

    // Two factors, because 2^n alone leaves the range of a float for large results and for denormal ones.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes1 ScaleByPowerOfTwo(Lanes1 x, Lanes1 n)
    {
        // A NaN converts to some integer; x is NaN as well then, and stays so.
        int power = float.ConvertToIntegerNative<int>(n._value);
        int half = power >> 1;
        return new(
            x._value * BitConverter.Int32BitsToSingle((half + 127) << 23) * BitConverter.Int32BitsToSingle(
                (power - half + 127) << 23));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes1 Log(Lanes1 x) => new(MathF.Log(x._value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes1 IfGreater(Lanes1 a, Lanes1 b, Lanes1 x, Lanes1 y) => a._value > b._value ? x : y;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes1 IfGreaterOrEqual(Lanes1 a, Lanes1 b, Lanes1 x, Lanes1 y) => a._value >= b._value ? x : y;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Sum(Lanes1 x) => x._value;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Largest(Lanes1 x) => x._value;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes1 Load(float* source) => new(*source);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(Lanes1 value, float* destination) => *destination = value._value;

    public static Lanes1 Mask(int count) => new(count > 0 ? BitConverter.Int32BitsToSingle(-1) : 0);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes1 LoadMasked(float* source, Lanes1 mask) =>
        BitConverter.SingleToInt32Bits(mask._value) != 0 ? Load(source) : default;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StoreMasked(Lanes1 value, float* destination, Lanes1 mask)
    {
        if (BitConverter.SingleToInt32Bits(mask._value) != 0)
        {
            *destination = value._value;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StoreTruth(Lanes1 value, byte* destination, int count) =>
        *destination = value._value != 0 ? (byte)1 : (byte)0;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes1 Positive(Lanes1 x) => new(x._value < 0 ? 0 : x._value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes1 Negative(Lanes1 x) => new(x._value > 0 ? 0 : x._value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes1 AtMost(Lanes1 x, Lanes1 bound) => new(x._value > bound._value ? bound._value : x._value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes1 AtLeast(Lanes1 x, Lanes1 bound) => new(x._value < bound._value ? bound._value : x._value);

    public static void SumFour(Lanes1 x, Lanes1 y, Lanes1 z, Lanes1 w, float* sums)
    {
        sums[0] = x._value;
        sums[1] = y._value;
        sums[2] = z._value;
        sums[3] = w._value;
    }

    // Blocks of four are transposed with vectors only.
    public static Lanes1 LoadQuads(float** rows, nint offset) => new(rows[0][offset]);

    public static Lanes1 ZipLow(Lanes1 x, Lanes1 y) => x;

    public static Lanes1 ZipHigh(Lanes1 x, Lanes1 y) => y;

    public static Lanes1 ZipLowPairs(Lanes1 x, Lanes1 y) => x;

    public static Lanes1 ZipHighPairs(Lanes1 x, Lanes1 y) => y;

    public static Lanes1 Evens(Lanes1 x, Lanes1 y) => x;

    public static Lanes1 Odds(Lanes1 x, Lanes1 y) => y;

    public static Lanes1 PairsOfFirstHalf(Lanes1 x, Lanes1 y) => x;

    public static Lanes1 PairsOfSecondHalf(Lanes1 x, Lanes1 y) => y;

    public static void Prefetch(float* address)
    {
    }
}
