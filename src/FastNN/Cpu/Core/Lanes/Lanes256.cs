using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using FastNN.Functions;

namespace FastNN.Cpu;

/// <summary>8 floats: AVX2.</summary>
internal readonly unsafe struct Lanes256(Vector256<float> value) : IVectorLanes<Lanes256>
{
    private readonly Vector256<float> _value = value;

    public static bool IsSupported => Vector256.IsHardwareAccelerated && Avx2.IsSupported;

    public static int TileRows => 6;

    public static int Count => 8;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes256 Load(float* source, int count) => new(count == 8 ? Vector256.Load(source) : LoadFirst(source, count));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Store(float* destination, int count)
    {
        if (count == 8)
        {
            _value.Store(destination);
        }
        else
        {
            Avx.MaskStore(destination, FirstLanes(count), _value);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static implicit operator Lanes256(float value) => new(Vector256.Create(value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static implicit operator Lanes256(Scalar scalar) => new(Vector256.Create(scalar.Value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes256 Broadcast(float value) => new(Vector256.Create(value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes256 KeepFirst(Lanes256 x, int count, float fill) =>
        count == 8 ? x : new(Vector256.ConditionalSelect(FirstLanes(count), x._value, Vector256.Create(fill)));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes256 operator +(Lanes256 x, Lanes256 y) => new(x._value + y._value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes256 operator -(Lanes256 x, Lanes256 y) => new(x._value - y._value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes256 operator *(Lanes256 x, Lanes256 y) => new(x._value * y._value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes256 operator /(Lanes256 x, Lanes256 y) => new(x._value / y._value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes256 operator -(Lanes256 x) => new(-x._value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes256 MultiplyAdd(Lanes256 x, Lanes256 y, Lanes256 z) =>
        new(Vector256.MultiplyAddEstimate(x._value, y._value, z._value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes256 Min(Lanes256 x, Lanes256 y) => new(Vector256.MinNative(x._value, y._value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes256 Max(Lanes256 x, Lanes256 y) => new(Vector256.MaxNative(x._value, y._value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes256 Abs(Lanes256 x) => new(Vector256.Abs(x._value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes256 Sqrt(Lanes256 x) => new(Vector256.Sqrt(x._value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes256 Round(Lanes256 x) => new(Vector256.Round(x._value));

    // Two factors, because 2^n alone leaves the range of a float for large results and for denormal ones.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes256 ScaleByPowerOfTwo(Lanes256 x, Lanes256 n)
    {
        Vector256<int> power = Vector256.ConvertToInt32Native(n._value);
        Vector256<int> half = power >> 1;
        Vector256<int> bias = Vector256.Create(127);
        return new(x._value * ((half + bias) << 23).AsSingle() * ((power - half + bias) << 23).AsSingle());
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes256 Log(Lanes256 x) => new(Vector256.Log(x._value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes256 IfGreater(Lanes256 a, Lanes256 b, Lanes256 x, Lanes256 y) =>
        new(Vector256.ConditionalSelect(Vector256.GreaterThan(a._value, b._value), x._value, y._value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes256 IfGreaterOrEqual(Lanes256 a, Lanes256 b, Lanes256 x, Lanes256 y) =>
        new(Vector256.ConditionalSelect(Vector256.GreaterThanOrEqual(a._value, b._value), x._value, y._value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Sum(Lanes256 x) => Lanes128.Sum(new(x._value.GetLower() + x._value.GetUpper()));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Largest(Lanes256 x) =>
        Lanes128.Largest(new(Vector128.MaxNative(x._value.GetLower(), x._value.GetUpper())));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes256 Load(float* source) => new(Vector256.Load(source));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(Lanes256 value, float* destination) => value._value.Store(destination);

    public static Lanes256 Mask(int count) => new(FirstLanes(count));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes256 LoadMasked(float* source, Lanes256 mask) => new(Avx.MaskLoad(source, mask._value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StoreMasked(Lanes256 value, float* destination, Lanes256 mask) =>
        Avx.MaskStore(destination, mask._value, value._value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes256 LoadQuads(float** rows, nint offset) =>
        new(Vector256.Create(Vector128.Load(rows[0] + offset), Vector128.Load(rows[4] + offset)));

    // The instruction returns its second operand where one is NaN.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StoreTruth(Lanes256 value, byte* destination, int count)
    {
        Vector256<int> numbers = Vector256.ConvertToInt32Native(value._value);
        Vector128<short> words = Vector128.Narrow(numbers.GetLower(), numbers.GetUpper());
        ulong truths = Vector128.Narrow(words, words).AsUInt64().ToScalar();
        if (count == 8)
        {
            Unsafe.WriteUnaligned(destination, truths);
            return;
        }

        for (int i = 0; i < count; i++)
        {
            destination[i] = (byte)(truths >> (8 * i));
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes256 Positive(Lanes256 x) => new(Avx.Max(Vector256<float>.Zero, x._value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes256 Negative(Lanes256 x) => new(Avx.Min(Vector256<float>.Zero, x._value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes256 AtMost(Lanes256 x, Lanes256 bound) => new(Avx.Min(bound._value, x._value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes256 AtLeast(Lanes256 x, Lanes256 bound) => new(Avx.Max(bound._value, x._value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void SumFour(Lanes256 x, Lanes256 y, Lanes256 z, Lanes256 w, float* sums) =>
        Lanes128.SumFour(x.Halves, y.Halves, z.Halves, w.Halves, sums);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes256 ZipLow(Lanes256 x, Lanes256 y) => new(Avx.UnpackLow(x._value, y._value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes256 ZipHigh(Lanes256 x, Lanes256 y) => new(Avx.UnpackHigh(x._value, y._value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes256 ZipLowPairs(Lanes256 x, Lanes256 y) =>
        new(Avx.UnpackLow(x._value.AsDouble(), y._value.AsDouble()).AsSingle());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes256 ZipHighPairs(Lanes256 x, Lanes256 y) =>
        new(Avx.UnpackHigh(x._value.AsDouble(), y._value.AsDouble()).AsSingle());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes256 Evens(Lanes256 x, Lanes256 y) => new(InOrder(Avx.Shuffle(x._value, y._value, 0b10_00_10_00)));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes256 Odds(Lanes256 x, Lanes256 y) => new(InOrder(Avx.Shuffle(x._value, y._value, 0b11_01_11_01)));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes256 PairsOfFirstHalf(Lanes256 x, Lanes256 y) =>
        new(Avx.Permute2x128(ZipLow(x, y)._value, ZipHigh(x, y)._value, 0x20));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes256 PairsOfSecondHalf(Lanes256 x, Lanes256 y) =>
        new(Avx.Permute2x128(ZipLow(x, y)._value, ZipHigh(x, y)._value, 0x31));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Prefetch(float* address) => Sse.Prefetch0(address);

    /// <summary>From x, y, x, y of two lanes each to x, x, y, y.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<float> InOrder(Vector256<float> value) =>
        Avx2.Permute4x64(value.AsDouble(), 0b11_01_10_00).AsSingle();

    /// <summary>The lower half plus the upper half.</summary>
    private Lanes128 Halves => new(_value.GetLower() + _value.GetUpper());

    internal Vector256<float> Vector => _value;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<float> LoadFirst(float* source, int count) => Avx.MaskLoad(source, FirstLanes(count));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<float> FirstLanes(int count) =>
        Vector256.LessThan(Vector256<int>.Indices, Vector256.Create(count)).AsSingle();
}
