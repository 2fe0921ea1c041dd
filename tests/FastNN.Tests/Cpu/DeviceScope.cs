using System.Runtime.InteropServices;
using FastNN.Cpu;
using FastNN.Tensors;

namespace FastNN.Tests.Cpu;

/// <summary>A CPU device with tensors that all go back at the end, which is checked.</summary>
internal sealed unsafe class DeviceScope : IDisposable
{
    /// <summary>Around every vector width, and one that is cut into several tasks.</summary>
    public static readonly int[] Sizes = [1, 3, 7, 13, 17, 31, 33, 129, 70001];

    private readonly List<nint> _blocks = [];
    private readonly long _before = HostMemory.LiveBlocks;

    public DeviceScope(int threads = 2) => Device = new CpuDevice(threads);

    public CpuDevice Device { get; }

    /// <summary>Numbers in [-range, range), the same for the same seed, each exactly a float.</summary>
    public static double[] Random(int count, int seed, double range = 3)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, count).Select(_ => (double)(float)(((random.NextDouble() * 2) - 1) * range))];
    }

    public Tensor Floats(double[] values, params int[] extents)
    {
        Tensor tensor = Zeros(extents.Length == 0 ? [values.Length] : extents);
        for (int i = 0; i < values.Length; i++)
        {
            ((float*)tensor.Address)[i] = (float)values[i];
        }

        return tensor;
    }

    public Tensor Scalar(double value) => Floats([value], 1);

    public Tensor Zeros(params int[] extents) => Take(DType.Float32, new Shape(extents));

    public Tensor Ints(int[] values)
    {
        Tensor tensor = Take(DType.Int32, new Shape(values.Length));
        Device.Upload(MemoryMarshal.AsBytes<int>(values), tensor);
        return tensor;
    }

    public static float[] Read(Tensor tensor) => new Span<float>((void*)tensor.Address, (int)tensor.Count).ToArray();

    /// <summary>Compares with what double arithmetic gives.</summary>
    /// <param name="relative">In units of 2^-23, which is one to two of the last place.</param>
    public static void AssertNear(Tensor actual, double[] expected, double relative, double absolute = 0)
    {
        float[] values = Read(actual);
        Assert.That(values, Has.Length.EqualTo(expected.Length));
        for (int i = 0; i < values.Length; i++)
        {
            double bound = absolute + (relative * Math.Pow(2, -23) * Math.Abs(expected[i]));
            bool equal = values[i].Equals((float)expected[i]) || Math.Abs(values[i] - expected[i]) <= bound;
            if (!equal)
            {
                Assert.Fail($"Element {i} is {values[i]:R}, not {expected[i]:R} to within {bound:G3}.");
            }
        }
    }

    public void Dispose()
    {
        foreach (nint block in _blocks)
        {
            Device.Free(block);
        }

        Device.Dispose();
        Assert.That(HostMemory.LiveBlocks, Is.EqualTo(_before), "native blocks that were not given back");
    }

    private Tensor Take(DType type, Shape shape)
    {
        nint address = Device.Allocate(shape.Count * type.Size());
        _blocks.Add(address);
        return new Tensor(address, type, shape);
    }
}
