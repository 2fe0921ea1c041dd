namespace FastNN.Kernels;

/// <summary>
/// The owner of one block of device memory. A block whose owner was forgotten is given back all the same: the finalizer, which
/// may call no driver, leaves that to the device.
/// </summary>
internal sealed class DeviceBlock : IDisposable
{
    private readonly IDevice _device;
    private nint _address;

    /// <summary>Takes a block of memory.</summary>
    /// <param name="device">Whose memory.</param>
    /// <param name="bytes">How much.</param>
    /// <param name="clear">Whether it is zeroed.</param>
    public DeviceBlock(IDevice device, long bytes, bool clear = true)
    {
        _device = device;
        _address = device.Allocate(bytes, clear);
        Address = _address;
    }

    ~DeviceBlock()
    {
        if (Interlocked.Exchange(ref _address, 0) is not 0 and var address)
        {
            _device.Abandon(address);
        }
    }

    public nint Address { get; }

    public void Dispose()
    {
        GC.SuppressFinalize(this);
        _device.Free(Interlocked.Exchange(ref _address, 0));
    }
}
