using System.Diagnostics.CodeAnalysis;

namespace FastNN.Kernels;

/// <summary>
/// The life of a device: how many calls are inside it, and what has to leave it before it goes. Closing refuses new calls, waits
/// for those that are inside, and then lets everything that lives on the device, such as parameters, go home. One interlocked
/// addition per call.
/// </summary>
/// <param name="name">The device's kind, for messages.</param>
internal sealed class DeviceLife(string name)
{
    private const int Closed = 1 << 30;

    /// <summary>The device that this thread is inside of.</summary>
    [ThreadStatic]
    private static DeviceLife? inside;

    private readonly Lock _gate = new();
    private readonly List<WeakReference<IResident>> _residents = [];
    private int _state;
    private int _closer;
    private volatile bool _evacuated;

    public bool IsClosed => (Volatile.Read(ref _state) & Closed) != 0;

    /// <summary>
    /// Takes part in the device until the result is disposed, on the same thread; within such a call it costs nothing more.
    /// </summary>
    /// <exception cref="ObjectDisposedException">The device is closed.</exception>
    public DeviceUse Enter()
    {
        if (!TryEnter(out DeviceUse use))
        {
            throw new ObjectDisposedException(name, $"{name}: the device was disposed.");
        }

        return use;
    }

    /// <summary>
    /// As <see cref="Enter"/>; false where the device is closed. The thread that closes it may still enter until all residents
    /// have left.
    /// </summary>
    public bool TryEnter(out DeviceUse use)
    {
        DeviceLife? outer = inside;
        if (outer == this || _closer == Environment.CurrentManagedThreadId)
        {
            use = default;
            return true;
        }

        if ((Interlocked.Increment(ref _state) & Closed) != 0)
        {
            Interlocked.Decrement(ref _state);
            use = default;
            return false;
        }

        inside = this;
        use = new DeviceUse(this, outer);
        return true;
    }

    /// <summary>
    /// Something that has to go home before the device is gone. Held weakly: what nobody uses any more needs no home.
    /// </summary>
    public void Attach(IResident resident)
    {
        lock (_gate)
        {
            _residents.RemoveAll(reference => !reference.TryGetTarget(out _));
            _residents.Add(new WeakReference<IResident>(resident));
        }
    }

    public void Detach(IResident resident)
    {
        lock (_gate)
        {
            _residents.RemoveAll(reference => !reference.TryGetTarget(out IResident? target) || target == resident);
        }
    }

    /// <summary>Refuses new calls, waits for those that are inside and sends all residents home.</summary>
    /// <returns>False where the device was closed before, or is being closed by another thread.</returns>
    /// <exception cref="InvalidOperationException">Called from within a call, which would wait for itself.</exception>
    [SuppressMessage(
        "Design", "CA1031", Justification = "Nothing that fails on the way out may keep the device from being given back.")]
    public bool Close()
    {
        if (inside == this)
        {
            throw new InvalidOperationException(
                $"{name}: the device cannot be disposed by code that it runs; dispose it when the call has returned.");
        }

        if ((Interlocked.Or(ref _state, Closed) & Closed) != 0)
        {
            return false;
        }

        var spin = default(SpinWait);
        while ((Volatile.Read(ref _state) & ~Closed) != 0)
        {
            spin.SpinOnce();
        }

        WeakReference<IResident>[] residents;
        lock (_gate)
        {
            residents = [.. _residents];
        }

        _closer = Environment.CurrentManagedThreadId;
        foreach (WeakReference<IResident> reference in residents)
        {
            if (reference.TryGetTarget(out IResident? resident))
            {
                try
                {
                    resident.GoHome();
                }
                catch (Exception)
                {
                }
            }
        }

        _closer = 0;
        _evacuated = true;
        return true;
    }

    /// <summary>Waits until all residents of a closed device have left.</summary>
    public void AwaitEvacuation()
    {
        var spin = default(SpinWait);
        while (!_evacuated)
        {
            spin.SpinOnce();
        }
    }

    internal void Leave(DeviceLife? outer)
    {
        inside = outer;
        Interlocked.Decrement(ref _state);
    }
}

/// <summary>Something on a device that is worth more than the device, such as trained parameters.</summary>
internal interface IResident
{
    /// <summary>Brings what is worth keeping to the host; called once nothing runs on the device any more.</summary>
    void GoHome();
}

/// <summary>A call's part in a device: while it is held, the device is not given back.</summary>
internal readonly ref struct DeviceUse(DeviceLife? life, DeviceLife? outer)
{
    public void Dispose() => life?.Leave(outer);
}
