using System.Runtime.InteropServices;
using FastNN.Graphs;
using FastNN.Kernels;
using FastNN.Tensors;
using FastNN.Training;

namespace FastNN;

/// <summary>
/// A training step over any graph: several named inputs and outputs, several losses with weights, an optimizer per set of
/// parameters, and several steps over one set of parameters on a device. It is recorded once and planned for each set of input
/// shapes that it meets; a step whose shapes it knows allocates nothing. One thread at a time for all steps over the same
/// <see cref="DeviceWeights"/>.
/// </summary>
/// <example>
/// <code>
/// using var weights = new DeviceWeights(device, model);
/// using var step = new TrainingStep(weights, s =>
/// {
///     Value y = model.Apply(s.Input("x", [Dim.Batch, 2]));
///     s.Output("y", y);
///     s.Loss("loss", Loss.MeanSquaredError.Apply(y, s.Input("target", [Dim.Batch, 1])));
/// }, [(new Adam(), model.Parameters)]);
/// step.Begin([32, 2], [32, 1]);
/// step.Write("x", x);
/// step.Write("target", target);
/// float loss = step.Run();
/// </code>
/// </example>
public sealed partial class TrainingStep : IDisposable
{
    private const int MaxPrograms = 16;

    private readonly DeviceWeights _weights;
    private readonly IDevice _device;
    private readonly Action<StepBuilder> _record;
    private readonly (Optimizer Optimizer, IReadOnlyList<Parameter> Parameters)[] _optimizers;
    private readonly ulong _seed;
    private readonly GraphMode _mode;
    private readonly Arena _arena;
    private readonly StepState _state;
    private readonly List<TrainingProgram> _programs = [];
    private readonly StepRecording?[] _recordings = new StepRecording?[2];
    private readonly MetricStore?[] _metrics = new MetricStore?[2];
    private TrainingProgram? _current;
    private bool[] _written = [];
    private Phase _phase;
    private long _clock;
    private int _pending;
    private double _pendingWeight;
    private int _disposed;

    /// <summary>A training step.</summary>
    /// <param name="weights">The parameters of all models that take part.</param>
    /// <param name="record">Records the step; called once for training.</param>
    /// <param name="optimizers">Which optimizer changes which parameters; those of no optimizer stay as they are.</param>
    /// <param name="seed">Keys the random numbers of dropout; default 0.</param>
    /// <exception cref="ArgumentException">There are no optimizers, a parameter has two, or it is not among the
    /// weights.</exception>
    public TrainingStep(
        DeviceWeights weights, Action<StepBuilder> record,
        IReadOnlyList<(Optimizer Optimizer, IReadOnlyList<Parameter> Parameters)> optimizers, ulong seed = 0)
        : this(weights, record, optimizers, seed, GraphMode.Training)
    {
    }

    /// <param name="weights">The parameters of all models that take part.</param>
    /// <param name="record">Records the step.</param>
    /// <param name="optimizers">Which optimizer changes which parameters.</param>
    /// <param name="seed">Keys the random numbers of dropout.</param>
    /// <param name="mode">Inference for gradients of what inference computes, without dropout.</param>
    internal TrainingStep(
        DeviceWeights weights, Action<StepBuilder> record,
        IReadOnlyList<(Optimizer Optimizer, IReadOnlyList<Parameter> Parameters)> optimizers, ulong seed,
        GraphMode mode)
    {
        _mode = mode;
        ArgumentNullException.ThrowIfNull(weights);
        ArgumentNullException.ThrowIfNull(record);
        ArgumentNullException.ThrowIfNull(optimizers);
        ObjectDisposedException.ThrowIf(weights.IsDisposed, weights);
        Check(weights, optimizers);
        (_weights, _device, _record, _optimizers, _seed) = (weights, weights.Implementation, record, [.. optimizers], seed);
        _arena = new Arena(_device);
        using DeviceUse use = _device.Life.Enter();
        _state = new StepState(weights.Store, _optimizers);
    }

    private enum Phase
    {
        Empty,
        Forwarded,
        Differentiated,
    }

    /// <summary>The names of the inputs, in the order of their recording.</summary>
    public IReadOnlyList<string> Inputs => Recording(GraphMode.Training).InputNames;

    /// <summary>The names of the outputs.</summary>
    public IReadOnlyList<string> Outputs => Recording(GraphMode.Training).OutputNames;

    /// <summary>The names of the losses.</summary>
    public IReadOnlyList<string> Losses => Recording(GraphMode.Training).LossNames;

    /// <summary>The names of the metrics.</summary>
    public IReadOnlyList<string> Metrics => Recording(GraphMode.Training).MetricNames;

    /// <summary>Updates made so far.</summary>
    public long StepCount { get; internal set; }

