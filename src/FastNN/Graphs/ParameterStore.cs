using System.Runtime.InteropServices;
using FastNN.Kernels;
using FastNN.Tensors;

namespace FastNN.Graphs;

/// <summary>
/// Parameters in one flat block of device memory, so that the optimizer updates all of them in one pass: the trainable ones
/// first, each aligned to a cache line, the padding zero and staying zero. Gradients, where wanted, lie in a second block at
/// equal offsets.
/// </summary>
internal sealed class ParameterStore : IDisposable
{
    private readonly Dictionary<Parameter, Tensor> _values = [];
    private readonly Dictionary<Parameter, Tensor> _gradients = [];
    private readonly nint _valueBlock;
    private readonly nint _gradientBlock;

    public ParameterStore(IDevice device, IReadOnlyList<Parameter> parameters, bool withGradients)
    {
        Device = device;
        var offsets = new Dictionary<Parameter, long>();
        long bytes = 0;
        foreach (Parameter parameter in parameters.Where(p => p.IsTrainable).Concat(parameters.Where(p => !p.IsTrainable)))
        {
            offsets.Add(parameter, bytes);
            bytes = Planner.Align(bytes + (parameter.Count * sizeof(float)));
            if (parameter.IsTrainable)
            {
                TrainableCount = checked((int)(bytes / sizeof(float)));
            }
        }

        _valueBlock = device.Allocate(Math.Max(bytes, Planner.Alignment));
        try
        {
            _gradientBlock = withGradients ? device.Allocate(Math.Max(bytes, Planner.Alignment)) : 0;
        }
        catch
        {
            device.Free(_valueBlock);
            throw;
        }

        Values = Flat(_valueBlock);
        Gradients = withGradients ? Flat(_gradientBlock) : null;
        foreach ((Parameter parameter, long offset) in offsets)
        {
            _values.Add(parameter, new Tensor(_valueBlock + (nint)offset, DType.Float32, parameter.Shape));
            if (withGradients)
            {
                _gradients.Add(parameter, new Tensor(_gradientBlock + (nint)offset, DType.Float32, parameter.Shape));
            }
        }
    }

    public IDevice Device { get; }

    /// <summary>Floats in the trainable part, padding included.</summary>
    public int TrainableCount { get; }

    /// <summary>The trainable part of all values.</summary>
    public Tensor Values { get; }

    /// <summary>Its gradients, or null.</summary>
    public Tensor? Gradients { get; }

    public Tensor Value(Parameter parameter) => Find(_values, parameter);

    public Tensor Gradient(Parameter parameter) => Find(_gradients, parameter);

    /// <summary>Copies the parameters' present values in.</summary>
    public void CopyFrom(IEnumerable<Parameter> parameters)
    {
        foreach (Parameter parameter in parameters)
        {
            var values = new float[checked((int)parameter.Count)];
            parameter.Read(values);
            Device.Upload(MemoryMarshal.AsBytes<float>(values), Value(parameter));
        }
    }

    public void Dispose()
    {
        Device.Free(_valueBlock);
        if (_gradientBlock != 0)
        {
            Device.Free(_gradientBlock);
        }
    }

    private Tensor Flat(nint address) => new(address, DType.Float32, new Shape(TrainableCount));

    private static Tensor Find(Dictionary<Parameter, Tensor> tensors, Parameter parameter) =>
        tensors.TryGetValue(parameter, out Tensor? tensor)
            ? tensor
            : throw new InvalidOperationException($"Parameter {parameter.Name} is not among those the model had when it was built.");
}
