using System.Buffers.Binary;
using System.Numerics;
using System.Text;

namespace FastNN.Onnx.Host;

/// <summary>Hashes of elements.</summary>
internal static class Hashes
{
    /// <summary>MurmurHash3 (Appleby, 2011) of 32 bits over each element's bytes; text is UTF-8.</summary>
    public static OnnxValue?[] MurmurHash3(HostCall call)
    {
        OnnxTensor x = call.Tensor(0);
        uint seed = (uint)call.Int("seed", 0);
        uint[] hashes;
        if (x.Data is string[] texts)
        {
            hashes = Array.ConvertAll(texts, text => Murmur(Encoding.UTF8.GetBytes(text), seed));
        }
        else if (x.Data is int[] or uint[] or long[] or ulong[] or float[] or double[])
        {
            ReadOnlySpan<byte> bytes = x.Bytes();
            int size = x.Count == 0 ? 0 : bytes.Length / x.Count;
            hashes = new uint[x.Count];
            for (int i = 0; i < hashes.Length; i++)
            {
                hashes[i] = Murmur(bytes.Slice(i * size, size), seed);
            }
        }
        else
        {
            throw call.Error("text, or numbers of 32 or 64 bits", x.ToString());
        }

        return HostCall.One(call.Int("positive", 1) != 0
            ? OnnxTensor.Create(hashes, x.Dims)
            : OnnxTensor.Create(Array.ConvertAll(hashes, hash => (int)hash), x.Dims));
    }

    private static uint Murmur(ReadOnlySpan<byte> bytes, uint seed)
    {
        uint hash = seed;
        int length = bytes.Length;
        for (; bytes.Length >= 4; bytes = bytes[4..])
        {
            hash ^= Scrambled(BinaryPrimitives.ReadUInt32LittleEndian(bytes));
            hash = (BitOperations.RotateLeft(hash, 13) * 5) + 0xe6546b64;
        }

        if (bytes.Length > 0)
        {
            uint tail = 0;
            for (int i = bytes.Length - 1; i >= 0; i--)
            {
                tail = (tail << 8) | bytes[i];
            }

            hash ^= Scrambled(tail);
        }

        hash ^= (uint)length;
        hash = (hash ^ (hash >> 16)) * 0x85ebca6b;
        hash = (hash ^ (hash >> 13)) * 0xc2b2ae35;
        return hash ^ (hash >> 16);
    }

    private static uint Scrambled(uint block) => BitOperations.RotateLeft(block * 0xcc9e2d51, 15) * 0x1b873593;
}