    /// <summary>
    /// What the loss is multiplied with for the backward pass (Micikevicius et al., 2018), so that small gradients do not vanish;
    /// default 1. An update divides the gradients by it before it clips and applies them, and fails where they have overflowed.
    /// Until then <see cref="ReadGradient"/> and <see cref="ReadInputGradient"/> give them multiplied. A power of two changes no
    /// bit of gradients that neither overflow nor vanish.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">It is not positive and finite.</exception>
    public float LossScale
    {
        get => _state.LossScale;
        init => _state.LossScale = RequireLossScale(value);
    }

    internal StepState State => _state;

    internal Occupancy Occupancy => _weights.Occupancy;

    internal TrainingProgram? Current => _current;

    /// <summary>Chooses the shapes of the step to come; its inputs are written next.</summary>
    /// <param name="shapes">The shapes of the inputs, in order; those left out follow from the symbols of the others.</param>
    /// <exception cref="ShapeException">The shapes do not fit.</exception>
    public void Begin(params ReadOnlySpan<Shape> shapes)
    {
        using Occupancy.Stay stay = Enter(nameof(Begin));
        using DeviceUse use = _device.Life.Enter();
        TrainingProgram program = Program(shapes, GraphMode.Training);
        (_current, _phase) = (program, Phase.Empty);
        if (_written.Length != program.Inputs.Length)
        {
            _written = new bool[program.Inputs.Length];
        }

        Array.Clear(_written);
    }

    /// <summary>Writes an input.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="values">All its elements, in row-major order.</param>
    /// <exception cref="ArgumentException">No input has this name or index, or it has another type.</exception>
    /// <exception cref="ShapeException">The number of values is wrong.</exception>
    public void Write(string name, ReadOnlySpan<float> values) =>
        Write(name, DType.Float32, values.Length, MemoryMarshal.AsBytes(values));

    /// <summary>Writes an input of class indices or other integers.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="values">All its elements, in row-major order.</param>
    /// <exception cref="ArgumentException">No input has this name or index, or it has another type.</exception>
    /// <exception cref="ShapeException">The number of values is wrong.</exception>
    /// <exception cref="InvalidDatasetException">An operator indexes with a value that is out of its range, such as a class or
    /// the row of an embedding.</exception>
    public void Write(string name, ReadOnlySpan<int> values) =>
        Write(name, DType.Int32, values.Length, MemoryMarshal.AsBytes(values));

    /// <summary>
    /// Forward, backward and update. All inputs have to be written before each step: the memory of one that is read for the last
    /// time serves other values.
    /// </summary>
    /// <returns>The weighted sum of the losses and penalties, before the update.</returns>
    /// <exception cref="NonFiniteLossException">Loss or gradients are NaN or infinite; parameters, buffers and optimizers are
    /// left as they were.</exception>
    /// <exception cref="InvalidOperationException">No shapes were chosen, or an input was not written since the last
    /// step.</exception>
    public float Run()
    {
        using Occupancy.Stay stay = Enter(nameof(Run));
        using DeviceUse use = _device.Life.Enter();
        BeginStep(RequireWritten(), withOutput: false);
        return EndStep("TrainingStep");
    }

    /// <summary>The first third of a step.</summary>
    /// <returns>The weighted sum of the losses and penalties.</returns>
    /// <exception cref="InvalidOperationException">No shapes were chosen, or an input was not written since the last
    /// step.</exception>
    public float Forward()
    {
        using Occupancy.Stay stay = Enter(nameof(Forward));
        using DeviceUse use = _device.Life.Enter();
        return ForwardCore(RequireWritten());
    }

    /// <summary>The second third: computes the gradients.</summary>
    /// <param name="accumulate">Whether they are added to those since the last update, as PyTorch does; default false.</param>
    /// <exception cref="InvalidOperationException">There was no forward pass before.</exception>
    public void Backward(bool accumulate = false)
    {
        using Occupancy.Stay stay = Enter(nameof(Backward));
        using DeviceUse use = _device.Life.Enter();
        BackwardCore(accumulate);
    }

    /// <summary>The last third: the optimizers change the parameters.</summary>
    /// <exception cref="InvalidOperationException">There was no backward pass before.</exception>
    /// <exception cref="NonFiniteLossException">Loss or gradients are NaN or infinite; everything is left as it was and the step
    /// does not count.</exception>
    public void Update()
    {
        using Occupancy.Stay stay = Enter(nameof(Update));
        using DeviceUse use = _device.Life.Enter();
        UpdateCore("TrainingStep");
    }

    /// <summary>A loss of the last step, before its weight.</summary>
    /// <param name="name">Its name.</param>
    /// <exception cref="ArgumentException">No loss has this name.</exception>
    public float ReadLoss(string name)
    {
        Span<float> value = stackalloc float[1];
        Read(_current?.Losses, Losses, name, "loss", value);
        return value[0];
    }

