using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using FastNN.Tensors;

namespace FastNN.Cpu;

/// <summary>
/// The uniform numbers of <see cref="Philox"/> for many consecutive counters at once, the same bits as one by one. Each 64-bit
/// lane carries one counter's words in its lower half, because the rounds are 32 x 32 -> 64 bit products (one instruction each)
/// of which both halves are used. About 0.3 ns per number with 512 bits.
/// </summary>
internal static unsafe class PhiloxBlocks
{
    private const uint Multiplier0 = 0xD2511F53, Multiplier1 = 0xCD9E8D57;
    private const uint Weyl0 = 0x9E3779B9, Weyl1 = 0xBB67AE85;
    private const float Unit = 1f / (1 << 24);

    /// <summary>
    /// Fills <paramref name="destination"/> with 4 <paramref name="counters"/> numbers in [0, 1) for the counters (block + i, c1,
    /// c2, c3); it must have room for a multiple of 64.
    /// </summary>
    public static void Fill(float* destination, int counters, uint block, uint c1, uint c2, uint c3, ulong seed)
    {
        var action = new Filling(destination, counters, block, c1, c2, c3, seed);
        Simd.Dispatch(ref action);
    }

    /// <summary>One counter at a time.</summary>
    public static void FillScalar(float* destination, int counters, uint block, uint c1, uint c2, uint c3, ulong seed)
    {
        for (int i = 0; i < counters; i++)
        {
            PhiloxBlock words = Philox.Rounds(block + (uint)i, c1, c2, c3, (uint)seed, (uint)(seed >> 32));
            destination[(4 * i) + 0] = Philox.ToUniform(words.X0);
            destination[(4 * i) + 1] = Philox.ToUniform(words.X1);
            destination[(4 * i) + 2] = Philox.ToUniform(words.X2);
            destination[(4 * i) + 3] = Philox.ToUniform(words.X3);
        }
    }

    /// <summary>Two times 8 counters at a time, because one alone would wait for its products.</summary>
    [MethodImpl(KernelCode.Loop)]
    public static void Fill512(float* destination, int counters, uint block, uint c1, uint c2, uint c3, ulong seed)
    {
        // In this order of counters a 128-bit lane holds two of them that end up four apart, so that the words leave in
        // order after unpacking within lanes.
        Vector512<ulong> order = Vector512.Create(0UL, 4, 1, 5, 2, 6, 3, 7);
        Vector512<uint> m0 = Vector512.Create((ulong)Multiplier0).AsUInt32(),
        m1 = Vector512.Create((ulong)Multiplier1).AsUInt32();
        for (int i = 0; i < counters; i += 16)
        {
            Vector512<ulong> x0 = Vector512.Create(block + (ulong)i) + order, y0 = x0 + Vector512.Create(8UL);
            Vector512<ulong> x1 = Vector512.Create((ulong)c1), x2 = Vector512.Create((ulong)c2), x3 = Vector512.Create((ulong)c3);
            Vector512<ulong> y1 = x1, y2 = x2, y3 = x3;
            Vector512<ulong> k0 = Vector512.Create((ulong)(uint)seed), k1 = Vector512.Create(seed >> 32);
            for (int round = 0; round < 10; round++)
            {
                // Only lower halves matter as factors, so upper halves may keep what products and additions leave there.
                Vector512<ulong> p0 = Avx512F.Multiply(x0.AsUInt32(), m0), p1 = Avx512F.Multiply(x2.AsUInt32(), m1);
                Vector512<ulong> q0 = Avx512F.Multiply(y0.AsUInt32(), m0), q1 = Avx512F.Multiply(y2.AsUInt32(), m1);
                x0 = (p1 >> 32) ^ x1 ^ k0;
                x1 = p1;
                x2 = (p0 >> 32) ^ x3 ^ k1;
                x3 = p0;
                y0 = (q1 >> 32) ^ y1 ^ k0;
                y1 = q1;
                y2 = (q0 >> 32) ^ y3 ^ k1;
                y3 = q0;
                k0 += Vector512.Create((ulong)Weyl0);
                k1 += Vector512.Create((ulong)Weyl1);
            }

            StoreUniform(x0, x1, x2, x3, destination + (4 * i));
            StoreUniform(y0, y1, y2, y3, destination + (4 * i) + 32);
        }
    }

