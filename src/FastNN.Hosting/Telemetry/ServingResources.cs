using System.Collections.Concurrent;
using FastNN.Cuda;
using Microsoft.Extensions.DependencyInjection;

namespace FastNN.Hosting;

/// <summary>
/// What a service holds of the memory, and what its GPUs do, read when somebody asks. Thread-safe.
/// </summary>
/// <param name="services">Has the catalog and the device, which are made from what this is part of.</param>
internal sealed class ServingResources(IServiceProvider services)
{
    private readonly ConcurrentDictionary<Device, bool> _watched = new();

    /// <summary>Bytes of managed objects, those included that the next collection frees.</summary>
    public static long Managed => GC.GetTotalMemory(forceFullCollection: false);

    /// <summary>Bytes that the pool of tensors keeps for the next calls.</summary>
    public long Buffers => services.GetService<ModelCatalog>()?.Buffers.KeptBytes ?? 0;

    /// <summary>Tensors that calls hold now.</summary>
    public long RentedBuffers => services.GetService<ModelCatalog>()?.Buffers.Rented ?? 0;

    /// <summary>The devices of models, with what is held of their memory.</summary>
    public IReadOnlyList<(string Kind, DeviceMemory Use)> Devices => [.. All().Select(Read).OfType<(string, DeviceMemory)>()];

    /// <summary>Bytes of each GPU in use that no process holds.</summary>
    public IReadOnlyList<long> FreeOnGpus => [.. OfGpus<long>(gpu => gpu.FreeMemory())];

    /// <summary>What each GPU in use does now, as far as its driver tells.</summary>
    public IReadOnlyList<GpuState> Gpus => [.. OfGpus<GpuState>(gpu => gpu.State())];

    /// <summary>Shows a device that is not the service's own until <see cref="Forget"/>.</summary>
    public void Watch(Device device) => _watched[device] = true;

    /// <summary>No longer shows a device, which is about to be disposed.</summary>
    public void Forget(Device device) => _watched.TryRemove(device, out _);

    private IEnumerable<T> OfGpus<T>(Func<CudaCore, T?> read)
        where T : struct
    {
        foreach (Device device in CudaSupport.IsSupported ? All() : [])
        {
            T? value = null;
            try
            {
                value = device.Implementation is CudaCore gpu ? read(gpu) : null;
            }
            catch (Exception exception) when (exception is ObjectDisposedException or DeviceException)
            {
                // The service ends, or the GPU is lost: calls tell of that.
            }

            if (value is { } known)
            {
                yield return known;
            }
        }
    }

    private IEnumerable<Device> All()
    {
        Device? served = services.GetService<ServedDevice>()?.Current;
        return served is null ? _watched.Keys : _watched.Keys.Append(served).Distinct();
    }

    private static (string Kind, DeviceMemory Use)? Read(Device device)
    {
        try
        {
            return (device.Kind, device.Memory);
        }
        catch (ObjectDisposedException)
        {
            // The service ends.
            return null;
        }
    }
}
