using FastNN.Functions;
using FastNN.Graphs;
using FastNN.Graphs.Checks;
using FastNN.Kernels;
using FastNN.Tensors;

namespace FastNN.Optimizers;

/// <summary>
/// An optimizer's tensors on a device, laid out as the gradients are. The numbers per group that change from step to step lie in
/// a block of the step, which is uploaded as a whole.
/// </summary>
internal sealed class OptimizerState : IDisposable
{
    private readonly GradientStore _gradients;
    private readonly DeviceBlock _block;
    private readonly int _firstGroup;
    private readonly Tensor[] _state;
    private readonly (ParameterRun Run, int Scalars, Tensor[] States)[] _updates;
    private readonly RecordedUpdates? _recorded;
    private readonly int _start;
    private readonly int _count;

    /// <param name="optimizer">Whose state it is.</param>
    /// <param name="gradients">What it is to update, among others.</param>
    /// <param name="scalars">Where the numbers of all groups of the step will be.</param>
    /// <param name="firstGroup">Its first group there: one for each of the optimizer's, and one for parameters that are in none
    /// of them.</param>
    public OptimizerState(Optimizer optimizer, GradientStore gradients, Tensor[] scalars, int firstGroup = 0)
    {
        (Optimizer, _gradients, _firstGroup) = (optimizer, gradients, firstGroup);
        ParameterRun[] runs = [.. gradients.Runs.Where(run => run.Group >= firstGroup && run.Group < firstGroup + GroupCount)];
        _start = runs.Length == 0 ? 0 : runs[0].Start;
        _count = runs.Sum(run => run.Count);
        Gradients = new Tensor(gradients.Gradients.Address + (_start * sizeof(float)), DType.Float32, new Shape(_count));
        StateInfo[] states = [.. StatesOf(optimizer)];
        long stride = Planner.Align((long)_count * sizeof(float));
        _block = new DeviceBlock(gradients.Store.Device, Math.Max(states.Length * stride, Planner.Alignment));
        _state = new Tensor[states.Length];
        for (int i = 0; i < _state.Length; i++)
        {
            _state[i] = new Tensor(_block.Address + (nint)(i * stride), DType.Float32, new Shape(_count));
            if (i < optimizer.StateInfos.Length && optimizer.InitialState is not 0 and var initial)
            {
                gradients.Store.Device.Memory.Fill(_state[i], initial);
            }
        }

        _updates = [.. runs.Select(run => (
            run, run.Group,
            Array.ConvertAll(
                _state,
                state => new Tensor(state.Address + ((run.Start - _start) * sizeof(float)), DType.Float32, run.Values.Shape))))];
        if (optimizer is CustomOptimizer custom)
        {
            try
            {
                _recorded = new RecordedUpdates(gradients.Store.Device, custom, Places(custom, scalars));
            }
            catch
            {
                _block.Dispose();
                throw;
            }
        }
    }

    public Optimizer Optimizer { get; }

    /// <summary>Rows of scalars: the optimizer's groups, the one of all other parameters, and the average's, if any.</summary>
    public int GroupCount => GroupsOf(Optimizer);

    /// <summary>Which of the states is the average of the weights; -1 where there is none.</summary>
    public int AverageIndex => Optimizer.Average is null ? -1 : _state.Length - 1;

    /// <summary>Whether a GPU can be given a step with its update as a whole.</summary>
    public bool IsCapturable => _recorded?.IsCapturable ?? true;

    /// <summary>States of each parameter.</summary>
    public int StateCount => _state.Length;

    /// <summary>The gradients of all its groups.</summary>
    public Tensor Gradients { get; }

    /// <summary>
    /// The state tensors with their names, for checkpoints; each holds what <see cref="View"/> cuts out per parameter.
    /// </summary>
    public IEnumerable<(StateInfo Info, int Index)> States => StatesOf(Optimizer).Select((info, index) => (info, index));

    /// <summary>As <see cref="GroupCount"/>.</summary>
    public static int GroupsOf(Optimizer optimizer) => optimizer.Groups.Count + (optimizer.Average is null ? 1 : 2);