    /// <summary>A metric over all steps since it was reset; one read of the device for any number of steps.</summary>
    /// <param name="name">Its name.</param>
    /// <returns>Its value; NaN where it is not defined, as before the first step.</returns>
    /// <exception cref="ArgumentException">No metric has this name.</exception>
    public double ReadMetric(string name)
    {
        using Occupancy.Stay stay = Enter(nameof(ReadMetric));
        using DeviceUse use = _device.Life.Enter();
        return ReadMetric(GraphMode.Training, Find(Metrics, name, "metric"));
    }

    /// <summary>Lets all metrics begin anew, as at the start of an epoch.</summary>
    public void ResetMetrics()
    {
        using Occupancy.Stay stay = Enter(nameof(ResetMetrics));
        using DeviceUse use = _device.Life.Enter();
        ResetMetrics(GraphMode.Training);
    }

    /// <summary>Copies out an output of the last step.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="destination">Receives all its elements; exactly as long.</param>
    /// <exception cref="ArgumentException">No output has this name or index.</exception>
    /// <exception cref="ShapeException">The length is wrong.</exception>
    public void Read(string name, Span<float> destination) => Read(_current?.Outputs, Outputs, name, "output", destination);

    /// <summary>Copies out the gradient that arrived at an input which asked for it.</summary>
    /// <param name="name">The input's name.</param>
    /// <param name="destination">Receives all its elements; exactly as long.</param>
    /// <exception cref="ArgumentException">No input has this name or index.</exception>
    /// <exception cref="InvalidOperationException">The input did not ask for its gradient, or there was no backward
    /// pass.</exception>
    public void ReadInputGradient(string name, Span<float> destination)
    {
        using Occupancy.Stay stay = Enter(nameof(ReadInputGradient));
        using DeviceUse use = _device.Life.Enter();
        Value input = Recording(GraphMode.Training).Inputs[Find(Inputs, name, "input")];
        if (!RequireCurrent().Executor.Plan.Gradients.ContainsKey(input))
        {
            throw new InvalidOperationException(
                $"TrainingStep: expected an input recorded with wantsGradient: true, got '{name}'.");
        }

        Download(RequireCurrent().Executor.Gradient(input), name, destination);
    }

    /// <summary>Copies out a parameter's gradient.</summary>
    /// <param name="parameter">One that this step trains.</param>
    /// <param name="destination">At least as long as the parameter.</param>
    /// <exception cref="InvalidOperationException">The step does not train it.</exception>
    public void ReadGradient(Parameter parameter, Span<float> destination)
    {
        ArgumentNullException.ThrowIfNull(parameter);
        using Occupancy.Stay stay = Enter(nameof(ReadGradient));
        using DeviceUse use = _device.Life.Enter();
        if (destination.Length < parameter.Count)
        {
            throw new ShapeException(
                $"TrainingStep: expected a destination of {parameter.Count} numbers for the gradient of {parameter.Name}, got {destination.Length}.");
        }

        _device.Download(_state.Gradients.Gradient(parameter), MemoryMarshal.AsBytes(destination[..(int)parameter.Count]));
    }

    /// <summary>Replaces a parameter's gradient, between <see cref="Backward"/> and <see cref="Update"/>.</summary>
    /// <param name="parameter">One that this step trains.</param>
    /// <param name="values">As many as the parameter has elements.</param>
    /// <exception cref="InvalidOperationException">The step does not train it.</exception>
    public void WriteGradient(Parameter parameter, ReadOnlySpan<float> values)
    {
        ArgumentNullException.ThrowIfNull(parameter);
        using Occupancy.Stay stay = Enter(nameof(WriteGradient));
        using DeviceUse use = _device.Life.Enter();
        if (values.Length != parameter.Count)
        {
            throw new ShapeException(
                $"TrainingStep: expected {parameter.Count} numbers for the gradient of {parameter.Name}, got {values.Length}.");
        }

        _device.Upload(MemoryMarshal.AsBytes(values), _state.Gradients.Gradient(parameter));
    }

    /// <summary>Multiplies all gradients, between <see cref="Backward"/> and <see cref="Update"/>.</summary>
    /// <param name="factor">A finite number.</param>
    /// <exception cref="ArgumentOutOfRangeException">The factor is not finite.</exception>
    public void ScaleGradients(float factor)
    {
        if (!float.IsFinite(factor))
        {
            throw new ArgumentOutOfRangeException(nameof(factor), factor, "TrainingStep: expected a finite factor.");
        }

        using Occupancy.Stay stay = Enter(nameof(ScaleGradients));
        using DeviceUse use = _device.Life.Enter();
        _state.Scale(factor);
    }

