using System.Diagnostics;
using FastNN.Graphs.Checks;
using FastNN.Kernels;
using FastNN.Ops;
using FastNN.Tensors;

namespace FastNN.Graphs;

/// <summary>
/// Runs a plan: every tensor is bound to its place once, and a run walks flat arrays. Nothing is looked up, boxed or allocated.
/// </summary>
internal sealed class Executor : IDisposable
{
    private readonly IDevice _device;
    private readonly IParameterPlaces _parameters;
    private readonly GradientStore? _parameterGradients;
    private readonly Arena _arena;
    private readonly int _version;
    private readonly ConstantBlock _constants;
    private readonly DeviceBlock? _rootGradientBlock;
    private readonly (Operator Op, NodeTensors Tensors)[] _forward;
    private readonly (Operator Op, NodeTensors Tensors)[] _backward;
    private readonly (Tensor From, Tensor To)[] _writeBacks;
    private readonly ExecutionChecks? _checks;
    private (Operator Op, NodeTensors Tensors)[]? _accumulating;
    private long[]? _forwardTimes;
    private long[]? _backwardTimes;
    private readonly Dictionary<Value, Tensor> _values = [];
    private readonly Dictionary<Value, Tensor> _gradients = [];
    private readonly ILookup<Buffer, (Tensor Tensor, nint Offset)> _ofInputs;
    private bool _disposed;

