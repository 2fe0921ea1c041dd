using System.Runtime.InteropServices;
using FastNN.Kernels;
using FastNN.Tensors;

namespace FastNN.Graphs;

/// <summary>
/// Large constants that several recordings have in common, such as a model's weights recorded for several input shapes: once on
/// the host, once on the device, with one copy of what kernels derive from them. A constant goes when the last plan that has it
/// does. Thread-safe.
/// </summary>
internal sealed class ConstantPool
{
    /// <summary>Bytes below which sharing is not worth its keeping.</summary>
    public const int LeastBytes = 4096;

    private readonly Lock _gate = new();
    // Weak, as recordings that are dropped take what only they had along.
    private readonly Dictionary<(int Length, ulong Hash), List<WeakReference<byte[]>>> _known = [];
    private readonly Dictionary<byte[], Placed> _placed = [];

    /// <summary>An array with these bytes: one that is there already, or a copy.</summary>
    public byte[] Intern(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length < LeastBytes)
        {
            return bytes.ToArray();
        }

        lock (_gate)
        {
            (int, ulong) key = (bytes.Length, HashOf(bytes));
            if (!_known.TryGetValue(key, out List<WeakReference<byte[]>>? alike))
            {
                _known.Add(key, alike = []);
            }

            foreach (WeakReference<byte[]> candidate in alike)
            {
                if (candidate.TryGetTarget(out byte[]? known) && bytes.SequenceEqual(known))
                {
                    return known;
                }
            }

            byte[] copy = bytes.ToArray();
            alike.RemoveAll(candidate => !candidate.TryGetTarget(out _));
            alike.Add(new WeakReference<byte[]>(copy));
            return copy;
        }
    }

    /// <summary>Where a constant lies on the device, held for the caller until <see cref="Release"/>.</summary>
    public (nint Address, FrozenValues Frozen) Hold(IDevice device, byte[] data)
    {
        lock (_gate)
        {
            if (!_placed.TryGetValue(data, out Placed? placed))
            {
                placed = new Placed(new DeviceBlock(device, data.Length));
                try
                {
                    device.Upload(data, new Tensor(placed.Block.Address, DType.UInt8, new Shape(data.Length)));
                }
                catch
                {
                    placed.Block.Dispose();
                    throw;
                }

                _placed.Add(data, placed);
            }

            placed.Holders++;
            return (placed.Block.Address, placed.Frozen);
        }
    }

    /// <summary>One holder less.</summary>
    public void Release(byte[] data)
    {
        lock (_gate)
        {
            Placed placed = _placed[data];
            if (--placed.Holders > 0)
            {
                return;
            }

            _placed.Remove(data);
            placed.Frozen.Dispose();
            placed.Block.Dispose();
        }
    }

    // Some numbers are enough: what is alike by them is compared byte by byte.
    private static ulong HashOf(ReadOnlySpan<byte> bytes)
    {
        ReadOnlySpan<ulong> words = MemoryMarshal.Cast<byte, ulong>(bytes);
        ulong hash = (ulong)bytes.Length;
        int step = Math.Max(1, words.Length / 256);
        for (int i = 0; i < words.Length; i += step)
        {
            hash = (System.Numerics.BitOperations.RotateLeft(hash, 5) ^ words[i]) * 0x9E3779B97F4A7C15;
        }

        return hash;
    }

    private sealed class Placed(DeviceBlock block)
    {
        public DeviceBlock Block => block;

        public FrozenValues Frozen { get; } = new();

        public int Holders { get; set; }
    }
}
