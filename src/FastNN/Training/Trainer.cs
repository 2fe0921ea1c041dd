using System.Runtime.InteropServices;
using FastNN.Graphs;
using FastNN.Kernels;
using FastNN.Tensors;
using FastNN.Training;

namespace FastNN;

/// <summary>
/// Trains a model on a device: <see cref="Fit"/> as Keras has it, or an explicit loop over
/// <see cref="TrainBatch(ReadOnlySpan{float}, ReadOnlySpan{int})"/>, or forward, backward and update one by one. It owns the
/// device copy of the parameters until it is disposed, which brings them back to the model. After the first step of a batch
/// size, a step allocates nothing. One thread at a time.
/// </summary>
public sealed partial class Trainer : IDisposable
{
    private readonly IDevice _device;
    private readonly ulong _seed;
    private readonly Occupancy _occupancy = new(nameof(Trainer));
    private readonly Dictionary<int, Shape> _batchShapes = [];
    private DeviceWeights? _weights;
    private TrainingStep? _step;
    private TrainingStep? _inputGradients;
    private readonly bool _ownsDevice;
    private int _disposed;

    /// <summary>A trainer. The model's parameters move to the device at the first step.</summary>
    /// <param name="model">The network.</param>
    /// <param name="device">Where to train; it must outlive the trainer.</param>
    /// <param name="loss">The objective to minimize.</param>
    /// <param name="optimizer">How parameters are changed.</param>
    /// <param name="seed">Determines the first weights (where the model is not built yet), dropout and the order of examples;
    /// default 0.</param>
    public Trainer(Layer model, Device device, Loss loss, Optimizer optimizer, ulong seed = 0)
        : this(model, device, loss, optimizer, seed, ownsDevice: false)
    {
    }

    /// <summary>A trainer on the CPU, on all cores. Its <see cref="Device"/> ends with it.</summary>
    /// <param name="model">The network.</param>
    /// <param name="loss">The objective to minimize.</param>
    /// <param name="optimizer">How parameters are changed.</param>
    /// <param name="seed">Determines the first weights (where the model is not built yet), dropout and the order of examples;
    /// default 0.</param>
    public Trainer(Layer model, Loss loss, Optimizer optimizer, ulong seed = 0)
        : this(model, null, loss, optimizer, seed, ownsDevice: true)
    {
    }

    private Trainer(Layer model, Device? device, Loss loss, Optimizer optimizer, ulong seed, bool ownsDevice)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(loss);
        ArgumentNullException.ThrowIfNull(optimizer);
        if (!ownsDevice)
        {
            ArgumentNullException.ThrowIfNull(device);
        }