    /// <summary>Two times 4 counters at a time, because one alone would wait for its products.</summary>
    [MethodImpl(KernelCode.Loop)]
    public static void Fill256(float* destination, int counters, uint block, uint c1, uint c2, uint c3, ulong seed)
    {
        Vector256<ulong> order = Vector256.Create(0UL, 2, 1, 3);
        Vector256<uint> m0 = Vector256.Create((ulong)Multiplier0).AsUInt32(),
        m1 = Vector256.Create((ulong)Multiplier1).AsUInt32();
        for (int i = 0; i < counters; i += 8)
        {
            Vector256<ulong> x0 = Vector256.Create(block + (ulong)i) + order, y0 = x0 + Vector256.Create(4UL);
            Vector256<ulong> x1 = Vector256.Create((ulong)c1), x2 = Vector256.Create((ulong)c2), x3 = Vector256.Create((ulong)c3);
            Vector256<ulong> y1 = x1, y2 = x2, y3 = x3;
            Vector256<ulong> k0 = Vector256.Create((ulong)(uint)seed), k1 = Vector256.Create(seed >> 32);
            for (int round = 0; round < 10; round++)
            {
                // Only lower halves matter as factors, so upper halves may keep what products and additions leave there.
                Vector256<ulong> p0 = Avx2.Multiply(x0.AsUInt32(), m0), p1 = Avx2.Multiply(x2.AsUInt32(), m1);
                Vector256<ulong> q0 = Avx2.Multiply(y0.AsUInt32(), m0), q1 = Avx2.Multiply(y2.AsUInt32(), m1);
                x0 = (p1 >> 32) ^ x1 ^ k0;
                x1 = p1;
                x2 = (p0 >> 32) ^ x3 ^ k1;
                x3 = p0;
                y0 = (q1 >> 32) ^ y1 ^ k0;
                y1 = q1;
                y2 = (q0 >> 32) ^ y3 ^ k1;
                y3 = q0;
                k0 += Vector256.Create((ulong)Weyl0);
                k1 += Vector256.Create((ulong)Weyl1);
            }

            StoreUniform(x0, x1, x2, x3, destination + (4 * i));
            StoreUniform(y0, y1, y2, y3, destination + (4 * i) + 16);
        }
    }

    /// <summary>Interleaves four words per counter and scales them to [0, 1).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void StoreUniform(
        Vector512<ulong> x0, Vector512<ulong> x1, Vector512<ulong> x2, Vector512<ulong> x3, float* destination)
    {
        Vector512<ulong> low = Vector512.Create((ulong)uint.MaxValue);
        Vector512<ulong> pairs01 = (x0 & low) | (x1 << 32), pairs23 = (x2 & low) | (x3 << 32);
        Uniform(Avx512F.UnpackLow(pairs01, pairs23)).Store(destination);
        Uniform(Avx512F.UnpackHigh(pairs01, pairs23)).Store(destination + 16);
    }

    /// <summary>Interleaves four words per counter and scales them to [0, 1).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void StoreUniform(
        Vector256<ulong> x0, Vector256<ulong> x1, Vector256<ulong> x2, Vector256<ulong> x3, float* destination)
    {
        Vector256<ulong> low = Vector256.Create((ulong)uint.MaxValue);
        Vector256<ulong> pairs01 = (x0 & low) | (x1 << 32), pairs23 = (x2 & low) | (x3 << 32);
        Uniform(Avx2.UnpackLow(pairs01, pairs23)).Store(destination);
        Uniform(Avx2.UnpackHigh(pairs01, pairs23)).Store(destination + 8);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<float> Uniform(Vector512<ulong> words) =>
        Vector512.ConvertToSingle((words.AsUInt32() >> 8).AsInt32()) * Vector512.Create(Unit);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<float> Uniform(Vector256<ulong> words) =>
        Vector256.ConvertToSingle((words.AsUInt32() >> 8).AsInt32()) * Vector256.Create(Unit);

    private readonly struct Filling(float* destination, int counters, uint block, uint c1, uint c2, uint c3, ulong seed)
        : ILanesAction
    {
        public void Invoke<TLanes>()
            where TLanes : struct, IVectorLanes<TLanes>
        {
            if (TLanes.Count == Lanes512.Count)
            {
                Fill512(destination, counters, block, c1, c2, c3, seed);
            }
            else if (TLanes.Count == Lanes256.Count)
            {
                Fill256(destination, counters, block, c1, c2, c3, seed);
            }
            else
            {
                FillScalar(destination, counters, block, c1, c2, c3, seed);
            }
        }
    }
}
