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
    private readonly DeviceBlock _block;
    private readonly Tensor _scalars;
    private readonly Tensor _guard;
    private readonly Tensor[] _state;

    public OptimizerState(Optimizer optimizer, ParameterStore parameters)
    {
        _optimizer = optimizer;
        _parameters = parameters;
        long stride = Planner.Align((long)parameters.TrainableCount * sizeof(float));
        IReadOnlyList<string> names = optimizer.StateNames;
        _block = new DeviceBlock(parameters.Device, Planner.Alignment + (names.Count * stride));
        _scalars = new Tensor(_block.Address, DType.Float32, new Shape(4));
        _guard = new Tensor(_block.Address + (3 * sizeof(float)), DType.Float32, new Shape(1));
        _state = new Tensor[names.Count];
        for (int i = 0; i < _state.Length; i++)
        {
            _state[i] = new Tensor(_block.Address + Planner.Alignment + (nint)(i * stride), DType.Float32, new Shape(parameters.TrainableCount));
        }
    }

    /// <summary>Brings what changes from step to step, the learning rate among it, to the device.</summary>
    /// <param name="step">Counts from 1.</param>
    public void WriteScalars(long step)
    {
        Span<float> scalars = stackalloc float[4];
        scalars.Clear();
        _optimizer.Advance(step);
        _optimizer.WriteScalars(scalars, step);
        _parameters.Device.Upload(MemoryMarshal.AsBytes(scalars), _scalars);
    }

    /// <summary>One update of all trainable parameters, with the scalars as written last.</summary>
    /// <param name="loss">[]; where it is NaN or infinite nothing is updated. Null updates in any case.</param>
    public void Update(Tensor? loss)
    {
        IDevice device = _parameters.Device;
        if (loss is not null)
        {
            device.Copy(loss, _guard, accumulate: false);
        }

        _optimizer.Update(device, _scalars, _parameters.Values, _parameters.Gradients!, _state);
    }

    /// <summary>
    /// The state tensors with their names, for checkpoints; each holds what <see cref="View"/> cuts out per parameter.
    /// </summary>
    public IEnumerable<(string Name, int Index)> States => _optimizer.StateNames.Select((name, index) => (name, index));

    /// <summary>One parameter's part of a state tensor.</summary>
    public Tensor View(int index, Parameter parameter) =>
        new(_state[index].Address + (_parameters.Value(parameter).Address - _parameters.Values.Address), DType.Float32, parameter.Shape);

    public void Dispose() => _block.Dispose();
}
