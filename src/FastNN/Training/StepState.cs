using System.Globalization;
using System.Runtime.InteropServices;
using FastNN.Functions;
using FastNN.Graphs;
using FastNN.Graphs.Checks;
using FastNN.Kernels;
using FastNN.Optimizers;
using FastNN.Tensors;

namespace FastNN.Training;

/// <summary>
/// What a training step keeps on a device besides the parameters: gradients, the optimizers' state, and one small block with
/// everything that changes from step to step, uploaded once per step. That block holds, in rows of four numbers: the step count
/// and what backward starts from; what the guard found (loss, norm of the gradients, their largest magnitude, the guard itself);
/// for each optimizer how gradients are scaled (factor, largest norm, largest magnitude, which norm). Behind them, for each group
/// of parameters, are the numbers of its update, with the guard as the last of its row.
/// </summary>
internal sealed class StepState : IDisposable
{
    private const int Row = 4;

    private readonly IDevice _device;
    private readonly (Optimizer Optimizer, IReadOnlyList<Parameter> Parameters)[] _optimizers;
    private readonly DeviceBlock _block;
    private readonly float[] _host;
    private readonly int _firstGroup;
    private readonly Tensor _all;
    private readonly Tensor[] _options;
    private readonly Tensor[] _groups;
    private readonly bool[] _trainable;
    private Replay _update;
    private TimedParts? _timedUpdate;

    public StepState(ParameterStore store, IReadOnlyList<(Optimizer Optimizer, IReadOnlyList<Parameter> Parameters)> optimizers)
    {
        (_device, Store, _optimizers) = (store.Device, store, [.. optimizers]);
        int groups = optimizers.Sum(pair => OptimizerState.GroupsOf(pair.Optimizer));
        _firstGroup = Row * (2 + optimizers.Count);
        _host = new float[_firstGroup + (UpdateScalars.Row * groups)];
        _block = new DeviceBlock(_device, _host.Length * sizeof(float));
        _all = new Tensor(_block.Address, DType.Float32, new Shape(_host.Length));
        StepCounter = new Tensor(_block.Address, DType.Int32, new Shape(2));
        RootGradient = new Tensor(_block.Address + (2 * sizeof(float)), DType.Float32, default(Shape));
        Results = RowAt(1);
        _options = [.. Enumerable.Range(2, optimizers.Count).Select(RowAt)];
        Scalars = new Tensor(_block.Address + (_firstGroup * sizeof(float)), DType.Float32, new Shape(groups, UpdateScalars.Row));
        _groups = [.. Enumerable.Range(0, groups).Select(group => new Tensor(
            Scalars.Address + (group * UpdateScalars.Row * sizeof(float)), DType.Float32, new Shape(UpdateScalars.Row)))];
        _trainable = new bool[optimizers.Sum(pair => pair.Parameters.Count)];
        try
        {
            (Gradients, Optimizers) = Plan();
        }
        catch
        {
            _block.Dispose();
            throw;
        }

        _update = new Replay(_device, UpdateAccumulated, IsCapturable);
    }

    public ParameterStore Store { get; }

    /// <summary>Int32 [2]: the low and high half of the step count, from which dropout draws.</summary>
    public Tensor StepCounter { get; }

    /// <summary>
    /// Float32 []: the gradient of the loss that backward starts from, 1 times the loss scale and the weight of a batch.
    /// </summary>
    public Tensor RootGradient { get; }

    /// <summary>What the loss is multiplied with for backward, and gradients are divided by before an update.</summary>
    public float LossScale { get; set; } = 1;

    /// <summary>Float32 [4]: loss, norm of the gradients, their largest magnitude where one clips by it, the guard.</summary>
    public Tensor Results { get; }

    public GradientStore Gradients { get; private set; }

    public IReadOnlyList<OptimizerState> Optimizers { get; private set; }

    /// <summary>Whether a GPU can be given a step with these updates as a whole.</summary>
    public bool IsCapturable => Optimizers.All(optimizer => optimizer.IsCapturable);

    /// <summary>Scalars of all groups, a row each.</summary>
    private Tensor Scalars { get; }