    /// <summary>
    /// Parameters in the groups of an optimizer: those that none takes come last, and none are in the average's.
    /// </summary>
    public static IReadOnlyList<IReadOnlyList<Parameter>> Divide(Optimizer optimizer, IReadOnlyList<Parameter> parameters)
    {
        var groups = new List<Parameter>[GroupsOf(optimizer)];
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
        if (Optimizer.Average is not null)
        {
            scalars[(_firstGroup + GroupCount - 1) * UpdateScalars.Row] = Optimizer.Average.Share(step);
        }

        for (int i = 0; i <= Optimizer.Groups.Count; i++)
        {
            ParameterGroup? group = GroupOf(i);
            Optimizer.WriteScalars(
                scalars.Slice((_firstGroup + i) * UpdateScalars.Row, UpdateScalars.Row), step,
                Optimizer.LearningRate * (group?.LearningRateScale ?? 1), group?.WeightDecay ?? Optimizer.WeightDecay);
        }
    }

    /// <summary>One update of all its parameters.</summary>
    /// <param name="scalars">Of all groups of the step; where a group's guard is NaN or infinite nothing of it is
    /// updated.</param>
    /// <param name="results">What the guard left.</param>
    public void Update(Tensor[] scalars, Tensor results)
    {
        IDevice device = _gradients.Store.Device;
        int own = Optimizer.Average is null ? _state.Length : _state.Length - 1;
        _recorded?.Run(results);
        foreach ((ParameterRun run, int index, Tensor[] states) in _updates)
        {
            if (DebugChecks.Enabled)
            {
                TensorAccess.Require(device, Optimizer.GetType().Name, scalars[index], run.Values, run.Gradients);
                TensorAccess.Require(device, Optimizer.GetType().Name, states);
            }

            if (_recorded is null)
            {
                device.Updates.Update(Optimizer.Update, scalars[index], run.Values, run.Gradients, states.AsSpan(0, own));
            }

            if (own < states.Length)
            {
                device.Updates.Update(
                    UpdateFunction.Of<AverageUpdate>(), scalars[_firstGroup + GroupCount - 1], states[own], run.Values, []);
            }
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
        foreach (Parameter parameter in _gradients.Parameters.Where(Contains))
        {
            if (!earlier.Contains(parameter))
            {
                if (AverageIndex >= 0)
                {
                    _gradients.Store.Device.Memory.Copy(
                        _gradients.Store.Value(parameter), View(AverageIndex, parameter), accumulate: false);
                }

                continue;
            }

            for (int i = 0; i < _state.Length; i++)
            {
                _gradients.Store.Device.Memory.Copy(earlier.View(i, parameter), View(i, parameter), accumulate: false);
            }
        }
    }

    public void Dispose()
    {
        _recorded?.Dispose();
        _block.Dispose();
    }

    /// <summary>What an optimizer of the user's own updates: runs of neighbors, or each parameter by itself.</summary>
    private IEnumerable<UpdatePlaces> Places(CustomOptimizer optimizer, Tensor[] scalars)
    {
        foreach ((ParameterRun run, int index, Tensor[] state) in _updates)
        {
            ParameterGroup? group = GroupOf(run.Group - _firstGroup);
            if (optimizer.TakesAnyNumbers)
            {
                yield return new UpdatePlaces(group, scalars[index], run.Values, run.Gradients, state);
                continue;
            }

            foreach (Parameter parameter in _gradients.Parameters.Where(parameter =>
                _gradients.StartOf(parameter) is var at && at >= run.Start && at < run.Start + run.Count))
            {
                Tensor[] own = [.. Enumerable.Range(0, state.Length).Select(i => View(i, parameter))];
                yield return new UpdatePlaces(
                    group, scalars[index], _gradients.Store.Value(parameter), _gradients.Gradient(parameter), own);
            }
        }
    }

    private static IEnumerable<StateInfo> StatesOf(Optimizer optimizer) =>
        optimizer.Average is null ? optimizer.StateInfos : optimizer.StateInfos.Append(new StateInfo("weightAverage"));

    private ParameterGroup? GroupOf(int index) => index < Optimizer.Groups.Count ? Optimizer.Groups[index] : null;
}