        Device = device ?? Device.Cpu();
        (Model, Loss, Optimizer, _device, _seed, _ownsDevice) = (model, loss, optimizer, Device.Implementation, seed, ownsDevice);
        // Refused here already, not at the first step.
        _device.Life.Enter().Dispose();
    }

    /// <summary>The network.</summary>
    public Layer Model { get; }

    /// <summary>Where it trains.</summary>
    public Device Device { get; }

    /// <summary>The objective to minimize.</summary>
    public Loss Loss { get; }

    /// <summary>How parameters are changed; its learning rate may be changed between steps.</summary>
    public Optimizer Optimizer { get; }

    /// <inheritdoc cref="TrainingStep.LossScale"/>
    public float LossScale { get; init => field = TrainingStep.RequireLossScale(value); } = 1;

    /// <summary>Updates made so far.</summary>
    public long StepCount => _step?.StepCount ?? 0;

    /// <summary>One training step: forward, backward and update.</summary>
    /// <param name="x">A batch of inputs, [N, ...] flattened.</param>
    /// <param name="labels">N class indices.</param>
    /// <returns>The loss before the update.</returns>
    /// <exception cref="ShapeException">The lengths do not fit the model.</exception>
    /// <exception cref="InvalidDatasetException">A label is out of range.</exception>
    /// <exception cref="NonFiniteLossException">The loss is NaN or infinite; the parameters are left as they were.</exception>
    /// <exception cref="ConcurrentUseException">Another thread is using this trainer.</exception>
    public float TrainBatch(ReadOnlySpan<float> x, ReadOnlySpan<int> labels) =>
        TrainBatch(x, MemoryMarshal.AsBytes(labels), classIndices: true);

    /// <summary>One training step: forward, backward and update.</summary>
    /// <param name="x">A batch of inputs, [N, ...] flattened.</param>
    /// <param name="targets">N targets, [N, ...] flattened.</param>
    /// <returns>The loss before the update.</returns>
    /// <exception cref="ShapeException">The lengths do not fit the model.</exception>
    /// <exception cref="NonFiniteLossException">The loss is NaN or infinite; the parameters are left as they were.</exception>
    /// <exception cref="ConcurrentUseException">Another thread is using this trainer.</exception>
    public float TrainBatch(ReadOnlySpan<float> x, ReadOnlySpan<float> targets) =>
        TrainBatch(x, MemoryMarshal.AsBytes(targets), classIndices: false);

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
    /// <param name="accumulate">Whether they are added to those since the last update, as PyTorch does; default false.</param>
    /// <exception cref="InvalidOperationException">There was no forward pass before.</exception>
    public void Backward(bool accumulate = false)
    {
        using Occupancy.Stay stay = Enter(nameof(Backward));
        using DeviceUse use = _device.Life.Enter();
        RequireStep("Backward needs a Forward before it").BackwardCore(accumulate);
    }

    /// <summary>The last third: the optimizer changes the parameters.</summary>
    /// <exception cref="InvalidOperationException">There was no backward pass before.</exception>
    /// <exception cref="NonFiniteLossException">Loss or gradients are NaN or infinite; everything is left as it was and the
    /// step does not count.</exception>
    public void Update()
    {
        using Occupancy.Stay stay = Enter(nameof(Update));
        using DeviceUse use = _device.Life.Enter();
        RequireStep("Update needs a Backward before it").UpdateCore(Loss.Name);
    }

    /// <summary>Copies out the network's output of the last forward pass or step.</summary>
    /// <param name="destination">At least as long as the output.</param>
    /// <returns>The numbers written.</returns>
    /// <exception cref="InvalidOperationException">There was no step yet.</exception>
    public int ReadOutput(Span<float> destination)
    {
        using Occupancy.Stay stay = Enter(nameof(ReadOutput));
        using DeviceUse use = _device.Life.Enter();
        if (_slicedOutput.Count > 0)
        {
            RequireLength(destination, _slicedOutput.Count);
            _slicedOutput.AsSpan().CopyTo(destination);
            return _slicedOutput.Count;
        }

        Tensor output = (_step?.Current ?? throw new InvalidOperationException(
            "Trainer.ReadOutput: expected a training step or forward pass before it; nothing else may be computed in between.")).Output;
        var count = (int)output.Count;
        RequireLength(destination, count);
        _device.Download(output, MemoryMarshal.AsBytes(destination[..count]));
        return count;
    }

    private static void RequireLength(Span<float> destination, int count)
    {
        if (destination.Length < count)
        {
            throw new ShapeException(
                $"Trainer.ReadOutput: expected a destination of at least {count} values for the output, got {destination.Length}.");
        }
    }

    /// <summary>
    /// How the arena of a batch size would be used, were it computed as a whole; takes no device memory. A large batch of a
    /// network whose examples do not depend on each other is computed in slices on a CPU, in the arena of one.
    /// </summary>
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
        RequireStep("expected a backward pass or training step before its gradients").ReadGradient(parameter, destination);
    }

    /// <summary>Replaces a parameter's gradient, between <see cref="Backward"/> and <see cref="Update"/>.</summary>
    /// <param name="parameter">A trainable parameter of the model.</param>
    /// <param name="values">As many as the parameter has elements.</param>
    /// <exception cref="InvalidOperationException">There was no step yet, or the parameter is frozen.</exception>
    /// <exception cref="ShapeException">The number of values is wrong.</exception>
    public void WriteGradient(Parameter parameter, ReadOnlySpan<float> values)
    {
        using Occupancy.Stay stay = Enter(nameof(WriteGradient));
        using DeviceUse use = _device.Life.Enter();
        RequireStep("expected a backward pass or training step before its gradients").WriteGradient(parameter, values);
    }

    /// <summary>Multiplies all gradients, between <see cref="Backward"/> and <see cref="Update"/>.</summary>
    /// <param name="factor">A finite number.</param>
    /// <exception cref="InvalidOperationException">There was no step yet.</exception>
    public void ScaleGradients(float factor)
    {
        using Occupancy.Stay stay = Enter(nameof(ScaleGradients));
        using DeviceUse use = _device.Life.Enter();
        RequireStep("expected a backward pass or training step before its gradients").ScaleGradients(factor);
    }

    /// <summary>
    /// The gradient of the loss with respect to a batch of inputs, as saliency maps and adversarial examples need it; changes
    /// nothing.
    /// </summary>
    /// <param name="x">A batch of inputs, [N, ...] flattened.</param>
    /// <param name="labels">N class indices.</param>
    /// <param name="gradient">Receives as many numbers as there are inputs.</param>
    /// <returns>The loss.</returns>
    /// <exception cref="ShapeException">The lengths do not fit the model.</exception>
    public float InputGradient(ReadOnlySpan<float> x, ReadOnlySpan<int> labels, Span<float> gradient) =>
        InputGradient(x, MemoryMarshal.AsBytes(labels), classIndices: true, gradient);

    /// <summary>The gradient of the loss with respect to a batch of inputs; changes nothing.</summary>
    /// <param name="x">A batch of inputs, [N, ...] flattened.</param>
    /// <param name="targets">N targets, [N, ...] flattened.</param>
    /// <param name="gradient">Receives as many numbers as there are inputs.</param>
    /// <returns>The loss.</returns>
    /// <exception cref="ShapeException">The lengths do not fit the model.</exception>
    public float InputGradient(ReadOnlySpan<float> x, ReadOnlySpan<float> targets, Span<float> gradient) =>
        InputGradient(x, MemoryMarshal.AsBytes(targets), classIndices: false, gradient);

    /// <summary>
    /// Frees the device memory; the parameters return to the model. Throws nothing. In a callback, or while another thread is
    /// inside, the trainer ends first: what runs fails with <see cref="ObjectDisposedException"/> after its present step, and
    /// the memory is freed as it leaves.
    /// </summary>
    /// <remarks>Where the device has failed the parameters' values are lost, which they say until the model's weights are
    /// loaded.</remarks>
    public void Dispose()
    {
        if (Interlocked.Exchange(ref _disposed, 1) == 0)
        {
            _occupancy.WhenVacant(Release);
        }
    }

    /// <summary>Frees everything; throws nothing, since it may run after a call on another thread.</summary>
    private void Release()
    {
        _step?.Dispose();
        _inputGradients?.Dispose();
        _weights?.Dispose();
        if (_ownsDevice)
        {
            Device.Dispose();
        }
    }

    private float TrainBatch(ReadOnlySpan<float> x, ReadOnlySpan<byte> targets, bool classIndices)
    {
        using Occupancy.Stay stay = Enter(nameof(TrainBatch));
        using DeviceUse use = _device.Life.Enter();
        return StepCore(x, targets, classIndices);
    }

    private float StepCore(ReadOnlySpan<float> x, ReadOnlySpan<byte> targets, bool classIndices)
    {
        if (SliceOf(x, targets, classIndices) is var slice && slice * RequireExample().Count < x.Length)
        {
            return RunSlices(x, targets, classIndices, slice);
        }

        TrainingProgram program = Load(x, targets, classIndices, GraphMode.Training);
        _step!.BeginStep(program, withOutput: false);
        return EndStep(x, targets, classIndices, adds: false);
    }

    private float ForwardCore(ReadOnlySpan<float> x, ReadOnlySpan<byte> targets, bool classIndices)
    {
        TrainingProgram program = Load(x, targets, classIndices, GraphMode.Training);
        return _step!.ForwardCore(program);
    }

    private float InputGradient(ReadOnlySpan<float> x, ReadOnlySpan<byte> targets, bool classIndices, Span<float> gradient)
    {
        using Occupancy.Stay stay = Enter(nameof(InputGradient));
        using DeviceUse use = _device.Life.Enter();
        (Shape shape, _) = CheckBatch(x, classIndices);
        Prepare();
        _inputGradients ??= new TrainingStep(
            _weights!, step => TrainingProgram.Record(step, Model, Loss, RequireExample(), wantsGradient: true),
            [(Optimizer, [])], _seed, GraphMode.Inference);
        _inputGradients.Begin(shape);
        TrainingProgram program = _inputGradients.Current!;
        CheckTargets(program, targets, classIndices, shape[0]);
        _device.Upload(MemoryMarshal.AsBytes(x), program.X);
        _device.Upload(targets, program.Target);
        float loss = _inputGradients.ForwardCore(program);
        _inputGradients.Backward();
        _inputGradients.ReadInputGradient("input", gradient);
        return loss;
    }

    private TrainingStep RequireStep(string otherwise) => _step ?? throw new InvalidOperationException($"Trainer: {otherwise}.");

    /// <summary>Checks a batch, picks the program for its size and copies it in.</summary>
    /// <param name="first">The number of its first example within the batch that it is a slice of.</param>
    private TrainingProgram Load(
        ReadOnlySpan<float> x, ReadOnlySpan<byte> targets, bool classIndices, GraphMode mode, int first = 0)
    {
        (Shape shape, int batch) = CheckBatch(x, classIndices);
        Prepare();
        TrainingProgram program = Program(shape, mode);
        CheckTargets(program, targets, classIndices, batch, first);

        // All programs share one arena: what an earlier forward pass left there is gone now.
        _step!.Invalidate();
        _slicedOutput = default;
        ThrowIfDisposed();
        _device.Upload(MemoryMarshal.AsBytes(x), program.X);
        _device.Upload(targets, program.Target);
        return program;
    }

    /// <summary>The shape of a batch and the number of its examples.</summary>
    private (Shape Shape, int Batch) CheckBatch(ReadOnlySpan<float> x, bool classIndices)
    {
        Shape example = RequireExample();
        if (classIndices != Loss.ClassIndices)
        {
            throw new ArgumentException(
                $"{Loss.Name}: expected {(Loss.ClassIndices ? "class indices (int)" : "float")} targets, got {(classIndices ? "class indices (int)" : "float targets")}.");
        }

        long count = example.Count;
        if (x.Length == 0 || x.Length % count != 0)
        {
            throw new ShapeException(
                $"Trainer: expected a multiple of {count} input values (examples of shape {example}), got {x.Length}.");
        }

        int batch = (int)(x.Length / count);
        return (BatchShape(batch), batch);
    }

    private TrainingProgram Program(Shape shape, GraphMode mode)
    {
        try
        {
            return _step!.Program([shape], mode);
        }
        catch (ShapeException exception) when (exception.Layer is null)
        {
            // A recording with a symbol for the batch size fails where numbers take its place, which no layer knows of; one
            // with the number tells the layer.
            _ = TrainingProgram.Compile(_device, Model, Loss, RequireExample(), shape[0], mode, _seed);
            throw;
        }
    }

    private Shape BatchShape(int batch)
    {
        if (!_batchShapes.TryGetValue(batch, out Shape shape))
        {
            if (_batchShapes.Count == 64)
            {
                _batchShapes.Clear();
            }

            _batchShapes.Add(batch, shape = RequireExample().Prepend(batch));
        }

        return shape;
    }

    private void CheckTargets(
        TrainingProgram program, ReadOnlySpan<byte> targets, bool classIndices, int batch, int first = 0)
    {
        if (targets.Length != program.Target.Bytes)
        {
            throw new ShapeException(
                $"{Loss.Name}: expected targets of shape {program.Target.Shape} for a batch of {batch}, got {targets.Length / sizeof(float)} values.");
        }

        if (classIndices)
        {
            CheckLabels(MemoryMarshal.Cast<byte, int>(targets), program.Output.Shape[-1], first);
        }
    }

    private Shape RequireExample() => Model.ExampleShape
        ?? throw new InvalidOperationException(
            "Trainer: the model is not built; call model.Build(shape of one example) before the first step.");

    private void CheckLabels(ReadOnlySpan<int> labels, int classes, int first)
    {
        if (FindBadLabel(labels, classes) is var bad and >= 0)
        {
            throw new InvalidDatasetException(
                $"{Loss.Name}: label {labels[bad]} of example {first + bad} of the batch is out of range 0..{classes - 1}.");
        }
    }

    /// <summary>The first example whose label is neither a class nor the one to ignore; -1 where all are good.</summary>
    private int FindBadLabel(ReadOnlySpan<int> labels, int classes)
    {
        int? ignore = Loss.IgnoredClass;
        for (int i = 0; i < labels.Length; i++)
        {
            if ((uint)labels[i] >= (uint)classes && labels[i] != ignore)
            {
                return i;
            }
        }

        return -1;
    }

    /// <summary>Takes the parameters to the device.</summary>
    private void Prepare()
    {
        if (_step is not null)
        {
            return;
        }

        RequireExample();
        IReadOnlyList<Parameter> parameters = Model.Parameters;
        var weights = new DeviceWeights(
            _device,
            [
                .. Optimizers.OptimizerState.Divide(Optimizer, parameters).SelectMany(group => group), .. Loss.Constants,
                .. Model.Buffers], Model.NamedParameters,
            _occupancy);
        try
        {
            _step = new TrainingStep(
                weights, step => TrainingProgram.Record(step, Model, Loss, RequireExample(), metrics: MetricsOf(step.Graph.Mode)),
                [(Optimizer, parameters)], _seed)
            {
                LossScale = LossScale,
            };
        }
        catch
        {
            weights.Store.Dispose();
            throw;
        }

        _weights = weights;
    }

    /// <summary>Takes the trainer for this thread; a thread that has it, in a callback for instance, may take it
    /// again.</summary>
    private Occupancy.Stay Enter(string operation)
    {
        Occupancy.Stay stay = _occupancy.Enter(operation);
        if (_disposed != 0)
        {
            stay.Dispose();
            ObjectDisposedException.ThrowIf(true, this);
        }

        if (_isAveraged && Array.IndexOf(Training, operation) >= 0)
        {
            stay.Dispose();
            throw new InvalidOperationException(
                $"Trainer.{operation}: the weights are their average; dispose what UseAverage returned first.");
        }

        return stay;
    }

    private void ThrowIfDisposed() => ObjectDisposedException.ThrowIf(Volatile.Read(ref _disposed) != 0, this);
}
