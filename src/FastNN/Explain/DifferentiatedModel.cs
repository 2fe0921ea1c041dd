using System.Runtime.InteropServices;
using FastNN.Graphs;
using FastNN.Kernels;
using FastNN.Tensors;

namespace FastNN.Explain;

/// <summary>
/// A recording of a model with something to differentiate behind it, for one number of examples: forward, and backward to what
/// gradients are wanted of. It changes neither parameters nor buffers.
/// </summary>
internal sealed class DifferentiatedModel : IDisposable
{
    private readonly IDevice _device;
    private readonly Graph _graph;
    private readonly Executor _executor;
    private readonly Replay _replay;

    /// <param name="store">Holds the parameters' values.</param>
    /// <param name="arena">What it runs in.</param>
    /// <param name="graph">The recording.</param>
    /// <param name="root">One number, to be differentiated.</param>
    /// <param name="outputs">What can be read, besides the root.</param>
    /// <param name="wanted">Inputs of the graph whose gradients can be read.</param>
    /// <param name="gradients">Where parameters' gradients go; null for none.</param>
    /// <param name="stepCounter">From which random numbers are drawn; null where there are none.</param>
    public DifferentiatedModel(
        ParameterStore store, Arena arena, Graph graph, Value root, IReadOnlyList<Value> outputs, IReadOnlyList<Value> wanted,
        GradientStore? gradients = null, Tensor? stepCounter = null)
    {
        (_device, _graph, Root) = (store.Device, graph, root);
        Plan plan = Compiler.CompileStep(
            _device, graph, new SymbolValues(), [.. outputs.Prepend(root).Distinct()], root, [.. wanted],
            parameter => gradients?.Contains(parameter) ?? false);
        _executor = new Executor(_device, plan, store, stepCounter, arena, gradients: gradients);
        _replay = new Replay(_device, Differentiate, plan.IsCapturable);
    }

    /// <summary>What is differentiated.</summary>
    public Value Root { get; }

    /// <summary>Whether the arena is still where it was.</summary>
    public bool IsBound => _executor.IsBound;

    public Executor Executor => _executor;

    /// <summary>Writes an input; all of them before every run.</summary>
    /// <exception cref="InvalidDatasetException">An operator indexes with a value that is out of its range.</exception>
    public void Write<T>(Value input, ReadOnlySpan<T> values)
        where T : unmanaged
    {
        ReadOnlySpan<byte> bytes = MemoryMarshal.AsBytes(values);
        Tensor tensor = _executor[input];
        if (tensor.Bytes != bytes.Length)
        {
            throw new InvalidOperationException(
                $"Explain: expected {tensor.Bytes} bytes for input '{input.Name}' of type {tensor}, got {bytes.Length}.");
        }

        foreach (IndexRange range in _executor.Plan.IndexRanges[input])
        {
            range.Require(bytes, input.Type, input.Name!);
        }

        _device.Upload(bytes, tensor);
    }

    /// <summary>Fills an input with zeros.</summary>
    public void Clear(Value input) => _device.Memory.Fill(_executor[input], 0);

    public void Forward() => _executor.Forward();

    /// <summary>Forward and backward.</summary>
    public void Run() => _replay.Run();

    public void Read(Value output, Span<float> values) => _device.Download(_executor[output], MemoryMarshal.AsBytes(values));

    public float ReadRoot()
    {
        Span<float> value = stackalloc float[1];
        Read(Root, value);
        return value[0];
    }

    public float[] Read(Value output)
    {
        var values = new float[_executor[output].Count];
        Read(output, values);
        return values;
    }

    public void ReadGradient(Value input, Span<float> values) =>
        _device.Download(_executor.Gradient(input), MemoryMarshal.AsBytes(values));

    public float[] ReadGradient(Value input)
    {
        var values = new float[_executor.Gradient(input).Count];
        ReadGradient(input, values);
        return values;
    }

    public void Dispose()
    {
        _replay.Dispose();
        _executor.Dispose();
        GC.KeepAlive(_graph);
    }

    private void Differentiate()
    {
        _executor.Forward();
        _executor.Backward();
    }
}
