using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using FastNN.Functions;

namespace FastNN.Cpu;

/// <summary>16 floats: AVX-512.</summary>
internal readonly unsafe struct Lanes512(Vector512<float> value) : IVectorLanes<Lanes512>
{
    private readonly Vector512<float> _value = value;

    public static bool IsSupported => Vector512.IsHardwareAccelerated && Avx512F.IsSupported;

    public static int TileRows => 12;

    public static int Count => 16;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes512 Load(float* source, int count) => new(count == 16 ? Vector512.Load(source) : LoadFirst(source, count));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Store(float* destination, int count)
    {
        if (count == 16)
        {
            _value.Store(destination);
        }
        else
        {
            Avx512F.MaskStore(destination, FirstLanes(count), _value);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static implicit operator Lanes512(float value) => new(Vector512.Create(value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static implicit operator Lanes512(Scalar scalar) => new(Vector512.Create(scalar.Value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes512 Broadcast(float value) => new(Vector512.Create(value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes512 KeepFirst(Lanes512 x, int count, float fill) =>
        count == 16 ? x : new(Vector512.ConditionalSelect(FirstLanes(count), x._value, Vector512.Create(fill)));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes512 operator +(Lanes512 x, Lanes512 y) => new(x._value + y._value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes512 operator -(Lanes512 x, Lanes512 y) => new(x._value - y._value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes512 operator *(Lanes512 x, Lanes512 y) => new(x._value * y._value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes512 operator /(Lanes512 x, Lanes512 y) => new(x._value / y._value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes512 operator -(Lanes512 x) => new(-x._value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes512 MultiplyAdd(Lanes512 x, Lanes512 y, Lanes512 z) =>
        new(Vector512.MultiplyAddEstimate(x._value, y._value, z._value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes512 Min(Lanes512 x, Lanes512 y) => new(Vector512.MinNative(x._value, y._value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes512 Max(Lanes512 x, Lanes512 y) => new(Vector512.MaxNative(x._value, y._value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes512 Abs(Lanes512 x) => new(Vector512.Abs(x._value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes512 Sqrt(Lanes512 x) => new(Vector512.Sqrt(x._value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes512 Round(Lanes512 x) => new(Vector512.Round(x._value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes512 ScaleByPowerOfTwo(Lanes512 x, Lanes512 n)
    {
        if (Avx512F.IsSupported)
        {
            return new(Avx512F.Scale(x._value, n._value));
        }

        // Two factors, because 2^n alone leaves the range of a float for large results and for denormal ones.
        Vector512<int> power = Vector512.ConvertToInt32Native(n._value);
        Vector512<int> half = power >> 1;
        Vector512<int> bias = Vector512.Create(127);
        return new(x._value * ((half + bias) << 23).AsSingle() * ((power - half + bias) << 23).AsSingle());
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes512 Log(Lanes512 x) => new(Vector512.Log(x._value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes512 IfGreater(Lanes512 a, Lanes512 b, Lanes512 x, Lanes512 y) =>
        new(Vector512.ConditionalSelect(Vector512.GreaterThan(a._value, b._value), x._value, y._value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes512 IfGreaterOrEqual(Lanes512 a, Lanes512 b, Lanes512 x, Lanes512 y) =>
        new(Vector512.ConditionalSelect(Vector512.GreaterThanOrEqual(a._value, b._value), x._value, y._value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Sum(Lanes512 x) => Lanes256.Sum(new(x._value.GetLower() + x._value.GetUpper()));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Largest(Lanes512 x) =>
        Lanes256.Largest(new(Vector256.MaxNative(x._value.GetLower(), x._value.GetUpper())));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes512 Load(float* source) => new(Vector512.Load(source));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(Lanes512 value, float* destination) => value._value.Store(destination);

    public static Lanes512 Mask(int count) => new(FirstLanes(count));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes512 LoadMasked(float* source, Lanes512 mask) =>
        new(Avx512F.MaskLoad(source, mask._value, Vector512<float>.Zero));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StoreMasked(Lanes512 value, float* destination, Lanes512 mask) =>
        Avx512F.MaskStore(destination, mask._value, value._value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes512 LoadQuads(float** rows, nint offset) =>
        new(Vector512.Create(Lanes256.LoadQuads(rows, offset).Vector, Lanes256.LoadQuads(rows + 8, offset).Vector));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StoreTruth(Lanes512 value, byte* destination, int count)
    {
        Vector128<byte> truths = Avx512F.ConvertToVector128Byte(Vector512.ConvertToInt32Native(value._value));
        if (count == 16)
        {
            truths.Store(destination);
            return;
        }

        byte* all = stackalloc byte[16];
        truths.Store(all);
        Unsafe.CopyBlockUnaligned(destination, all, (uint)count);
    }

    // The instruction returns its second operand where one is NaN.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes512 Positive(Lanes512 x) => new(Avx512F.Max(Vector512<float>.Zero, x._value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes512 Negative(Lanes512 x) => new(Avx512F.Min(Vector512<float>.Zero, x._value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes512 AtMost(Lanes512 x, Lanes512 bound) => new(Avx512F.Min(bound._value, x._value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes512 AtLeast(Lanes512 x, Lanes512 bound) => new(Avx512F.Max(bound._value, x._value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void SumFour(Lanes512 x, Lanes512 y, Lanes512 z, Lanes512 w, float* sums) =>
        Lanes256.SumFour(x.Halves, y.Halves, z.Halves, w.Halves, sums);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes512 ZipLow(Lanes512 x, Lanes512 y) => new(Avx512F.UnpackLow(x._value, y._value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes512 ZipHigh(Lanes512 x, Lanes512 y) => new(Avx512F.UnpackHigh(x._value, y._value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes512 ZipLowPairs(Lanes512 x, Lanes512 y) =>
        new(Avx512F.UnpackLow(x._value.AsDouble(), y._value.AsDouble()).AsSingle());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes512 ZipHighPairs(Lanes512 x, Lanes512 y) =>
        new(Avx512F.UnpackHigh(x._value.AsDouble(), y._value.AsDouble()).AsSingle());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes512 Evens(Lanes512 x, Lanes512 y) => new(Avx512F.PermuteVar16x32x2(
        x._value, Vector512.Create(0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30), y._value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes512 Odds(Lanes512 x, Lanes512 y) => new(Avx512F.PermuteVar16x32x2(
        x._value, Vector512.Create(1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23, 25, 27, 29, 31), y._value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes512 PairsOfFirstHalf(Lanes512 x, Lanes512 y) => new(Avx512F.PermuteVar16x32x2(
        x._value, Vector512.Create(0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23), y._value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes512 PairsOfSecondHalf(Lanes512 x, Lanes512 y) => new(Avx512F.PermuteVar16x32x2(
        x._value, Vector512.Create(8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31), y._value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Prefetch(float* address) => Sse.Prefetch0(address);

    /// <summary>The lower half plus the upper half.</summary>
    private Lanes256 Halves => new(_value.GetLower() + _value.GetUpper());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<float> LoadFirst(float* source, int count) =>
        Avx512F.MaskLoad(source, FirstLanes(count), Vector512<float>.Zero);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<float> FirstLanes(int count) =>
        Vector512.LessThan(Vector512<int>.Indices, Vector512.Create(count)).AsSingle();
}