    /// <summary>Whether an optimizer of this step trains the parameter, as things are now.</summary>
    public bool IsTrained(Parameter parameter) =>
        parameter.IsTrainable && Array.Exists(_optimizers, pair => pair.Parameters.Contains(parameter));

    /// <summary>Whether parameters were frozen or unfrozen since gradients and state were laid out.</summary>
    public bool IsStale()
    {
        int i = 0;
        foreach ((_, IReadOnlyList<Parameter> parameters) in _optimizers)
        {
            for (int j = 0; j < parameters.Count; j++)
            {
                if (_trainable[i++] != parameters[j].IsTrainable)
                {
                    return true;
                }
            }
        }

        return false;
    }

    /// <summary>
    /// Lays out gradients and state anew; state of parameters that are trained before and after is kept, that of others begins at
    /// zero.
    /// </summary>
    public void Replan()
    {
        (GradientStore gradients, IReadOnlyList<OptimizerState> optimizers) = Plan();
        for (int i = 0; i < optimizers.Count; i++)
        {
            optimizers[i].CopyFrom(Optimizers[i]);
        }

        Release();
        (Gradients, Optimizers, _timedUpdate) = (gradients, optimizers, null);
        _update = new Replay(_device, UpdateAccumulated, IsCapturable);
    }

    /// <summary>Brings what changes from step to step to the device.</summary>
    /// <param name="step">Counts from 1.</param>
    /// <param name="counter">What dropout draws from.</param>
    /// <param name="weight">The weight of the batch among those whose gradients are added up.</param>
    /// <param name="factor">What gradients are multiplied with, where they are scaled at all.</param>
    public void Upload(long step, long counter, float weight = 1, float factor = 1)
    {
        Span<float> host = _host;
        MemoryMarshal.Write(MemoryMarshal.AsBytes(host), counter);
        host[2] = LossScale * weight;
        factor /= LossScale;
        for (int i = 0; i < Optimizers.Count; i++)
        {
            Span<float> options = host.Slice(Row * (2 + i), Row);
            Optimizer optimizer = _optimizers[i].Optimizer;
            (options[0], options[1], options[2], options[3]) = (
                factor, optimizer.ClipNorm ?? float.PositiveInfinity, optimizer.ClipValue ?? float.PositiveInfinity,
                optimizer.ClipsByLargest ? 1 : 0);
            Optimizers[i].WriteScalars(host[_firstGroup..], step);
        }

        _device.Upload(MemoryMarshal.AsBytes(host), _all);
    }

    /// <summary>Looks whether loss and gradients are finite.</summary>
    public void Guard(Tensor? loss)
    {
        if (DebugChecks.Enabled)
        {
            TensorAccess.Require(_device, "GuardNorm", Gradients.Gradients, loss, Results, Scalars);
        }

        _device.Updates.GuardNorm(Gradients.Gradients, loss, Results, Scalars);
        if (Array.Exists(_optimizers, pair => pair.Optimizer.ClipsByLargest))
        {
            _device.Updates.GuardLargest(Gradients.Gradients, Results);
        }
    }

    /// <summary>Updates all trained parameters, unless loss or gradients are not finite.</summary>
    /// <param name="loss">[], or null where it was looked at before.</param>
    /// <param name="scale">Whether gradients are multiplied with the factor first; they are also where an optimizer clips or the
    /// loss was scaled.</param>
    public void Update(Tensor? loss, bool scale = false)
    {
        Guard(loss);
        Apply(scale);
    }

    /// <summary>As <see cref="Update"/> after <see cref="Guard"/>.</summary>
    public void Apply(bool scale = false)
    {
        for (int i = 0; i < Optimizers.Count; i++)
        {
            if (scale || LossScale != 1 || _optimizers[i].Optimizer.Clips)
            {
                _device.Updates.GuardScale(Optimizers[i].Gradients, _options[i], Results);
            }

            Optimizers[i].Update(_groups, Results);
        }
    }

    /// <summary>As <see cref="Update"/> for gradients of several batches; one launch once it is captured.</summary>
    public void RunUpdate()
    {
        if (Observer is { } observer)
        {
            TimedParts parts = _timedUpdate ??= new TimedParts(
                (DescribeGuard(), () => Guard(null)), (DescribeUpdate(), () => Apply(scale: true)));
            parts.Run(observer);
        }
        else
        {
            _update.Run();
        }
    }

