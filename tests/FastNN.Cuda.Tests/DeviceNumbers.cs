using System.Runtime.InteropServices;
using FastNN.Tensors;

namespace FastNN.Cuda.Tests;

/// <summary>Arrays of float32 in device memory, freed together.</summary>
internal sealed class DeviceNumbers(CudaDevice device) : IDisposable
{
    private readonly List<nint> _blocks = [];

    /// <summary>Memory with these numbers.</summary>
    public nint Put(float[] values)
    {
        nint address = Take(values.Length * sizeof(float));
        device.Upload(MemoryMarshal.AsBytes<float>(values), At(address, values.Length));
        return address;
    }

    public nint Take(long bytes)
    {
        nint address = device.Allocate(bytes);
        _blocks.Add(address);
        return address;
    }

    public float[] Get(nint address, int count)
    {
        float[] values = new float[count];
        device.Download(At(address, count), MemoryMarshal.AsBytes(values.AsSpan()));
        return values;
    }

    public void Dispose() => _blocks.ForEach(device.Free);

    private static Tensor At(nint address, int count) => new(address, DType.Float32, new Shape(count));
}