    /// <summary>
    /// Frees the step's device memory; the parameters stay with their <see cref="DeviceWeights"/>. Throws nothing.
    /// </summary>
    public void Dispose()
    {
        if (Interlocked.Exchange(ref _disposed, 1) == 0)
        {
            _weights.Occupancy.WhenVacant(Release);
        }
    }

    internal static float RequireLossScale(float value) => value is > 0 and < float.PositiveInfinity
        ? value
        : throw new ArgumentOutOfRangeException(nameof(value), value, "LossScale: expected a finite number above 0.");

    private static void Check(
        DeviceWeights weights, IReadOnlyList<(Optimizer Optimizer, IReadOnlyList<Parameter> Parameters)> optimizers)
    {
        if (optimizers.Count == 0)
        {
            throw new ArgumentException("TrainingStep: expected at least one optimizer with its parameters.", nameof(optimizers));
        }

        var seen = new HashSet<Parameter>();
        foreach (Parameter parameter in optimizers.SelectMany(pair => pair.Parameters))
        {
            if (!weights.Store.Contains(parameter))
            {
                throw new ArgumentException(
                    $"TrainingStep: parameter {parameter.Name} is not among the weights; name its model there.",
                    nameof(optimizers));
            }

            if (!seen.Add(parameter))
            {
                throw new ArgumentException(
                    $"TrainingStep: parameter {parameter.Name} is given to two optimizers.", nameof(optimizers));
            }
        }
    }

    private static int Find(IReadOnlyList<string> names, string name, string what)
    {
        for (int i = 0; i < names.Count; i++)
        {
            if (names[i] == name)
            {
                return i;
            }
        }

        throw new ArgumentException(
            $"TrainingStep: there is no {what} '{name}'; there are {string.Join(", ", names)}.", nameof(name));
    }

    private void Write(string name, DType type, int count, ReadOnlySpan<byte> values)
    {
        using Occupancy.Stay stay = Enter(nameof(Write));
        using DeviceUse use = _device.Life.Enter();
        int index = Find(Inputs, name, "input");
        Tensor input = RequireCurrent().Inputs[index];
        if (input.Type != type)
        {
            throw new ArgumentException(
                $"TrainingStep: expected {input.Type} values for input '{name}', got {type}.", nameof(name));
        }

        if (count != input.Count)
        {
            throw new ShapeException(
                $"TrainingStep: expected {input.Count} values for input '{name}' of shape {input.Shape}, got {count}.");
        }

        foreach (IndexRange range in RequireCurrent().IndexRanges[index])
        {
            range.Require(values, type, name);
        }

        _phase = Phase.Empty;
        _device.Upload(values, input);
        _written[index] = true;
    }

    /// <summary>The program to run once, now that all its inputs are there.</summary>
    private TrainingProgram RequireWritten()
    {
        TrainingProgram program = RequireCurrent();
        if (Array.IndexOf(_written, false) is >= 0 and var index)
        {
            throw new InvalidOperationException(
                $"TrainingStep: nothing was written to input '{Inputs[index]}' since the last step; write all inputs before each step.");
        }

        Array.Clear(_written);
        return program;
    }

    private void Read(Tensor[]? tensors, IReadOnlyList<string> names, string name, string what, Span<float> destination)
    {
        using Occupancy.Stay stay = Enter(nameof(Read));
        using DeviceUse use = _device.Life.Enter();
        int index = Find(names, name, what);
        Download((tensors ?? throw NoShapes())[index], name, destination);
    }

    private void Download(Tensor tensor, string name, Span<float> destination)
    {
        if (tensor.Count != destination.Length)
        {
            throw new ShapeException(
                $"TrainingStep: expected a destination of {tensor.Count} numbers for '{name}' of shape {tensor.Shape}, got {destination.Length}.");
        }

        _device.Download(tensor, MemoryMarshal.AsBytes(destination));
    }

    private TrainingProgram RequireCurrent() => _current ?? throw NoShapes();

    private static InvalidOperationException NoShapes() =>
        new("TrainingStep: no shapes were chosen; call Begin with the shapes of the inputs first.");

    private Occupancy.Stay Enter(string operation)
    {
        Occupancy.Stay stay = _weights.Occupancy.Enter(operation);
        if (Volatile.Read(ref _disposed) != 0 || _weights.IsDisposed)
        {
            stay.Dispose();
            throw new ObjectDisposedException(nameof(TrainingStep));
        }

        if (_isAveraged && Array.IndexOf(Training, operation) >= 0)
        {
            stay.Dispose();
            throw new InvalidOperationException(
                $"TrainingStep.{operation}: the weights are their averages; dispose what UseAverage returned first.");
        }

        return stay;
    }

    private void Release()
    {
        foreach (TrainingProgram program in _programs)
        {
            program.Dispose();
        }

        _programs.Clear();
        _current = null;
        Array.ForEach(_metrics, store => store?.Dispose());
        _arena.Dispose();
        _state.Dispose();
    }
}