    /// <summary>Who is told when each part of a step ran; null for nobody.</summary>
    public IStepObserver? Observer { get; set; }

    /// <summary><see cref="Guard"/> as profiles show it.</summary>
    public StepDescription DescribeGuard() =>
        Describe("gradient norm", Gradients.Gradients.Bytes, 2.0 * Gradients.Gradients.Count);

    /// <summary><see cref="Apply"/> as profiles show it: parameters and states are read and written, gradients read. Its
    /// operations are not counted.</summary>
    public StepDescription DescribeUpdate() => Describe(
        $"{string.Join(", ", Optimizers.Select(state => state.Optimizer.GetType().Name))} update",
        Optimizers.Sum(state => state.Gradients.Bytes * (3 + (2 * state.StateCount))), flops: 0);

    /// <summary>A part of a step beside the plan's, as profiles show it.</summary>
    public StepDescription Describe(string name, long bytes, double flops) => new(
        ProfilePass.Update, name,
        string.Create(CultureInfo.InvariantCulture, $"[{Gradients.Gradients.Count}]"), new OperatorCost(flops, bytes));

    /// <summary>Multiplies all gradients.</summary>
    public void Scale(float factor)
    {
        ReadOnlySpan<float> options = [factor, float.PositiveInfinity, float.PositiveInfinity, 0];
        _device.Upload(MemoryMarshal.AsBytes(options), _options[0]);
        _device.Updates.GuardScale(Gradients.Gradients, _options[0], Results);
    }

    /// <summary>Gives buffers the values that the step computed for them, unless the guard forbids it.</summary>
    public void WriteBack(ReadOnlySpan<(Tensor From, Tensor To)> writeBacks)
    {
        if (DebugChecks.Enabled)
        {
            foreach ((Tensor from, Tensor to) in writeBacks)
            {
                TensorAccess.Require(_device, "GuardCopy", from, to, Results);
            }
        }

        _device.Updates.GuardCopy(writeBacks, Results);
    }

    /// <summary>The first parameter whose gradient is not finite, and where; null where all are.</summary>
    public (Parameter Parameter, long Index, float Value)? FirstNonFinite()
    {
        foreach (Parameter parameter in Store.Parameters.Where(Gradients.Contains))
        {
            var values = new float[parameter.Count];
            _device.Download(Gradients.Gradient(parameter), MemoryMarshal.AsBytes(values.AsSpan()));
            int at = Array.FindIndex(values, value => !float.IsFinite(value));
            if (at >= 0)
            {
                return (parameter, at, values[at]);
            }
        }

        return null;
    }

    public void Dispose()
    {
        Release();
        _block.Dispose();
    }

    private void UpdateAccumulated() => Update(null, scale: true);

    private void Release()
    {
        _update.Dispose();
        Gradients.Dispose();
        foreach (OptimizerState optimizer in Optimizers)
        {
            optimizer.Dispose();
        }
    }

    private (GradientStore Gradients, IReadOnlyList<OptimizerState> Optimizers) Plan()
    {
        int i = 0;
        var groups = new List<IReadOnlyList<Parameter>>();
        foreach ((Optimizer optimizer, IReadOnlyList<Parameter> parameters) in _optimizers)
        {
            foreach (Parameter parameter in parameters)
            {
                _trainable[i++] = parameter.IsTrainable;
            }

            groups.AddRange(OptimizerState.Divide(optimizer, [.. parameters.Where(parameter => parameter.IsTrainable)]));
        }

        var gradients = new GradientStore(Store, groups);
        var states = new List<OptimizerState>();
        try
        {
            int group = 0;
            foreach ((Optimizer optimizer, _) in _optimizers)
            {
                states.Add(new OptimizerState(optimizer, gradients, _groups, group));
                group += states[^1].GroupCount;
            }
        }
        catch
        {
            states.ForEach(state => state.Dispose());
            gradients.Dispose();
            throw;
        }

        return (gradients, states);
    }

    private Tensor RowAt(int row) => new(_block.Address + (row * Row * sizeof(float)), DType.Float32, new Shape(Row));
}
