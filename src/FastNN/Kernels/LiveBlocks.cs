using System.Globalization;

namespace FastNN.Kernels;

/// <summary>
/// The blocks of a device that are in use, ordered by address; kept in debug mode alone. Thread-safe; looking one up allocates
/// nothing.
/// </summary>
internal sealed class LiveBlocks
{
    // A monitor: a Lock makes an event, on the managed heap, when it is first contended, and steps are to allocate nothing.
    private readonly object _gate = new();
    private readonly List<nint> _addresses = [];
    private readonly List<long> _sizes = [];

    public void Add(nint address, long bytes)
    {
        lock (_gate)
        {
            int at = ~_addresses.BinarySearch(address);
            _addresses.Insert(at, address);
            _sizes.Insert(at, bytes);
        }
    }

    public void Remove(nint address)
    {
        lock (_gate)
        {
            int at = _addresses.BinarySearch(address);
            if (at >= 0)
            {
                _addresses.RemoveAt(at);
                _sizes.RemoveAt(at);
            }
        }
    }

    /// <summary>Whether one block holds all bytes from an address on.</summary>
    public bool Holds(nint address, long bytes)
    {
        lock (_gate)
        {
            int at = Last(address);
            return at >= 0 && address - _addresses[at] <= _sizes[at] - bytes;
        }
    }

    /// <summary>The block that is nearest to an address, for messages.</summary>
    public string DescribeNearest(nint address)
    {
        lock (_gate)
        {
            if (_addresses.Count == 0)
            {
                return "no block is alive";
            }

            int at = Last(address);
            if (at < 0 || (at + 1 < _addresses.Count && _addresses[at + 1] - address < address - (_addresses[at] + _sizes[at])))
            {
                at++;
            }

            return string.Create(
                CultureInfo.InvariantCulture,
                $"the nearest live block is 0x{_addresses[at]:x} to 0x{_addresses[at] + _sizes[at]:x}, {_sizes[at]} bytes");
        }
    }

    /// <summary>The last block that begins at or before an address, or -1.</summary>
    private int Last(nint address)
    {
        int at = _addresses.BinarySearch(address);
        return at >= 0 ? at : ~at - 1;
    }
}
