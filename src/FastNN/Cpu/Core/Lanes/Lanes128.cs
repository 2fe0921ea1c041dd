using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.Arm;
using System.Runtime.Intrinsics.X86;
using FastNN.Functions;

namespace FastNN.Cpu;

/// <summary>4 floats: NEON or SSE.</summary>
internal readonly unsafe struct Lanes128(Vector128<float> value) : IVectorLanes<Lanes128>
{
    private readonly Vector128<float> _value = value;

    public static bool IsSupported => Vector128.IsHardwareAccelerated && (Sse2.IsSupported || AdvSimd.Arm64.IsSupported);

    public static int TileRows => AdvSimd.Arm64.IsSupported ? 12 : 6;

    public static int Count => 4;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes128 Load(float* source, int count) => new(count == 4 ? Vector128.Load(source) : LoadFirst(source, count));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Store(float* destination, int count)
    {
        if (count == 4)
        {
            _value.Store(destination);
        }
        else
        {
            StoreFirst(destination, count);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static implicit operator Lanes128(float value) => new(Vector128.Create(value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static implicit operator Lanes128(Scalar scalar) => new(Vector128.Create(scalar.Value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes128 Broadcast(float value) => new(Vector128.Create(value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes128 KeepFirst(Lanes128 x, int count, float fill) =>
        count == 4 ? x : new(Vector128.ConditionalSelect(FirstLanes(count), x._value, Vector128.Create(fill)));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes128 operator +(Lanes128 x, Lanes128 y) => new(x._value + y._value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes128 operator -(Lanes128 x, Lanes128 y) => new(x._value - y._value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes128 operator *(Lanes128 x, Lanes128 y) => new(x._value * y._value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes128 operator /(Lanes128 x, Lanes128 y) => new(x._value / y._value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes128 operator -(Lanes128 x) => new(-x._value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes128 MultiplyAdd(Lanes128 x, Lanes128 y, Lanes128 z) =>
        new(Vector128.MultiplyAddEstimate(x._value, y._value, z._value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes128 Min(Lanes128 x, Lanes128 y) => new(Vector128.MinNative(x._value, y._value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes128 Max(Lanes128 x, Lanes128 y) => new(Vector128.MaxNative(x._value, y._value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes128 Abs(Lanes128 x) => new(Vector128.Abs(x._value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes128 Sqrt(Lanes128 x) => new(Vector128.Sqrt(x._value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes128 Round(Lanes128 x) => new(Vector128.Round(x._value));

    // Two factors, because 2^n alone leaves the range of a float for large results and for denormal ones.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes128 ScaleByPowerOfTwo(Lanes128 x, Lanes128 n)
    {
        Vector128<int> power = Vector128.ConvertToInt32Native(n._value);
        Vector128<int> half = power >> 1;
        Vector128<int> bias = Vector128.Create(127);
        return new(x._value * ((half + bias) << 23).AsSingle() * ((power - half + bias) << 23).AsSingle());
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes128 Log(Lanes128 x) => new(Vector128.Log(x._value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes128 IfGreater(Lanes128 a, Lanes128 b, Lanes128 x, Lanes128 y) =>
        new(Vector128.ConditionalSelect(Vector128.GreaterThan(a._value, b._value), x._value, y._value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes128 IfGreaterOrEqual(Lanes128 a, Lanes128 b, Lanes128 x, Lanes128 y) =>
        new(Vector128.ConditionalSelect(Vector128.GreaterThanOrEqual(a._value, b._value), x._value, y._value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Sum(Lanes128 x)
    {
        // Shuffles, because on x64 halves of 64 bits pass through memory.
        Vector128<float> half = x._value + Vector128.Shuffle(x._value, Vector128.Create(2, 3, 0, 1));
        return (half + Vector128.Shuffle(half, Vector128.Create(1, 0, 3, 2))).ToScalar();
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Largest(Lanes128 x)
    {
        Vector128<float> half = Vector128.MaxNative(x._value, Vector128.Shuffle(x._value, Vector128.Create(2, 3, 0, 1)));
        return Vector128.MaxNative(half, Vector128.Shuffle(half, Vector128.Create(1, 0, 3, 2))).ToScalar();
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes128 Load(float* source) => new(Vector128.Load(source));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(Lanes128 value, float* destination) => value._value.Store(destination);

    public static Lanes128 Mask(int count) => new(FirstLanes(count));

    // A mask is always a run of leading lanes, so its bits tell the count.
    public static Lanes128 LoadMasked(float* source, Lanes128 mask) => mask._value.ExtractMostSignificantBits() switch
    {
        0 => default,
        1 => new(LoadFirst(source, 1)),
        3 => new(LoadFirst(source, 2)),
        7 => new(LoadFirst(source, 3)),
        _ => Load(source),
    };

    public static void StoreMasked(Lanes128 value, float* destination, Lanes128 mask)
    {
        int count = BitOperations.PopCount(mask._value.ExtractMostSignificantBits());
        if (count == 4)
        {
            value._value.Store(destination);
        }
        else
        {
            value.StoreFirst(destination, count);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes128 LoadQuads(float** rows, nint offset) => new(Vector128.Load(rows[0] + offset));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StoreTruth(Lanes128 value, byte* destination, int count)
    {
        Vector128<short> words = Vector128.Narrow(Vector128.ConvertToInt32Native(value._value), Vector128<int>.Zero);
        uint truths = Vector128.Narrow(words, words).AsUInt32().ToScalar();
        if (count == 4)
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
    public static Lanes128 Positive(Lanes128 x) => new(Vector128.Max(Vector128<float>.Zero, x._value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes128 Negative(Lanes128 x) => new(Vector128.Min(Vector128<float>.Zero, x._value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes128 AtMost(Lanes128 x, Lanes128 bound) => new(Vector128.Min(bound._value, x._value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes128 AtLeast(Lanes128 x, Lanes128 bound) => new(Vector128.Max(bound._value, x._value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void SumFour(Lanes128 x, Lanes128 y, Lanes128 z, Lanes128 w, float* sums)
    {
        Lanes128 xy = ZipLow(x, y) + ZipHigh(x, y);
        Lanes128 zw = ZipLow(z, w) + ZipHigh(z, w);
        Store(ZipLowPairs(xy, zw) + ZipHighPairs(xy, zw), sums);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes128 ZipLow(Lanes128 x, Lanes128 y) =>
        new(AdvSimd.Arm64.IsSupported ? AdvSimd.Arm64.ZipLow(x._value, y._value) : Sse.UnpackLow(x._value, y._value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes128 ZipHigh(Lanes128 x, Lanes128 y) =>
        new(AdvSimd.Arm64.IsSupported ? AdvSimd.Arm64.ZipHigh(x._value, y._value) : Sse.UnpackHigh(x._value, y._value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes128 ZipLowPairs(Lanes128 x, Lanes128 y) => new(AdvSimd.Arm64.IsSupported
        ? AdvSimd.Arm64.ZipLow(x._value.AsDouble(), y._value.AsDouble()).AsSingle()
        : Sse2.UnpackLow(x._value.AsDouble(), y._value.AsDouble()).AsSingle());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes128 ZipHighPairs(Lanes128 x, Lanes128 y) => new(AdvSimd.Arm64.IsSupported
        ? AdvSimd.Arm64.ZipHigh(x._value.AsDouble(), y._value.AsDouble()).AsSingle()
        : Sse2.UnpackHigh(x._value.AsDouble(), y._value.AsDouble()).AsSingle());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes128 Evens(Lanes128 x, Lanes128 y) => new(AdvSimd.Arm64.IsSupported
        ? AdvSimd.Arm64.UnzipEven(x._value, y._value)
        : Sse.Shuffle(x._value, y._value, 0b10_00_10_00));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes128 Odds(Lanes128 x, Lanes128 y) => new(AdvSimd.Arm64.IsSupported
        ? AdvSimd.Arm64.UnzipOdd(x._value, y._value)
        : Sse.Shuffle(x._value, y._value, 0b11_01_11_01));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes128 PairsOfFirstHalf(Lanes128 x, Lanes128 y) => ZipLow(x, y);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes128 PairsOfSecondHalf(Lanes128 x, Lanes128 y) => ZipHigh(x, y);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Prefetch(float* address)
    {
        if (Sse.IsSupported)
        {
            Sse.Prefetch0(address);
        }
    }

    // Neither NEON nor SSE has masked moves.
    private static Vector128<float> LoadFirst(float* source, int count) => count switch
    {
        1 => Vector128.CreateScalar(*source),
        2 => Vector128.Create(Vector64.Load(source), Vector64<float>.Zero),
        _ => Vector128.Create(Vector64.Load(source), Vector64.CreateScalar(source[2])),
    };

    private void StoreFirst(float* destination, int count)
    {
        for (int i = 0; i < count; i++)
        {
            destination[i] = _value.GetElement(i);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<float> FirstLanes(int count) =>
        Vector128.LessThan(Vector128<int>.Indices, Vector128.Create(count)).AsSingle();
}
