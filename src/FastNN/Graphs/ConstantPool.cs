using System.Runtime.InteropServices;
using FastNN.Kernels;
using FastNN.Tensors;

namespace FastNN.Graphs;

/// <summary>
/// Large constants that several recordings have in common, such as a model's weights recorded for several input shapes: once on
/// the device, with one copy of what kernels derive from them. A constant goes when the last plan that has it does. Thread-safe.
/// </summary>
internal sealed class ConstantPool
{
    /// <summary>Bytes below which sharing is not worth its keeping.</summary>
    public const int LeastBytes = 4096;

    private readonly Lock _gate = new();
    // Weak, as recordings that are dropped take what only they had along.
    private readonly Dictionary<(int Length, ulong Hash), List<WeakReference<ConstantData>>> _known = [];
    private readonly Dictionary<ConstantData, Placed> _placed = [];

    /// <summary>A constant like this one: one that is there already, or this one.</summary>
    public ConstantData Intern(ConstantData data)
    {
        if (data.Length < LeastBytes)
        {
            return data;
        }

        lock (_gate)
        {
            ReadOnlySpan<byte> origin = data.Origin;
            (int, ulong) key = (data.Length, HashOf(origin));
            if (!_known.TryGetValue(key, out List<WeakReference<ConstantData>>? alike))
            {
                _known.Add(key, alike = []);
            }

            foreach (WeakReference<ConstantData> candidate in alike)
            {
                if (candidate.TryGetTarget(out ConstantData? known) && known.IsMadeLike(data)
                    && origin.SequenceEqual(known.Origin))
                {
                    return known;
                }
            }

            alike.RemoveAll(candidate => !candidate.TryGetTarget(out _));
            alike.Add(new WeakReference<ConstantData>(data));
            return data;
        }
    }

    /// <summary>Where a constant lies on the device, held for the caller until <see cref="Release"/>.</summary>
    public (nint Address, FrozenValues Frozen) Hold(IDevice device, ConstantData data)
    {
        lock (_gate)
        {
            if (!_placed.TryGetValue(data, out Placed? placed))
            {
                placed = Place(device, data);
                _placed.Add(data, placed);
            }

            placed.Holders++;
            return (placed.Block.Address, placed.Frozen);
        }
    }

    /// <summary>Bytes of constants that lie on the device as they are, beside what is derived from them.</summary>
    public long LoadedBytes
    {
        get
        {
            lock (_gate)
            {
                return _placed.Sum(placed => placed.Value.Frozen.IsLoaded ? (long)placed.Key.Length : 0);
            }
        }
    }

    /// <summary>How many constants are on the device.</summary>
    public int Count
    {
        get
        {
            lock (_gate)
            {
                return _placed.Count;
            }
        }
    }

    /// <summary>One holder less.</summary>
    public void Release(ConstantData data)
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

    // Where kernels read the host's memory, each brings the values to where it wants them; a GPU has them from the beginning.
    private static Placed Place(IDevice device, ConstantData data)
    {
        var block = new DeviceBlock(device, data.Length, clear: !device.IsHost);
        if (device.IsHost)
        {
            return new Placed(block, new FrozenValues(data, block.Address));
        }

        try
        {
            device.Upload(data.Bytes, new Tensor(block.Address, DType.UInt8, new Shape(data.Length)));
            return new Placed(block, new FrozenValues());
        }
        catch
        {
            block.Dispose();
            throw;
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

    private sealed class Placed(DeviceBlock block, FrozenValues frozen)
    {
        public DeviceBlock Block => block;

        public FrozenValues Frozen => frozen;

        public int Holders { get; set; }
    }
}
