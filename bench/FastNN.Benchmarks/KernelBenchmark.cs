using System.Runtime.InteropServices;
using BenchmarkDotNet.Attributes;
using FastNN.Kernels;
using FastNN.Tensors;

namespace FastNN.Benchmarks;

/// <summary>
/// What the benchmarks of kernels share: a device and tensors on it, filled with numbers that no kernel finds special.
/// </summary>
public abstract class KernelBenchmark : IDisposable
{
    private readonly List<nint> _blocks = [];
    private Device? _device;

    /// <summary>Processor threads.</summary>
    [Params(1, 2)]
    public int Threads { get; set; }

    private protected IDevice Kernels => (_device ??= Device.Cpu(Threads)).Implementation;

    [GlobalCleanup]
    public void Dispose()
    {
        _blocks.ForEach(Kernels.Free);
        _blocks.Clear();
        _device?.Dispose();
        _device = null;
        GC.SuppressFinalize(this);
    }

    private protected Tensor Make(params ReadOnlySpan<int> extents)
    {
        var shape = new Shape(extents);
        nint block = Kernels.Allocate(Math.Max(shape.Count, 1) * sizeof(float));
        _blocks.Add(block);
        var tensor = new Tensor(block, DType.Float32, shape);
        var values = new float[shape.Count];
        Philox.FillUniform(values, seed: 1, Philox.Stream(RandomUse.Data, (uint)_blocks.Count));
        foreach (ref float value in values.AsSpan())
        {
            value -= 0.5f;
        }

        Kernels.Upload(MemoryMarshal.AsBytes<float>(values), tensor);
        return tensor;
    }

    private protected Tensor? Scratch(long bytes) =>
        bytes == 0 ? null : Make(checked((int)((bytes + sizeof(float) - 1) / sizeof(float))));
}
