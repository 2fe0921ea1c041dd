using System.Numerics;

namespace FastNN.Hosting;

/// <summary>
/// Arrays of bytes for the tensors of calls, in sizes of powers of two. What it keeps for later is bounded; what it hands out is
/// not. Thread-safe.
/// </summary>
/// <param name="limit">The most bytes that it keeps; default 256 MiB.</param>
internal sealed class BufferPool(long limit = 256L << 20)
{
    private const int SmallestShift = 8;
    private const int Sizes = 31 - SmallestShift;

    private readonly Shelf[] _shelves = [.. Enumerable.Range(0, Sizes).Select(_ => new Shelf())];
    private long _kept;
    private long _rented;

    /// <summary>Bytes kept for later.</summary>
    public long KeptBytes => Interlocked.Read(ref _kept);

    /// <summary>Arrays that were rented and have not come back.</summary>
    public long Rented => Interlocked.Read(ref _rented);

    /// <summary>Takes an array of at least so many bytes, whose contents are arbitrary.</summary>
    public byte[] Rent(int bytes)
    {
        Interlocked.Increment(ref _rented);
        int size = SizeOf(bytes);
        if (size < Sizes && _shelves[size].TryTake(out byte[]? array))
        {
            Interlocked.Add(ref _kept, -array.Length);
            return array;
        }

        return GC.AllocateUninitializedArray<byte>(size < Sizes ? 1 << (size + SmallestShift) : bytes);
    }

    /// <summary>Gives an array back; null is allowed.</summary>
    public void Return(byte[]? array)
    {
        if (array is null)
        {
            return;
        }

        Interlocked.Decrement(ref _rented);
        int size = SizeOf(array.Length);
        if (size >= Sizes)
        {
            return;
        }

        if (Interlocked.Add(ref _kept, array.Length) > limit || !_shelves[size].TryPut(array))
        {
            Interlocked.Add(ref _kept, -array.Length);
        }
    }

    /// <summary>Lets go of all that it keeps.</summary>
    public void Trim()
    {
        foreach (Shelf shelf in _shelves)
        {
            while (shelf.TryTake(out byte[]? array))
            {
                Interlocked.Add(ref _kept, -array.Length);
            }
        }
    }

    private static int SizeOf(int bytes) =>
        Math.Max(0, 32 - BitOperations.LeadingZeroCount((uint)Math.Max(bytes, 1) - 1) - SmallestShift);

    /// <summary>Arrays of one size, the last that came back first: it is still in the processor's cache.</summary>
    private sealed class Shelf
    {
        private const int Most = 4096;

        private readonly Lock _lock = new();
        private byte[]?[] _arrays = [];
        private int _count;

        public bool TryTake([System.Diagnostics.CodeAnalysis.NotNullWhen(true)] out byte[]? array)
        {
            lock (_lock)
            {
                array = _count > 0 ? _arrays[--_count] : null;
                if (array is not null)
                {
                    _arrays[_count] = null;
                }
            }

            return array is not null;
        }

        public bool TryPut(byte[] array)
        {
            lock (_lock)
            {
                if (_count == _arrays.Length)
                {
                    if (_count == Most)
                    {
                        return false;
                    }

                    Array.Resize(ref _arrays, Math.Max(8, 2 * _count));
                }

                _arrays[_count++] = array;
                return true;
            }
        }
    }
}
