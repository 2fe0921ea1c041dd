using System.Runtime.InteropServices;
using FastNN.Graphs;
using FastNN.Kernels;
using FastNN.Tensors;

namespace FastNN.Testing;

/// <summary>
/// A compiled graph with everything it needs to run: parameters on the device, a step counter, and its inputs on the host,
/// which go up before every run because the arena reuses their memory.
/// </summary>
internal sealed class GraphRun : IDisposable
{
    private readonly IDevice _device;
    private readonly ParameterStore _store;
    private readonly GradientStore? _gradients;
    private readonly Tensor _stepCounter;
    private readonly Executor _executor;
    private readonly List<(Tensor Tensor, byte[] Bytes)> _uploads = [];
    private bool _disposed;

    /// <param name="outputs">Values to read; the root need not be repeated here.</param>
    /// <param name="root">What is differentiated, or null to run forward only.</param>
    /// <param name="gradients">Inputs whose gradients are read.</param>
    /// <param name="parameters">All parameters that the graph uses, with values.</param>
    public GraphRun(IDevice device, Graph graph, Value[] outputs, Value? root, Value[] gradients, params Parameter[] parameters)
        : this(device, device, graph, outputs, root, gradients, parameters)
    {
    }

    /// <summary>The same, planned with other answers than the device's.</summary>
    public GraphRun(
        IPlanning planning, IDevice device, Graph graph, Value[] outputs, Value? root, Value[] gradients,
        params Parameter[] parameters)
    {
        _device = device;
        Value[] all = root is null || outputs.Contains(root) ? outputs : [.. outputs, root];
        Plan = Compiler.Compile(planning, graph, all, root, gradients);
        _store = new ParameterStore(device, parameters);
        _gradients = root is null ? null : new GradientStore(_store, [.. parameters.Where(parameter => parameter.IsTrainable)]);
        _store.Take(parameters);
        _stepCounter = new Tensor(device.Allocate(2 * sizeof(int)), DType.Int32, new Shape(2));
        _executor = new Executor(device, Plan, _store, _stepCounter, gradients: _gradients);
    }

    public Plan Plan { get; }

    /// <summary>The step that dropout draws its masks for.</summary>
    public void SetStep(long step) => _device.Upload(MemoryMarshal.AsBytes<long>(new[] { step }), _stepCounter);

    public void Set(Value input, ReadOnlySpan<float> values) => Keep(_executor[input], MemoryMarshal.AsBytes(values));

    public void Set(Value input, ReadOnlySpan<int> values) => Keep(_executor[input], MemoryMarshal.AsBytes(values));

    /// <summary>Numbers that become elements of the input's type.</summary>
    public void SetNumbers(Value input, double[] values)
    {
        switch (input.Type)
        {
            case DType.Float32:
                Keep(_executor[input], MemoryMarshal.AsBytes<float>(Array.ConvertAll(values, value => (float)value)));
                break;
            case DType.Int32:
                Keep(_executor[input], MemoryMarshal.AsBytes<int>(Array.ConvertAll(values, value => (int)value)));
                break;
            case DType.Int64:
                Keep(_executor[input], MemoryMarshal.AsBytes<long>(Array.ConvertAll(values, value => (long)value)));
                break;
            case DType.Float64:
                Keep(_executor[input], MemoryMarshal.AsBytes<double>(values));
                break;
            case DType.Float16:
                Keep(_executor[input], MemoryMarshal.AsBytes<Half>(Array.ConvertAll(values, value => (Half)value)));
                break;
            case DType.Bool or DType.UInt8 or DType.Int8:
                Keep(_executor[input], Array.ConvertAll(values, value => value < 0 ? (byte)(sbyte)value : (byte)value));
                break;
            default:
                throw new NotSupportedException($"{input.Type}");
        }
    }

    /// <summary>The upstream gradient; without it backward starts from ones.</summary>
    public void SetRootGradient(ReadOnlySpan<float> values) => Keep(_executor.RootGradient!, MemoryMarshal.AsBytes(values));

    public void Upload()
    {
        foreach ((Tensor tensor, byte[] bytes) in _uploads)
        {
            _device.Upload(bytes, tensor);
        }
    }

    public void Forward() => _executor.Forward();

    public void Backward() => _executor.Backward();

    public void Run()
    {
        Upload();
        _executor.Forward();
        _executor.Backward();
    }

    public float[] Read(Value value) => Read(_executor[value]);

    public float[] Gradient(Value value) => Read(_executor.Gradient(value));

    public float[] Gradient(Parameter parameter) => Read(_gradients!.Gradient(parameter));

    /// <summary>Managed bytes that one run allocates on this thread, once everything is warm.</summary>
    public long AllocatedBytesPerRun()
    {
        for (int i = 0; i < 2; i++)
        {
            Run();
        }

        long before = GC.GetAllocatedBytesForCurrentThread();
        Run();
        return GC.GetAllocatedBytesForCurrentThread() - before;
    }

    public void Dispose()
    {
        if (_disposed)
        {
            return;
        }

        _disposed = true;
        _executor.Dispose();
        _device.Free(_stepCounter.Address);
        _gradients?.Dispose();
        _store.Dispose();
    }

    private void Keep(Tensor tensor, ReadOnlySpan<byte> bytes)
    {
        _uploads.RemoveAll(upload => upload.Tensor == tensor);
        _uploads.Add((tensor, bytes.ToArray()));
    }

    private float[] Read(Tensor tensor)
    {
        var values = new float[tensor.Count];
        _device.Download(tensor, MemoryMarshal.AsBytes(values.AsSpan()));
        return values;
    }
}
