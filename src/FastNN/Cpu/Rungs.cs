using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.Arm;
using System.Runtime.Intrinsics.X86;

namespace FastNN.Cpu;

/// <summary>
/// One rung of the SIMD ladder. Kernels are written once, generic over a rung; as the rungs are structs with static members,
/// the JIT compiles each kernel exactly for the vector it gets.
/// </summary>
/// <typeparam name="TVec">The vector: 512, 256 or 128 bits of floats, or a single float.</typeparam>
internal unsafe interface IRung<TVec>
    where TVec : struct
{
    /// <summary>Whether this processor runs it.</summary>
    static abstract bool IsSupported { get; }

    /// <summary>Floats per vector.</summary>
    static abstract int Lanes { get; }

    /// <summary>
    /// Rows of the register tile, which is two vectors wide: 12 where there are 32 registers (24 sums, two of B, one of A),
    /// 6 where there are 16.
    /// </summary>
    static abstract int TileRows { get; }

    static abstract TVec Zero { get; }

    static abstract TVec Load(float* source);

    static abstract void Store(TVec value, float* destination);

    static abstract TVec Broadcast(float value);

    /// <summary>All bits set in the first <paramref name="count"/> lanes.</summary>
    static abstract TVec Mask(int count);

    /// <summary>Zero in the lanes that the mask leaves out, whose memory is not touched.</summary>
    static abstract TVec LoadMasked(float* source, TVec mask);

    static abstract void StoreMasked(TVec value, float* destination, TVec mask);

    static abstract TVec Add(TVec x, TVec y);

    static abstract TVec Multiply(TVec x, TVec y);

    /// <summary>x * y + z, fused where the processor can.</summary>
    static abstract TVec MultiplyAdd(TVec x, TVec y, TVec z);

    /// <summary>max(0, x); NaN stays NaN.</summary>
    static abstract TVec Positive(TVec x);

    /// <summary>min(0, x); NaN stays NaN.</summary>
    static abstract TVec Negative(TVec x);

    /// <summary>The sums of all lanes of four vectors, pairwise.</summary>
    static abstract void SumFour(TVec x, TVec y, TVec z, TVec w, float* sums);

    /// <summary>Four floats, from offset on, of every fourth row (0, 4, 8, 12) into one 128-bit lane each.</summary>
    static abstract TVec LoadQuads(float** rows, nint offset);

    /// <summary>In each 128-bit lane: x0 y0 x1 y1.</summary>
    static abstract TVec ZipLow(TVec x, TVec y);

    /// <summary>In each 128-bit lane: x2 y2 x3 y3.</summary>
    static abstract TVec ZipHigh(TVec x, TVec y);

    /// <summary>In each 128-bit lane: x0 x1 y0 y1.</summary>
    static abstract TVec ZipLowPairs(TVec x, TVec y);

    /// <summary>In each 128-bit lane: x2 x3 y2 y3.</summary>
    static abstract TVec ZipHighPairs(TVec x, TVec y);

    /// <summary>Asks for the line at this address to be brought into the first-level cache.</summary>
    static abstract void Prefetch(float* address);
}

/// <summary>AVX-512: 16 floats, 32 registers, a 12x32 tile.</summary>
internal readonly unsafe struct Rung512 : IRung<Vector512<float>>
{
    public static bool IsSupported => Avx512F.IsSupported;

    public static int Lanes => 16;

    public static int TileRows => 12;

    public static Vector512<float> Zero => Vector512<float>.Zero;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Load(float* source) => Vector512.Load(source);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(Vector512<float> value, float* destination) => Vector512.Store(value, destination);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Broadcast(float value) => Vector512.Create(value);

    public static Vector512<float> Mask(int count) =>
        Vector512.LessThan(Vector512<int>.Indices, Vector512.Create(count)).AsSingle();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> LoadMasked(float* source, Vector512<float> mask) =>
        Avx512F.MaskLoad(source, mask, Vector512<float>.Zero);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StoreMasked(Vector512<float> value, float* destination, Vector512<float> mask) =>
        Avx512F.MaskStore(destination, mask, value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Add(Vector512<float> x, Vector512<float> y) => x + y;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Multiply(Vector512<float> x, Vector512<float> y) => x * y;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> MultiplyAdd(Vector512<float> x, Vector512<float> y, Vector512<float> z) =>
        Vector512.FusedMultiplyAdd(x, y, z);

    // The instruction returns its second operand where one is NaN.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Positive(Vector512<float> x) => Avx512F.Max(Vector512<float>.Zero, x);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Negative(Vector512<float> x) => Avx512F.Min(Vector512<float>.Zero, x);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void SumFour(
        Vector512<float> x, Vector512<float> y, Vector512<float> z, Vector512<float> w, float* sums) => Rung256.SumFour(
            x.GetLower() + x.GetUpper(), y.GetLower() + y.GetUpper(), z.GetLower() + z.GetUpper(), w.GetLower() + w.GetUpper(), sums);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> LoadQuads(float** rows, nint offset) =>
        Vector512.Create(Rung256.LoadQuads(rows, offset), Rung256.LoadQuads(rows + 8, offset));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> ZipLow(Vector512<float> x, Vector512<float> y) => Avx512F.UnpackLow(x, y);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> ZipHigh(Vector512<float> x, Vector512<float> y) => Avx512F.UnpackHigh(x, y);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> ZipLowPairs(Vector512<float> x, Vector512<float> y) => Avx512F.UnpackLow(x.AsDouble(), y.AsDouble()).AsSingle();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> ZipHighPairs(Vector512<float> x, Vector512<float> y) => Avx512F.UnpackHigh(x.AsDouble(), y.AsDouble()).AsSingle();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Prefetch(float* address) => Sse.Prefetch0(address);
}

