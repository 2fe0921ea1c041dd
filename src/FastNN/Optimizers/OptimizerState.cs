using System.Runtime.InteropServices;
using FastNN.Graphs;
using FastNN.Kernels;
using FastNN.Tensors;

namespace FastNN.Optimizers;

/// <summary>An optimizer's tensors on a device, laid out as the parameters are.</summary>
internal sealed class OptimizerState : IDisposable
{
    private readonly Optimizer _optimizer;
    private readonly ParameterStore _parameters;
    private readonly nint _block;
    private readonly Tensor _scalars;
    private readonly Tensor[] _state;

    public OptimizerState(Optimizer optimizer, ParameterStore parameters)
    {
        _optimizer = optimizer;
        _parameters = parameters;
        long stride = Planner.Align((long)parameters.TrainableCount * sizeof(float));
        IReadOnlyList<string> names = optimizer.StateNames;
        _block = parameters.Device.Allocate(Planner.Alignment + (names.Count * stride));
        _scalars = new Tensor(_block, DType.Float32, new Shape(4));
        _state = new Tensor[names.Count];
        for (int i = 0; i < _state.Length; i++)
        {
            _state[i] = new Tensor(_block + Planner.Alignment + (nint)(i * stride), DType.Float32, new Shape(parameters.TrainableCount));
        }
    }

    /// <summary>One update of all trainable parameters.</summary>
    /// <param name="step">Counts from 1.</param>
    public void Update(long step)
    {
        Span<float> scalars = stackalloc float[4];
        scalars.Clear();
        _optimizer.WriteScalars(scalars, step);
        IDevice device = _parameters.Device;
        device.Upload(MemoryMarshal.AsBytes(scalars), _scalars);
        _optimizer.Update(device, _scalars, _parameters.Values, _parameters.Gradients!, _state);
    }

    /// <summary>
    /// The state tensors with their names, for checkpoints; each holds what <see cref="View"/> cuts out per parameter.
    /// </summary>
    public IEnumerable<(string Name, int Index)> States => _optimizer.StateNames.Select((name, index) => (name, index));

    /// <summary>One parameter's part of a state tensor.</summary>
    public Tensor View(int index, Parameter parameter) =>
        new(_state[index].Address + (_parameters.Value(parameter).Address - _parameters.Values.Address), DType.Float32, parameter.Shape);

    public void Dispose() => _parameters.Device.Free(_block);
}
