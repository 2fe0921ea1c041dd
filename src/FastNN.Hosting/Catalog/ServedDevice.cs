using Microsoft.Extensions.Options;

namespace FastNN.Hosting;

/// <summary>The device of a service, made when the first model is loaded.</summary>
/// <param name="options">Says which.</param>
/// <param name="telemetry">Shows its memory.</param>
internal sealed class ServedDevice(IOptions<FastNNOptions> options, ServingTelemetry telemetry) : IDisposable
{
    private readonly Lock _lock = new();
    private readonly List<IDisposable> _users = [];
    private Device? _device;
    private bool _disposed;

    /// <summary>The device.</summary>
    /// <exception cref="DeviceException">It cannot be opened.</exception>
    public Device Get()
    {
        lock (_lock)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            FastNNOptions its = options.Value;
            Device device = its.GetOwnDevice() ?? (_device ??= its.Device switch
            {
                "cuda" => Device.Cuda(),
                "best" => Device.Best(its.Threads),
                _ => Device.Cpu(its.Threads),
            });
            telemetry.Watch(device);
            return device;
        }
    }

    /// <summary>The device; null where it was not needed yet.</summary>
    public Device? Current => options.Value.GetOwnDevice() ?? Volatile.Read(ref _device);

    /// <summary>Has something disposed before the device is.</summary>
    public void AddUser(IDisposable user)
    {
        lock (_lock)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            _users.Add(user);
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        IDisposable[] users;
        lock (_lock)
        {
            _disposed = true;
            users = [.. _users];
            _users.Clear();
        }

        // Not under the lock: they finish what they do, and may ask for the device meanwhile, which refuses.
        foreach (IDisposable user in users)
        {
            user.Dispose();
        }

        lock (_lock)
        {
            if (Current is { } device)
            {
                telemetry.Forget(device);
            }

            _device?.Dispose();
            _device = null;
        }
    }
}
