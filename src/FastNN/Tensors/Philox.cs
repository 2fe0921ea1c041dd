using System.Runtime.CompilerServices;

namespace FastNN.Tensors;

/// <summary>The four 32-bit words that one call of the generator yields.</summary>
internal readonly record struct PhiloxBlock(uint X0, uint X1, uint X2, uint X3)
{
    /// <summary>Word <paramref name="i"/> modulo 4.</summary>
    public uint this[int i] => (i & 3) switch { 0 => X0, 1 => X1, 2 => X2, _ => X3 };
}

/// <summary>What a stream of random numbers is for; streams of different uses never overlap.</summary>
internal enum RandomUse : uint
{
    /// <summary>Initial weights; the number is the parameter's place in its model.</summary>
    Weights = 1,

    /// <summary>Dropout masks; the number is the operator's place in its graph.</summary>
    Dropout = 2,

    /// <summary>The order of examples; the number is the epoch.</summary>
    Shuffle = 3,

    /// <summary>Splitting a dataset.</summary>
    Split = 4,

    /// <summary>Generated data.</summary>
    Data = 5,

    /// <summary>Augmentation of an example; the number is the epoch, and each augmentation has a place.</summary>
    Augmentation = 6,

    /// <summary>Mixing the examples of a batch; as for augmentation.</summary>
    BatchMix = 7,

    /// <summary>Drawing tokens.</summary>
    Tokens = 8,

    /// <summary>Explanations of a model; the number is the method.</summary>
    Explanation = 9,

    /// <summary>Where attacks on examples begin.</summary>
    Attack = 10,
}

/// <summary>
/// Philox4x32-10, the counter-based generator of Salmon, Moraes, Dror and Shaw, "Parallel random numbers: as easy as 1, 2, 3"
/// (SC 2011). Every number is a pure function of (seed, stream, index), so a shuffle, a mask or a weight depends neither on
/// the device nor on the order in which anything else drew. The seed is the key; the low half of the counter is the index of
/// a block of four words and the high half is the stream. Element i of a stream is word i mod 4 of block i / 4.
/// </summary>
internal static class Philox
{
    private const uint Multiplier0 = 0xD2511F53, Multiplier1 = 0xCD9E8D57;
    private const uint Weyl0 = 0x9E3779B9, Weyl1 = 0xBB67AE85;

    /// <summary>The stream number <paramref name="number"/> of a use.</summary>
    public static ulong Stream(RandomUse use, uint number = 0) => ((ulong)use << 32) | number;

    /// <summary>The stream of the same use and number at a place, below 2^24; at place 0 the stream without one.</summary>
    public static ulong AtPlace(ulong stream, uint place) => (stream & ((1UL << 40) - 1)) | ((ulong)place << 40);

    /// <summary>The ten rounds over a raw counter and key.</summary>
    public static PhiloxBlock Rounds(uint c0, uint c1, uint c2, uint c3, uint k0, uint k1)
    {
        for (int round = 0; round < 10; round++)
        {
            ulong p0 = (ulong)Multiplier0 * c0;
            ulong p1 = (ulong)Multiplier1 * c2;
            c0 = (uint)(p1 >> 32) ^ c1 ^ k0;
            c1 = (uint)p1;
            c2 = (uint)(p0 >> 32) ^ c3 ^ k1;
            c3 = (uint)p0;
            k0 += Weyl0;
            k1 += Weyl1;
        }

        return new PhiloxBlock(c0, c1, c2, c3);
    }

    /// <summary>Block <paramref name="block"/> (elements 4 * block to 4 * block + 3) of a stream.</summary>
    public static PhiloxBlock Block(ulong seed, ulong stream, ulong block) =>
        Rounds((uint)block, (uint)(block >> 32), (uint)stream, (uint)(stream >> 32), (uint)seed, (uint)(seed >> 32));

    /// <summary>Element <paramref name="index"/> of a stream as 32 random bits.</summary>
    public static uint Bits(ulong seed, ulong stream, ulong index) => Block(seed, stream, index >> 2)[(int)index];

    /// <summary>The upper 24 bits as a float in [0, 1): every value is exact, and 1 is never reached.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float ToUniform(uint bits) => (bits >> 8) * (1f / (1 << 24));

    /// <summary>Element <paramref name="index"/> of a stream as a float in [0, 1).</summary>
    public static float Uniform(ulong seed, ulong stream, ulong index) => ToUniform(Bits(seed, stream, index));

    /// <summary>Elements <paramref name="first"/> and following of a stream, as floats in [0, 1).</summary>
    public static void FillUniform(Span<float> destination, ulong seed, ulong stream, ulong first = 0)
    {
        PhiloxBlock block = default;
        for (int i = 0; i < destination.Length; i++)
        {
            ulong index = first + (ulong)i;
            if (i == 0 || (index & 3) == 0)
                block = Block(seed, stream, index >> 2);
            destination[i] = ToUniform(block[(int)index]);
        }
    }

    /// <summary>
    /// Element <paramref name="index"/> of a stream of standard normals: Box and Muller's transform of the pair of words that
    /// the element shares with its neighbor (cosine for the even one, sine for the odd one), computed in double.
    /// </summary>
    public static float Normal(ulong seed, ulong stream, ulong index) =>
        Normal(Block(seed, stream, index >> 2), (int)index);

    /// <summary>Elements <paramref name="first"/> and following of a stream of standard normals.</summary>
    public static void FillNormal(Span<float> destination, ulong seed, ulong stream, ulong first = 0)
    {
        PhiloxBlock block = default;
        for (int i = 0; i < destination.Length; i++)
        {
            ulong index = first + (ulong)i;
            if (i == 0 || (index & 3) == 0)
                block = Block(seed, stream, index >> 2);
            destination[i] = Normal(block, (int)index);
        }
    }

    /// <summary>
    /// Draw <paramref name="index"/> of a stream as an integer in [0, <paramref name="bound"/>): the high half of 64 random
    /// bits (words 2 * index and 2 * index + 1) times the bound. The bias is below bound / 2^64, so nothing is rejected and the
    /// draw stays a function of its index.
    /// </summary>
    public static int Below(int bound, ulong seed, ulong stream, ulong index)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(bound);
        PhiloxBlock block = Block(seed, stream, index >> 1);
        ulong bits = (index & 1) == 0 ? Join(block.X0, block.X1) : Join(block.X2, block.X3);
        return (int)Math.BigMul(bits, (ulong)bound, out _);
    }

    /// <summary>Puts <paramref name="items"/> into an order that is a function of seed and stream (Fisher and Yates).</summary>
    public static void Shuffle(Span<int> items, ulong seed, ulong stream)
    {
        for (int i = items.Length - 1; i > 0; i--)
        {
            int j = Below(i + 1, seed, stream, (ulong)i);
            (items[i], items[j]) = (items[j], items[i]);
        }
    }

    private static ulong Join(uint low, uint high) => ((ulong)high << 32) | low;

    private static float Normal(PhiloxBlock block, int index)
    {
        int pair = index & 2;
        double radius = Math.Sqrt(-2 * Math.Log((block[pair] + 1.0) * (1.0 / 4294967296.0)));
        double angle = 2 * Math.PI * (block[pair + 1] * (1.0 / 4294967296.0));
        return (float)(radius * ((index & 1) == 0 ? Math.Cos(angle) : Math.Sin(angle)));
    }
}
