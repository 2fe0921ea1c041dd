using System.Runtime.InteropServices;
using FastNN.Graphs;
using FastNN.Kernels;
using FastNN.Optimizers;
using FastNN.Tensors;
using FastNN.Training;

namespace FastNN;

/// <summary>
/// Trains a model on a device: <see cref="Fit"/> as Keras has it, or an explicit loop over <see cref="Step(ReadOnlySpan{float}, ReadOnlySpan{int})"/>,
/// or forward, backward and update one by one. It owns the device copy of the parameters until it is disposed, which brings them
/// back to the model. After the first step of a batch size, a step allocates nothing. One thread at a time.
/// </summary>
public sealed partial class Trainer : IDisposable
{
    private readonly IDevice _device;
    private readonly ulong _seed;
    private readonly Dictionary<(int Batch, GraphMode Mode), TrainingProgram> _programs = [];
    private readonly DeviceBlock _stepBlock;
    private readonly Occupancy _occupancy = new(nameof(Trainer));
    private readonly Tensor _stepCounter;
    private ParameterStore? _store;
    private OptimizerState? _state;
    private readonly Arena _arena;
    private TrainingProgram? _current;
    private Phase _phase;
    private int _disposed;

    /// <summary>A trainer. The model's parameters are taken to the device at the first step.</summary>
    /// <param name="model">The network.</param>
    /// <param name="device">Where to train.</param>
    /// <param name="loss">What to make small.</param>
    /// <param name="optimizer">How.</param>
    /// <param name="seed">First weights (if the model is not built yet), dropout and the order of examples follow from it.
    /// Default 0.</param>
    public Trainer(Layer model, Device device, Loss loss, Optimizer optimizer, ulong seed = 0)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(device);
        ArgumentNullException.ThrowIfNull(loss);
        ArgumentNullException.ThrowIfNull(optimizer);
        (Model, Loss, Optimizer, _device, _seed) = (model, loss, optimizer, device.Implementation, seed);
        _arena = new Arena(_device);
        _stepBlock = new DeviceBlock(_device, 2 * sizeof(int));
        _stepCounter = new Tensor(_stepBlock.Address, DType.Int32, new Shape(2));
    }

    private enum Phase
    {
        Updated,
        Forwarded,
        Differentiated,
    }

    /// <summary>The network.</summary>
    public Layer Model { get; }

    /// <summary>What training makes small.</summary>
    public Loss Loss { get; }

    /// <summary>How parameters are changed; its learning rate may be changed between steps.</summary>
    public Optimizer Optimizer { get; }

    /// <summary>Updates made so far.</summary>
    public long StepCount { get; private set; }

    /// <summary>One training step: forward, backward and update.</summary>
    /// <param name="x">A batch of inputs, [N, ...] flattened.</param>
    /// <param name="labels">N class indices.</param>
    /// <returns>The loss before the update.</returns>
    /// <exception cref="ShapeException">The lengths do not fit the model.</exception>
    /// <exception cref="InvalidDataSetException">A label is out of range.</exception>
    /// <exception cref="NonFiniteLossException">The loss is NaN or infinite; the parameters are left as they were.</exception>
    /// <exception cref="ConcurrentUseException">Another thread is using this trainer.</exception>
    public float Step(ReadOnlySpan<float> x, ReadOnlySpan<int> labels) =>
        Step(x, MemoryMarshal.AsBytes(labels), classIndices: true);

    /// <summary>One training step: forward, backward and update.</summary>
    /// <param name="x">A batch of inputs, [N, ...] flattened.</param>
    /// <param name="targets">N targets, [N, ...] flattened.</param>
    /// <returns>The loss before the update.</returns>
    /// <exception cref="ShapeException">The lengths do not fit the model.</exception>
    /// <exception cref="NonFiniteLossException">The loss is NaN or infinite; the parameters are left as they were.</exception>
    /// <exception cref="ConcurrentUseException">Another thread is using this trainer.</exception>
    public float Step(ReadOnlySpan<float> x, ReadOnlySpan<float> targets) =>
        Step(x, MemoryMarshal.AsBytes(targets), classIndices: false);

    /// <summary>The first third of a step: computes output and loss and keeps what <see cref="Backward"/> needs.</summary>
    /// <param name="x">A batch of inputs, [N, ...] flattened.</param>
    /// <param name="labels">N class indices.</param>
    /// <returns>The loss.</returns>
    /// <exception cref="ShapeException">The lengths do not fit the model.</exception>
    public float Forward(ReadOnlySpan<float> x, ReadOnlySpan<int> labels)
    {
        using Occupancy.Stay stay = Enter(nameof(Forward));
        using DeviceUse use = _device.Life.Enter();
        return ForwardCore(x, MemoryMarshal.AsBytes(labels), classIndices: true);
    }

    /// <summary>The first third of a step: computes output and loss and keeps what <see cref="Backward"/> needs.</summary>
    /// <param name="x">A batch of inputs, [N, ...] flattened.</param>
    /// <param name="targets">N targets, [N, ...] flattened.</param>
    /// <returns>The loss.</returns>
    /// <exception cref="ShapeException">The lengths do not fit the model.</exception>
    public float Forward(ReadOnlySpan<float> x, ReadOnlySpan<float> targets)
    {
        using Occupancy.Stay stay = Enter(nameof(Forward));
        using DeviceUse use = _device.Life.Enter();
        return ForwardCore(x, MemoryMarshal.AsBytes(targets), classIndices: false);
    }

    /// <summary>The second third: computes all gradients.</summary>
    /// <exception cref="InvalidOperationException">There was no forward pass before.</exception>
    public void Backward()
    {
        using Occupancy.Stay stay = Enter(nameof(Backward));
        using DeviceUse use = _device.Life.Enter();
        BackwardCore();
    }

    /// <summary>The last third: the optimizer changes the parameters.</summary>
    /// <exception cref="InvalidOperationException">There was no backward pass before.</exception>
    public void Update()
    {
        using Occupancy.Stay stay = Enter(nameof(Update));
        using DeviceUse use = _device.Life.Enter();
        UpdateCore();
    }

    /// <summary>Copies out the network's output of the last forward pass or step.</summary>
    /// <param name="destination">At least as long as the output.</param>
    /// <returns>The numbers written.</returns>
    /// <exception cref="InvalidOperationException">There was no step yet.</exception>
    public int ReadOutput(Span<float> destination)
    {
        using Occupancy.Stay stay = Enter(nameof(ReadOutput));
        using DeviceUse use = _device.Life.Enter();
        Tensor output = (_current ?? throw new InvalidOperationException("Trainer: there is no output to read; a step or forward pass leaves one, until something else is computed.")).Output;
        if (destination.Length < output.Count)
        {
            throw new ShapeException($"Trainer: a destination of {destination.Length} is too short for the output {output.Shape}.");
        }

        var count = (int)output.Count;
        _device.Download(output, MemoryMarshal.AsBytes(destination[..count]));
        return count;
    }

    /// <summary>How the arena of a batch size would be used; takes no device memory.</summary>
    /// <param name="batchSize">Examples per step.</param>
    /// <param name="mode">A training step (default) or inference.</param>
    /// <returns>Peak, lower bound and every buffer.</returns>
    /// <exception cref="InvalidOperationException">The model is not built.</exception>
    public MemoryPlan PlanMemory(int batchSize, GraphMode mode = GraphMode.Training)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(batchSize);
        using Occupancy.Stay stay = Enter(nameof(PlanMemory));
        return MemoryPlan.Of(TrainingProgram.Compile(_device, Model, Loss, RequireExample(), batchSize, mode, _seed).Plan);
    }

    /// <summary>Copies out a parameter's gradient, of the last backward pass or step.</summary>
    /// <param name="parameter">A parameter of the model.</param>
    /// <param name="destination">At least as long as the parameter.</param>
    /// <exception cref="InvalidOperationException">There was no step yet.</exception>
    public void ReadGradient(Parameter parameter, Span<float> destination)
    {
        using Occupancy.Stay stay = Enter(nameof(ReadGradient));
        using DeviceUse use = _device.Life.Enter();
        ParameterStore store = _store ?? throw new InvalidOperationException("Trainer: there are no gradients before the first step.");
        _device.Download(store.Gradient(parameter), MemoryMarshal.AsBytes(destination[..(int)parameter.Count]));
    }

    /// <summary>
    /// Frees the device memory; the parameters return to the model. Throws nothing. In a callback, or while another thread is inside, the trainer
    /// ends first: what runs fails with <see cref="ObjectDisposedException"/> after its present step, and the memory is freed as it leaves.
    /// </summary>
    /// <remarks>Where the device has failed the parameters' values are lost, which they say until the model's weights are loaded.</remarks>
    public void Dispose()
    {
        if (Interlocked.Exchange(ref _disposed, 1) == 0)
        {
            _occupancy.WhenVacant(Release);
        }
    }

    /// <summary>Gives everything back that there is; throws nothing, since it may run behind a call of another thread.</summary>
    private void Release()
    {
        _store?.GoHome();
        foreach (IDisposable? owner in (IDisposable?[])[.. _programs.Values, _state, _store, _stepBlock])
        {
            try
            {
                owner?.Dispose();
            }
            catch (Exception exception) when (exception is DeviceException or ObjectDisposedException)
            {
                // A device that failed gives its memory back when it is disposed itself.
            }
        }

        _arena.Dispose();
        _programs.Clear();
        _current = null;
    }

    private float Step(ReadOnlySpan<float> x, ReadOnlySpan<byte> targets, bool classIndices)
    {
        using Occupancy.Stay stay = Enter(nameof(Step));
        using DeviceUse use = _device.Life.Enter();
        return StepCore(x, targets, classIndices);
    }

    private float StepCore(ReadOnlySpan<float> x, ReadOnlySpan<byte> targets, bool classIndices)
    {
        BeginStep(Load(x, targets, classIndices, GraphMode.Training), withOutput: false);
        return EndStep();
    }

    /// <summary>Launches a step on the batch that the program holds; its loss is on its way when this returns.</summary>
    private void BeginStep(TrainingProgram program, bool withOutput)
    {
        UploadStepCount();
        _state!.WriteScalars(StepCount + 1);
        program.Begin(withOutput);
        _current = program;
    }

    /// <summary>Waits for the loss of the step that was begun.</summary>
    private float EndStep()
    {
        float loss = _current!.ReadLoss();
        if (!float.IsFinite(loss))
        {
            throw new NonFiniteLossException(
                $"{Loss.Name}: the loss is {loss} at step {StepCount + 1}; the parameters are left as they were. A smaller learning rate than " +
                $"{Optimizer.LearningRate} may help, or the inputs hold NaN.");
        }

        StepCount++;
        return loss;
    }

    private float ForwardCore(ReadOnlySpan<float> x, ReadOnlySpan<byte> targets, bool classIndices)
    {
        TrainingProgram program = Load(x, targets, classIndices, GraphMode.Training);
        UploadStepCount();
        program.Executor.Forward();
        program.BeginReading(withOutput: false);
        (_current, _phase) = (program, Phase.Forwarded);
        return program.ReadLoss();
    }

    private void UploadStepCount()
    {
        Span<int> counter = [(int)StepCount, (int)(StepCount >> 32)];
        _device.Upload(MemoryMarshal.AsBytes(counter), _stepCounter);
    }

    private void BackwardCore()
    {
        if (_phase != Phase.Forwarded)
        {
            throw new InvalidOperationException("Trainer: Backward needs a Forward before it.");
        }

        _current!.Executor.Backward();
        _phase = Phase.Differentiated;
    }

    private void UpdateCore()
    {
        if (_phase != Phase.Differentiated)
        {
            throw new InvalidOperationException("Trainer: Update needs a Backward before it.");
        }

        _state!.WriteScalars(StepCount + 1);
        _state.Update(_current!.Loss);
        StepCount++;
        _phase = Phase.Updated;
    }

    /// <summary>Checks a batch, picks the program for its size and copies it in.</summary>
    private TrainingProgram Load(ReadOnlySpan<float> x, ReadOnlySpan<byte> targets, bool classIndices, GraphMode mode)
    {
        Shape example = RequireExample();
        if (classIndices != Loss.ClassIndices)
        {
            throw new ArgumentException(
                $"{Loss.Name}: targets are {(Loss.ClassIndices ? "class indices (int)" : "numbers (float)")}, the others were given.");
        }

        long count = example.Count;
        if (x.Length == 0 || x.Length % count != 0)
        {
            throw new ShapeException($"Trainer: {x.Length} input values are no batch of examples of shape {example} ({count} values each).");
        }

        TrainingProgram program = Program((int)(x.Length / count), mode);
        if (targets.Length != program.Target.Bytes)
        {
            throw new ShapeException($"{Loss.Name}: {targets.Length / sizeof(float)} targets given for a batch of {x.Length / count}, {program.Target.Shape} expected.");
        }

        if (classIndices)
        {
            CheckLabels(MemoryMarshal.Cast<byte, int>(targets), program.Output.Shape[-1]);
        }

        // All programs share one arena: what an earlier forward pass left there is gone now.
        (_current, _phase) = (null, Phase.Updated);
        ThrowIfDisposed();
        _device.Upload(MemoryMarshal.AsBytes(x), program.X);
        _device.Upload(targets, program.Target);
        return program;
    }

    private Shape RequireExample() => Model.ExampleShape
        ?? throw new InvalidOperationException("Trainer: the model is not built; call model.Build(shape of one example) before the first step.");

    private void CheckLabels(ReadOnlySpan<int> labels, int classes)
    {
        if (FindBadLabel(labels, classes) is var bad and >= 0)
        {
            throw new InvalidDataSetException($"{Loss.Name}: label {labels[bad]} of example {bad} of the batch is not in 0..{classes - 1}.");
        }
    }

    /// <summary>The first example whose label is no class and not the one to ignore; -1 where all are good.</summary>
    private int FindBadLabel(ReadOnlySpan<int> labels, int classes)
    {
        int? ignore = (Loss as CrossEntropyLoss)?.IgnoreIndex;
        for (int i = 0; i < labels.Length; i++)
        {
            if ((uint)labels[i] >= (uint)classes && labels[i] != ignore)
            {
                return i;
            }
        }

        return -1;
    }

    private TrainingProgram Program(int batch, GraphMode mode)
    {
        if (_programs.TryGetValue((batch, mode), out TrainingProgram? program))
        {
            if (program.Executor.IsBound)
            {
                return program;
            }

            // A larger program has moved the arena.
            _programs.Remove((batch, mode));
            program.Dispose();
        }

        Prepare();
        program = TrainingProgram.Create(
            _device, Model, Loss, Model.ExampleShape!.Value, batch, mode, _seed, _store!, _state!, _stepCounter, _arena);
        _programs.Add((batch, mode), program);
        return program;
    }

    /// <summary>Takes the parameters to the device.</summary>
    private void Prepare()
    {
        if (_store is not null)
        {
            return;
        }

        List<Parameter> parameters = AllParameters();
        var store = new ParameterStore(_device, parameters, withGradients: true, _occupancy);
        OptimizerState? state = null;
        try
        {
            state = new OptimizerState(Optimizer, store);
            store.Take(parameters);
        }
        catch
        {
            state?.Dispose();
            store.Dispose();
            throw;
        }

        (_store, _state) = (store, state);
    }

    private List<Parameter> AllParameters() => [.. Model.Parameters, .. Loss.Constants];

    /// <summary>Takes the trainer for this thread; a thread that has it, in a callback for instance, may take it again.</summary>
    private Occupancy.Stay Enter(string operation)
    {
        Occupancy.Stay stay = _occupancy.Enter(operation);
        if (_disposed != 0)
        {
            stay.Dispose();
            ObjectDisposedException.ThrowIf(true, this);
        }

        return stay;
    }

    private void ThrowIfDisposed() => ObjectDisposedException.ThrowIf(Volatile.Read(ref _disposed) != 0, this);
}
