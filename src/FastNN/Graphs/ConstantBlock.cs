using FastNN.Kernels;
using FastNN.Tensors;

namespace FastNN.Graphs;

/// <summary>
/// The constants of a plan in one block of device memory, shared by everything that runs the plan; large ones in a pool that
/// plans share, where there is one. Counted and thread-safe.
/// </summary>
internal sealed class ConstantBlock : IDisposable
{
    private readonly DeviceBlock? _block;
    private readonly ConstantPool? _pool;
    private readonly List<ConstantData> _pooled = [];
    private readonly Dictionary<ConstantData, (nint Address, FrozenValues Frozen)> _places = [];
    private int _holders = 1;

    public ConstantBlock(IDevice device, Plan plan, ConstantPool? pool = null)
    {
        _pool = pool;
        try
        {
            _block = Place(device, plan);
        }
        catch
        {
            ReleasePooled();
            throw;
        }
    }

    private DeviceBlock? Place(IDevice device, Plan plan)
    {
        var offsets = new Dictionary<ConstantData, nint>();
        long bytes = 0;
        IEnumerable<PlannedTensor> tensors = plan.Nodes.SelectMany(node => node.Inputs).Concat(plan.Values.Values);
        foreach (ConstantData data in tensors.Where(tensor => tensor.Place.Kind == PlaceKind.Constant).Select(
            tensor => tensor.Place.Data!))
        {
            if (_pool is not null && data.Length >= ConstantPool.LeastBytes)
            {
                if (!_places.ContainsKey(data))
                {
                    _places.Add(data, _pool.Hold(device, data));
                    _pooled.Add(data);
                }
            }
            else if (offsets.TryAdd(data, (nint)bytes))
            {
                bytes = Planner.Align(bytes + Math.Max(data.Length, 1));
            }
        }

        if (bytes == 0)
        {
            return null;
        }

        var block = new DeviceBlock(device, bytes);
        try
        {
            foreach ((ConstantData data, nint offset) in offsets)
            {
                _places.Add(data, (block.Address + offset, new FrozenValues()));
                device.Upload(data.Bytes, new Tensor(block.Address + offset, DType.UInt8, new Shape(data.Length)));
            }

            return block;
        }
        catch
        {
            block.Dispose();
            throw;
        }
    }

    /// <summary>Where a constant lies, and what is derived from it.</summary>
    public (nint Address, FrozenValues Frozen) this[ConstantData data] => _places[data];

    /// <summary>One more holder, unless the last one has let go.</summary>
    public bool TryHold()
    {
        int holders = Volatile.Read(ref _holders);
        while (holders > 0)
        {
            int seen = Interlocked.CompareExchange(ref _holders, holders + 1, holders);
            if (seen == holders)
            {
                return true;
            }

            holders = seen;
        }

        return false;
    }

    /// <summary>One more holder, beside one that holds it all the while.</summary>
    public ConstantBlock Hold()
    {
        ObjectDisposedException.ThrowIf(!TryHold(), this);
        return this;
    }

    /// <summary>One holder less; the last one's memory goes back.</summary>
    public void Dispose()
    {
        if (Interlocked.Decrement(ref _holders) == 0)
        {
            ReleasePooled();
            foreach ((_, FrozenValues frozen) in _places.Values)
            {
                frozen.Dispose();
            }

            _block?.Dispose();
        }
    }

    private void ReleasePooled()
    {
        foreach (ConstantData data in _pooled)
        {
            _places.Remove(data);
            _pool!.Release(data);
        }
    }
}