    /// <param name="device">Where to run.</param>
    /// <param name="plan">What to run.</param>
    /// <param name="parameters">Holds the plan's parameters.</param>
    /// <param name="stepCounter">Int32 [2], or null where the plan draws no random numbers.</param>
    /// <param name="arena">An arena to share with other plans, which is made large enough; null to take one of its own.</param>
    /// <param name="constants">The plan's constants, where others run the same plan; null to place them.</param>
    /// <param name="gradients">Receives the gradients of the plan's parameters; null for a plan without.</param>
    /// <param name="rootGradient">What backward starts from, kept by the caller; null for ones.</param>
    public Executor(
        IDevice device, Plan plan, IParameterPlaces parameters, Tensor? stepCounter = null, Arena? arena = null,
        ConstantBlock? constants = null,
        GradientStore? gradients = null, Tensor? rootGradient = null)
    {
        (_device, _parameters, _parameterGradients) = (device, parameters, gradients);
        Plan = plan;
        _constants = constants?.Hold() ?? new ConstantBlock(device, plan);
        _arena = arena?.Hold() ?? new Arena(device);
        try
        {
            _arena.Require(plan.PeakBytes);
            _version = _arena.Version;
            if (plan.Root is { } root && rootGradient is not null)
            {
                RootGradient = rootGradient.Shape == root
                    ? rootGradient
                    : throw new InvalidOperationException(
                        $"Executor: expected a root gradient of shape {root}, got {rootGradient.Shape}.");
            }
            else if (plan.Root is { } ones)
            {
                _rootGradientBlock = new DeviceBlock(device, Math.Max(ones.Count, 1) * sizeof(float));
                RootGradient = new Tensor(_rootGradientBlock.Address, DType.Float32, ones);
                device.Memory.Fill(RootGradient, 1);
            }

            var binder = new Binder(_arena.Address, plan, parameters, gradients, _constants, stepCounter, RootGradient);
            var nodes = new Dictionary<PlannedNode, NodeTensors>();
            NodeTensors TensorsOf(PlannedNode node)
            {
                if (!nodes.TryGetValue(node, out NodeTensors? tensors))
                {
                    nodes.Add(node, tensors = binder.Bind(node));
                }

                return tensors;
            }

            _forward = [.. plan.Nodes.Where(node => !node.Op.IsView).Select(node => (Pass(node), TensorsOf(node)))];
            _backward = [.. plan.Backward.Where(Runs).Select(pass => (
                pass.Kind == PassKind.Again ? new ForwardAgain(Pass(pass.Node)) : Pass(pass.Node), TensorsOf(pass.Node)))];
            _writeBacks = [.. plan.WriteBacks.Select(writeBack => (binder.Bind(writeBack.From), binder.Bind(writeBack.To)))];
            foreach ((Value value, PlannedTensor tensor) in plan.Values)
            {
                _values.Add(value, binder.Bind(tensor));
            }

            foreach ((Value value, PlannedTensor tensor) in plan.Gradients)
            {
                _gradients.Add(value, binder.Bind(tensor));
            }

            _ofInputs = binder.OfInputs.ToLookup(bound => bound.Input, bound => (bound.Tensor, bound.Offset));
            _checks = DebugChecks.Enabled
                ? new ExecutionChecks(device, plan, _arena.Address, TensorsOf)
                : null;
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    public Plan Plan { get; }

    /// <summary>
    /// Whether the arena is still where it was when the plan was bound to it; else the plan has to be bound again.
    /// </summary>
    public bool IsBound => !_disposed && _arena.Version == _version;

    /// <summary>What the plan's parameters lie in; alive as long as this.</summary>
    public IParameterPlaces Parameters => _parameters;

    /// <summary>Where the gradients of its parameters go; alive as long as this.</summary>
    public GradientStore? ParameterGradients => _parameterGradients;

    /// <summary>What backward starts from; all ones unless written or given.</summary>
    public Tensor? RootGradient { get; }

    /// <summary>An input or requested output.</summary>
    public Tensor this[Value value] => _values[value];

    /// <summary>
    /// Whether an input may be read where the caller has it: the device reads the host's memory, and no output is a view of the
    /// input, which would be read after the run.
    /// </summary>
    public bool MayBorrow(Value input) =>
        _device.IsHost && _checks is null && Plan.Values[input].Place.Buffer is { } buffer
        && Plan.Values.Values.Count(value => value.Place.Buffer == buffer) == 1;

    /// <summary>Lets the next runs read an input elsewhere; 0 for where it lies in the arena.</summary>
    /// <param name="input">An input that <see cref="MayBorrow"/> said yes to.</param>
    /// <param name="address">Where all its elements lie, and stay until the runs are over.</param>
    public void Borrow(Value input, nint address)
    {
        Buffer buffer = Plan.Values[input].Place.Buffer!;
        nint begin = address == 0 ? _arena.Address + (nint)buffer.Offset : address;
        foreach ((Tensor tensor, nint offset) in _ofInputs[buffer])
        {
            tensor.MoveTo(begin + offset);
        }
    }

    /// <summary>A requested gradient.</summary>
    public Tensor Gradient(Value value) => _gradients[value];

    public void Forward()
    {
        RequireBound();
        if (_checks is not null)
        {
            _checks.Forward(_forward);
        }
        else
        {
            foreach ((Operator op, NodeTensors tensors) in _forward)
            {
                op.Forward(_device, tensors);
            }
        }

        // The blocks live as long as what runs in them.
        GC.KeepAlive(this);
    }

    /// <summary>As <see cref="Forward()"/>, and tells when each step ran.</summary>
    public void Forward(IStepObserver observer)
    {
        RequireBound();
        Span<long> times = (_forwardTimes ??= new long[_forward.Length + 1]);
        for (int i = 0; i < _forward.Length; i++)
        {
            (Operator op, NodeTensors tensors) = _forward[i];
            times[i] = Stopwatch.GetTimestamp();
            op.Forward(_device, tensors);
        }

        times[^1] = Stopwatch.GetTimestamp();
        observer.Ran(Plan.ForwardSteps, times);
        GC.KeepAlive(this);
    }

    /// <summary>As <see cref="Backward(bool)"/>, and tells when each step ran.</summary>
    public void Backward(IStepObserver observer, bool accumulate)
    {
        RequireBound();
        (Operator Op, NodeTensors Tensors)[] backward = accumulate ? _accumulating ??= Accumulating() : _backward;
        Span<long> times = (_backwardTimes ??= new long[backward.Length + 1]);
        for (int i = 0; i < backward.Length; i++)
        {
            (Operator op, NodeTensors tensors) = backward[i];
            times[i] = Stopwatch.GetTimestamp();
            op.Backward(_device, tensors);
        }

        times[^1] = Stopwatch.GetTimestamp();
        observer.Ran(Plan.BackwardSteps, times);
        GC.KeepAlive(this);
    }

    /// <summary>The steps of a forward pass in order, one for each of the plan's nodes that is no view, to be run by
    /// hand.</summary>
    public ReadOnlySpan<(Operator Op, NodeTensors Tensors)> ForwardSteps
    {
        get
        {
            RequireBound();
            return _forward;
        }
    }

    /// <summary>The steps of a backward pass in order, one for each of the plan's that <see cref="Runs"/>, likewise.</summary>
    public ReadOnlySpan<(Operator Op, NodeTensors Tensors)> BackwardSteps
    {
        get
        {
            RequireBound();
            return _backward;
        }
    }

    /// <summary>Needs the arena as <see cref="Forward()"/> left it; may be run once after it.</summary>
    /// <param name="accumulate">Whether the parameters' gradients are added to what is there (+=) rather than written
    /// (=).</param>
    public void Backward(bool accumulate = false)
    {
        RequireBound();
        (Operator Op, NodeTensors Tensors)[] backward = accumulate ? _accumulating ??= Accumulating() : _backward;
        if (_checks is not null)
        {
            _checks.Backward(backward, accumulate);
        }
        else
        {
            foreach ((Operator op, NodeTensors tensors) in backward)
            {
                op.Backward(_device, tensors);
            }
        }

        GC.KeepAlive(this);
    }

    /// <summary>Values that this step computed for buffers, and where those lie.</summary>
    public ReadOnlySpan<(Tensor From, Tensor To)> WriteBacks => _writeBacks;

    public void Dispose()
    {
        if (_disposed)
        {
            return;
        }

        _disposed = true;
        _constants.Dispose();
        _arena.Dispose();
        _rootGradientBlock?.Dispose();
    }

    /// <summary>The backward pass with every parameter's gradient added to.</summary>
    private (Operator Op, NodeTensors Tensors)[] Accumulating()
    {
        IEnumerable<PlannedNode> planned = Plan.Backward.Where(Runs).Select(pass => pass.Node);
        return [.. _backward.Zip(planned, (bound, node) => (bound.Op, bound.Tensors.WithAccumulate(
            [
                .. node.Accumulate.Select(
                    (adds, i) => adds || node.InputGradients[i] is { Place.Kind: PlaceKind.ParameterGradient })])))];
    }

    /// <summary>Whether anything runs at a step of the backward pass.</summary>
    public static bool Runs(BackwardStep pass) => pass.Kind switch
    {
        PassKind.Backward => true,
        PassKind.Again => !pass.Node.Op.IsView,
        _ => false,
    };

    /// <summary>What computes a node: its operator, unless no output has an element.</summary>
    private static Operator Pass(PlannedNode node) =>
        Array.TrueForAll(node.Outputs, output => output.Type.Shape.Count == 0) ? new EmptyPass(node.Op) : node.Op;

    private void RequireBound()
    {
        if (!IsBound)
        {
            throw new InvalidOperationException("Executor: the arena has moved since the plan was bound to it.");
        }
    }

    /// <summary>
    /// The passes of an operator whose outputs have no element, as for an empty batch: nothing is computed, and gradients through
    /// them are 0. So no kernel meets such shapes, some of which have 2^31 rows without columns.
    /// </summary>
    private sealed record EmptyPass(Operator Op) : Operator
    {
        public override string Name => Op.Name;

        public override TensorType[] Infer(ReadOnlySpan<TensorType> inputs) => Op.Infer(inputs);

        public override void Forward(IKernels kernels, NodeTensors tensors)
        {
        }

        public override void Backward(IKernels kernels, NodeTensors tensors)
        {
            for (int i = tensors.InputGradients.Length - 1; i >= 0; i--)
            {
                if (tensors.InputGradients[i] is { Count: > 0 } gradient && !tensors.Accumulate[i])
                {
                    kernels.Memory.Fill(gradient, 0);
                }
            }
        }
    }

    /// <summary>A forward pass among backward passes.</summary>
    private sealed record ForwardAgain(Operator Op) : Operator
    {
        public override string Name => Op.Name;

        public override TensorType[] Infer(ReadOnlySpan<TensorType> inputs) => Op.Infer(inputs);

        public override void Forward(IKernels kernels, NodeTensors tensors) => Op.Forward(kernels, tensors);

        public override void Backward(IKernels kernels, NodeTensors tensors) => Op.Forward(kernels, tensors);
    }

    /// <summary>Turns places into addresses.</summary>
    private sealed class Binder(
        nint arena, Plan plan, IParameterPlaces parameters, GradientStore? gradients, ConstantBlock constants,
        Tensor? stepCounter, Tensor? rootGradient)
    {
        private readonly HashSet<Buffer> _inputs =
            [.. plan.Values.Where(value => value.Key.Kind == ValueKind.Input).Select(value => value.Value.Place.Buffer!)];

        /// <summary>Every tensor that is an input or a view of one, and how many bytes behind the input's beginning.</summary>
        public List<(Buffer Input, Tensor Tensor, nint Offset)> OfInputs { get; } = [];

        public NodeTensors Bind(PlannedNode node) => new()
        {
            Inputs = [.. node.Inputs.Select((input, i) => Bind(input, loads: plan.Root is not null || !node.Op.LoadsInput(i)))],
            Outputs = Array.ConvertAll(node.Outputs, Bind),
            Bound = node.Types.Bound,
            Saved = BindOptional(node.Saved),
            SavedTensors = Array.ConvertAll(node.SavedTensors, Bind),
            BackwardScratch = Array.ConvertAll(node.BackwardScratch, Bind),
            ForwardWorkspace = BindOptional(node.ForwardWorkspace),
            BackwardWorkspace = BindOptional(node.BackwardWorkspace),
            OutputGradients = Array.ConvertAll(node.OutputGradients, BindOptional),
            InputGradients = Array.ConvertAll(node.InputGradients, BindOptional),
            Accumulate = node.Accumulate,
        };

        public Tensor Bind(PlannedTensor tensor) => Bind(tensor, loads: true);

        private Tensor Bind(PlannedTensor tensor, bool loads)
        {
            (nint constant, FrozenValues? frozen) = tensor.Place.Kind switch
            {
                PlaceKind.Constant => constants[tensor.Place.Data!],
                PlaceKind.Parameter => (0, parameters.Value(tensor.Place.Parameter!).Frozen),
                _ => default,
            };
            nint address = tensor.Place.Kind switch
            {
                PlaceKind.Arena => arena + (nint)tensor.Place.Buffer!.Offset,
                PlaceKind.Parameter => parameters.Value(tensor.Place.Parameter!).Address,
                PlaceKind.ParameterGradient =>
                    (gradients ?? throw new InvalidOperationException("The plan needs room for gradients.")).Gradient(
                        tensor.Place.Parameter!).Address,
                PlaceKind.Constant => constant,
                PlaceKind.StepCounter =>
                    (stepCounter ?? throw new InvalidOperationException("The plan needs a step counter.")).Address,
                _ => rootGradient!.Address,
            };
            if (tensor.Place.Kind == PlaceKind.Constant && (loads || tensor.Offset != 0))
            {
                frozen!.Load();
            }

            var bound = new Tensor(address + (nint)tensor.Offset, tensor.Type) { Frozen = tensor.Offset == 0 ? frozen : null };
            if (tensor.Place.Buffer is { } buffer && _inputs.Contains(buffer))
            {
                OfInputs.Add((buffer, bound, (nint)tensor.Offset));
            }

            return bound;
        }

        private Tensor? BindOptional(PlannedTensor? tensor) => tensor is { } planned ? Bind(planned) : null;
    }
}
