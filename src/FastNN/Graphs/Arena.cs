using FastNN.Kernels;

namespace FastNN.Graphs;

/// <summary>
/// One block of device memory for any number of plans that run one after another: it is as large as the largest of them needs.
/// When it grows or is trimmed it moves, and what was bound to it before has to be bound again (<see cref="Version"/>). Counted:
/// the block goes back when the last holder lets go. Not thread-safe, as whatever runs in it is not either.
/// </summary>
/// <param name="device">Whose memory it is.</param>
/// <param name="budget">What several arenas may hold together; null for no limit.</param>
internal sealed class Arena(IDevice device, ArenaBudget? budget = null) : IDisposable
{
    private DeviceBlock? _block;
    private int _holders = 1;

    /// <summary>Where it begins.</summary>
    public nint Address => _block?.Address ?? 0;

    /// <summary>Bytes that it holds now.</summary>
    public long Bytes { get; private set; }

    /// <summary>Changes whenever it moves.</summary>
    public int Version { get; private set; }

    /// <summary>
    /// Makes it at least so large, once the budget has room for it. What lay in it is lost if it has to grow.
    /// </summary>
    /// <exception cref="DeviceException">The memory cannot be allocated; the arena is then empty.</exception>
    public void Require(long bytes)
    {
        ObjectDisposedException.ThrowIf(_holders == 0, this);
        bytes = Math.Max(bytes, Planner.Alignment);
        if (bytes > Bytes)
        {
            // The old block goes first: both at once would double the peak.
            Trim();
            budget?.Take(bytes);
            try
            {
                _block = new DeviceBlock(device, bytes);
            }
            catch
            {
                budget?.Give(bytes);
                throw;
            }

            Bytes = bytes;
        }
    }

    /// <summary>Gives the block back; the next <see cref="Require"/> takes a new one.</summary>
    public void Trim()
    {
        if (Bytes == 0)
        {
            return;
        }

        long bytes = Bytes;
        Bytes = 0;
        Version++;
        _block!.Dispose();
        _block = null;
        budget?.Give(bytes);
    }

    /// <summary>One more holder.</summary>
    public Arena Hold()
    {
        ObjectDisposedException.ThrowIf(_holders == 0, this);
        _holders++;
        return this;
    }

    /// <summary>One holder less; the last one's memory goes back.</summary>
    public void Dispose()
    {
        if (_holders > 0 && --_holders == 0)
        {
            Trim();
        }
    }
}
