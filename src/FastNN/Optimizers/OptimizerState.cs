using FastNN.Graphs;
using FastNN.Graphs.Checks;
using FastNN.Kernels;
using FastNN.Tensors;

namespace FastNN.Optimizers;

/// <summary>
/// An optimizer's tensors on a device, laid out as the gradients are, and the four numbers per group that change from step to step. These lie in a
/// block of the step (<see cref="ScalarsPerGroup"/>), which is uploaded as a whole.
/// </summary>
internal sealed class OptimizerState : IDisposable
{
    public const int ScalarsPerGroup = 4;

    private readonly GradientStore _gradients;
    private readonly DeviceBlock _block;
    private readonly int _firstGroup;
    private readonly Tensor[] _state;
    private readonly (ParameterRun Run, ParameterGroup? Group, int Scalars, Tensor[] State)[] _updates;
    private readonly int _start;
    private readonly int _count;

    /// <param name="optimizer">Whose state it is.</param>
    /// <param name="gradients">What it is to update, among others.</param>
    /// <param name="firstGroup">Its first group there: one for each of the optimizer's, and one for parameters that are in none of them.</param>
    public OptimizerState(Optimizer optimizer, GradientStore gradients, int firstGroup = 0)
    {
        (Optimizer, _gradients, _firstGroup) = (optimizer, gradients, firstGroup);
        ParameterRun[] runs = [.. gradients.Runs.Where(run => run.Group >= firstGroup && run.Group < firstGroup + GroupCount)];
        _start = runs.Length == 0 ? 0 : runs[0].Start;
        _count = runs.Sum(run => run.Count);
        IReadOnlyList<string> names = optimizer.StateNames;
        long stride = Planner.Align((long)_count * sizeof(float));
        _block = new DeviceBlock(gradients.Store.Device, Math.Max(names.Count * stride, Planner.Alignment));
        _state = new Tensor[names.Count];
        for (int i = 0; i < _state.Length; i++)
        {
            _state[i] = new Tensor(_block.Address + (nint)(i * stride), DType.Float32, new Shape(_count));
        }

        _updates = [.. runs.Select(run => (
            run, GroupOf(run.Group - firstGroup), run.Group,
            Array.ConvertAll(_state, state => new Tensor(state.Address + ((run.Start - _start) * sizeof(float)), DType.Float32, run.Values.Shape))))];
    }

    public Optimizer Optimizer { get; }

    /// <summary>The optimizer's groups and the one of all other parameters.</summary>
    public int GroupCount => Optimizer.Groups.Count + 1;

    /// <summary>The gradients of all its groups.</summary>
    public Tensor Gradients => new(_gradients.Gradients.Address + (_start * sizeof(float)), DType.Float32, new Shape(_count));

    /// <summary>The state tensors with their names, for checkpoints; each holds what <see cref="View"/> cuts out per parameter.</summary>
    public IEnumerable<(string Name, int Index)> States => Optimizer.StateNames.Select((name, index) => (name, index));

    /// <summary>Parameters in the groups of an optimizer: those that none takes come last.</summary>
    public static IReadOnlyList<IReadOnlyList<Parameter>> Divide(Optimizer optimizer, IReadOnlyList<Parameter> parameters)
    {
        var groups = new List<Parameter>[optimizer.Groups.Count + 1];
        for (int i = 0; i < groups.Length; i++)
        {
            groups[i] = [];
        }

        foreach (Parameter parameter in parameters)
        {
            int group = 0;
            while (group < optimizer.Groups.Count && !optimizer.Groups[group].Contains(parameter))
            {
                group++;
            }

            groups[group].Add(parameter);
        }

        return groups;
    }

    /// <summary>Writes what changes from step to step.</summary>
    /// <param name="scalars">Of all groups of the step.</param>
    /// <param name="step">Counts from 1.</param>
    public void WriteScalars(Span<float> scalars, long step)
    {
        Optimizer.Advance(step);
        for (int i = 0; i < GroupCount; i++)
        {
            Optimizer.WriteScalars(
                scalars.Slice((_firstGroup + i) * ScalarsPerGroup, ScalarsPerGroup), step, Optimizer.LearningRate * (GroupOf(i)?.LearningRateScale ?? 1));
        }
    }

    /// <summary>One update of all its parameters.</summary>
    /// <param name="scalars">Of all groups of the step; where the last of a group's is NaN or infinite nothing is updated.</param>
    public void Update(Tensor[] scalars)
    {
        IDevice device = _gradients.Store.Device;
        foreach ((ParameterRun run, ParameterGroup? group, int index, Tensor[] state) in _updates)
        {
            if (DebugChecks.Enabled)
            {
                TensorAccess.Require(device, Optimizer.GetType().Name, scalars[index], run.Values, run.Gradients);
                TensorAccess.Require(device, Optimizer.GetType().Name, state);
            }

            Optimizer.Update(device, group, scalars[index], run.Values, run.Gradients, state);
        }

        GC.KeepAlive(this);
    }

    /// <summary>Whether it updates a parameter.</summary>
    public bool Contains(Parameter parameter) =>
        _gradients.Contains(parameter) && _gradients.StartOf(parameter) is var at && at >= _start && at < _start + _count;

    /// <summary>One parameter's part of a state tensor.</summary>
    /// <exception cref="InvalidOperationException">The parameter has no such state.</exception>
    public Tensor View(int index, Parameter parameter)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)index, (uint)_state.Length, nameof(index));
        int at = _gradients.StartOf(parameter) - _start;
        if (at < 0 || at + parameter.Count > _count)
        {
            throw new InvalidOperationException($"Parameter {parameter.Name} is not among those that this optimizer updates.");
        }

        return new Tensor(_state[index].Address + (at * sizeof(float)), DType.Float32, parameter.Shape);
    }

    /// <summary>Takes over what an earlier state remembers of parameters that both update; for others it stays zero.</summary>
    public void CopyFrom(OptimizerState earlier)
    {
        foreach (Parameter parameter in _gradients.Parameters.Where(parameter => Contains(parameter) && earlier.Contains(parameter)))
        {
            for (int i = 0; i < _state.Length; i++)
            {
                _gradients.Store.Device.Memory.Copy(earlier.View(i, parameter), View(i, parameter), accumulate: false);
            }
        }
    }

    public void Dispose() => _block.Dispose();

    private ParameterGroup? GroupOf(int index) => index < Optimizer.Groups.Count ? Optimizer.Groups[index] : null;
}