/// <summary>AVX2 with FMA: 8 floats, 16 registers, a 6x16 tile.</summary>
internal readonly unsafe struct Rung256 : IRung<Vector256<float>>
{
    public static bool IsSupported => Avx2.IsSupported && Fma.IsSupported;

    public static int Lanes => 8;

    public static int TileRows => 6;

    public static Vector256<float> Zero => Vector256<float>.Zero;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Load(float* source) => Vector256.Load(source);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(Vector256<float> value, float* destination) => Vector256.Store(value, destination);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Broadcast(float value) => Vector256.Create(value);

    public static Vector256<float> Mask(int count) =>
        Vector256.LessThan(Vector256<int>.Indices, Vector256.Create(count)).AsSingle();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> LoadMasked(float* source, Vector256<float> mask) => Avx.MaskLoad(source, mask);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StoreMasked(Vector256<float> value, float* destination, Vector256<float> mask) =>
        Avx.MaskStore(destination, mask, value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Add(Vector256<float> x, Vector256<float> y) => x + y;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Multiply(Vector256<float> x, Vector256<float> y) => x * y;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> MultiplyAdd(Vector256<float> x, Vector256<float> y, Vector256<float> z) =>
        Vector256.FusedMultiplyAdd(x, y, z);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Positive(Vector256<float> x) => Avx.Max(Vector256<float>.Zero, x);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Negative(Vector256<float> x) => Avx.Min(Vector256<float>.Zero, x);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void SumFour(
        Vector256<float> x, Vector256<float> y, Vector256<float> z, Vector256<float> w, float* sums) => Rung128.SumFour(
            x.GetLower() + x.GetUpper(), y.GetLower() + y.GetUpper(), z.GetLower() + z.GetUpper(), w.GetLower() + w.GetUpper(), sums);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> LoadQuads(float** rows, nint offset) =>
        Vector256.Create(Vector128.Load(rows[0] + offset), Vector128.Load(rows[4] + offset));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> ZipLow(Vector256<float> x, Vector256<float> y) => Avx.UnpackLow(x, y);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> ZipHigh(Vector256<float> x, Vector256<float> y) => Avx.UnpackHigh(x, y);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> ZipLowPairs(Vector256<float> x, Vector256<float> y) => Avx.UnpackLow(x.AsDouble(), y.AsDouble()).AsSingle();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> ZipHighPairs(Vector256<float> x, Vector256<float> y) => Avx.UnpackHigh(x.AsDouble(), y.AsDouble()).AsSingle();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Prefetch(float* address) => Sse.Prefetch0(address);
}

/// <summary>NEON (32 registers, a 12x8 tile) or SSE (16 registers, 6x8): 4 floats.</summary>
internal readonly unsafe struct Rung128 : IRung<Vector128<float>>
{
    public static bool IsSupported => Sse2.IsSupported || AdvSimd.Arm64.IsSupported;

    public static int Lanes => 4;

    public static int TileRows => AdvSimd.Arm64.IsSupported ? 12 : 6;

    public static Vector128<float> Zero => Vector128<float>.Zero;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> Load(float* source) => Vector128.Load(source);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(Vector128<float> value, float* destination) => Vector128.Store(value, destination);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> Broadcast(float value) => Vector128.Create(value);

    public static Vector128<float> Mask(int count) =>
        Vector128.LessThan(Vector128<int>.Indices, Vector128.Create(count)).AsSingle();

    // Neither NEON nor SSE has masked moves; a mask is always a run of leading lanes, so its bits tell the count.
    public static Vector128<float> LoadMasked(float* source, Vector128<float> mask) => mask.ExtractMostSignificantBits() switch
    {
        0 => Vector128<float>.Zero,
        1 => Vector128.CreateScalar(*source),
        3 => Vector128.CreateScalar(*(double*)source).AsSingle(),
        7 => Vector128.CreateScalar(*(double*)source).AsSingle().WithElement(2, source[2]),
        _ => Vector128.Load(source),
    };

    public static void StoreMasked(Vector128<float> value, float* destination, Vector128<float> mask)
    {
        switch (mask.ExtractMostSignificantBits())
        {
            case 0:
                break;
            case 1:
                *destination = value.ToScalar();
                break;
            case 3:
                *(double*)destination = value.AsDouble().ToScalar();
                break;
            case 7:
                *(double*)destination = value.AsDouble().ToScalar();
                destination[2] = value.GetElement(2);
                break;
            default:
                value.Store(destination);
                break;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> Add(Vector128<float> x, Vector128<float> y) => x + y;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> Multiply(Vector128<float> x, Vector128<float> y) => x * y;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> MultiplyAdd(Vector128<float> x, Vector128<float> y, Vector128<float> z) =>
        Vector128.MultiplyAddEstimate(x, y, z);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> Positive(Vector128<float> x) => Vector128.Max(Vector128<float>.Zero, x);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> Negative(Vector128<float> x) => Vector128.Min(Vector128<float>.Zero, x);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void SumFour(
        Vector128<float> x, Vector128<float> y, Vector128<float> z, Vector128<float> w, float* sums)
    {
        Vector128<float> xy = ZipLow(x, y) + ZipHigh(x, y);
        Vector128<float> zw = ZipLow(z, w) + ZipHigh(z, w);
        Store(ZipLowPairs(xy, zw) + ZipHighPairs(xy, zw), sums);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> LoadQuads(float** rows, nint offset) => Vector128.Load(rows[0] + offset);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> ZipLow(Vector128<float> x, Vector128<float> y) =>
        AdvSimd.Arm64.IsSupported ? AdvSimd.Arm64.ZipLow(x, y) : Sse.UnpackLow(x, y);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> ZipHigh(Vector128<float> x, Vector128<float> y) =>
        AdvSimd.Arm64.IsSupported ? AdvSimd.Arm64.ZipHigh(x, y) : Sse.UnpackHigh(x, y);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> ZipLowPairs(Vector128<float> x, Vector128<float> y) => AdvSimd.Arm64.IsSupported
        ? AdvSimd.Arm64.ZipLow(x.AsDouble(), y.AsDouble()).AsSingle()
        : Sse2.UnpackLow(x.AsDouble(), y.AsDouble()).AsSingle();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> ZipHighPairs(Vector128<float> x, Vector128<float> y) => AdvSimd.Arm64.IsSupported
        ? AdvSimd.Arm64.ZipHigh(x.AsDouble(), y.AsDouble()).AsSingle()
        : Sse2.UnpackHigh(x.AsDouble(), y.AsDouble()).AsSingle();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Prefetch(float* address)
    {
        if (Sse.IsSupported)
        {
            Sse.Prefetch0(address);
        }
    }
}

/// <summary>No vectors at all: one float. The truth that the other rungs are measured against, and the last resort.</summary>
internal readonly unsafe struct RungScalar : IRung<float>
{
    public static bool IsSupported => true;

    public static int Lanes => 1;

    public static int TileRows => 6;

    public static float Zero => 0;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Load(float* source) => *source;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(float value, float* destination) => *destination = value;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Broadcast(float value) => value;

    public static float Mask(int count) => count > 0 ? BitConverter.Int32BitsToSingle(-1) : 0;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float LoadMasked(float* source, float mask) => BitConverter.SingleToInt32Bits(mask) != 0 ? *source : 0;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StoreMasked(float value, float* destination, float mask)
    {
        if (BitConverter.SingleToInt32Bits(mask) != 0)
        {
            *destination = value;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Add(float x, float y) => x + y;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Multiply(float x, float y) => x * y;

    // Not Math.FusedMultiplyAdd, which is a library call where the processor has no such instruction.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float MultiplyAdd(float x, float y, float z) => (x * y) + z;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Positive(float x) => x < 0 ? 0 : x;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Negative(float x) => x > 0 ? 0 : x;

    public static void SumFour(float x, float y, float z, float w, float* sums)
    {
        sums[0] = x;
        sums[1] = y;
        sums[2] = z;
        sums[3] = w;
    }

    // Blocks of four are transposed with vectors only.
    public static float LoadQuads(float** rows, nint offset) => rows[0][offset];

    public static float ZipLow(float x, float y) => x;

    public static float ZipHigh(float x, float y) => y;

    public static float ZipLowPairs(float x, float y) => x;

    public static float ZipHighPairs(float x, float y) => y;

    public static void Prefetch(float* address)
    {
    }
}
