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
    private readonly ParameterStore _parameters;
    private readonly nint _arena;
    private readonly DeviceBlock? _arenaBlock;
    private readonly DeviceBlock? _rootGradientBlock;
    private readonly DeviceBlock? _constantBlock;
    private readonly (Operator Op, NodeTensors Tensors)[] _forward;
    private readonly (Operator Op, NodeTensors Tensors)[] _backward;
    private readonly (Tensor From, Tensor To)[] _writeBacks;
    private readonly Dictionary<Value, Tensor> _values = [];
    private readonly Dictionary<Value, Tensor> _gradients = [];

    /// <param name="device">Where to run.</param>
    /// <param name="plan">What to run.</param>
    /// <param name="parameters">Holds the plan's parameters.</param>
    /// <param name="stepCounter">Int32 [2], or null where the plan draws no random numbers.</param>
    /// <param name="sharedArena">An arena at least as large as the plan's peak, whose owner outlives this; 0 to take an own
    /// one.</param>
    public Executor(IDevice device, Plan plan, ParameterStore parameters, Tensor? stepCounter = null, nint sharedArena = 0)
    {
        (_device, _parameters) = (device, parameters);
        Plan = plan;
        _arenaBlock = sharedArena == 0 ? new DeviceBlock(device, Math.Max(plan.PeakBytes, Planner.Alignment)) : null;
        _arena = _arenaBlock?.Address ?? sharedArena;
        try
        {
            if (plan.Root is { } root)
            {
                _rootGradientBlock = new DeviceBlock(device, Math.Max(root.Count, 1) * sizeof(float));
                RootGradient = new Tensor(_rootGradientBlock.Address, DType.Float32, root);
                device.Fill(RootGradient, 1);
            }

            Dictionary<byte[], nint> constants = PlaceConstants(device, plan, out _constantBlock);
            var binder = new Binder(_arena, parameters, constants, stepCounter, RootGradient);
            (Operator Op, NodeTensors Tensors)[] nodes = [.. plan.Nodes.Select(node => (node.Op, binder.Bind(node)))];
            _forward = [.. nodes.Where(node => !node.Op.IsView)];
            _backward = [.. nodes.Where(node => node.Tensors.OutputGradients.Length > 0).Reverse()];
            _writeBacks = [.. plan.WriteBacks.Select(writeBack => (binder.Bind(writeBack.From), binder.Bind(writeBack.To)))];
            foreach ((Value value, PlannedTensor tensor) in plan.Values)
            {
                _values.Add(value, binder.Bind(tensor));
            }

            foreach ((Value value, PlannedTensor tensor) in plan.Gradients)
            {
                _gradients.Add(value, binder.Bind(tensor));
            }
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    public Plan Plan { get; }

    /// <summary>What the plan's parameters lie in; alive as long as this.</summary>
    public ParameterStore Parameters => _parameters;

    /// <summary>Where the arena starts, for executors that share it.</summary>
    public nint Arena => _arena;

    /// <summary>What backward starts from; all ones unless written.</summary>
    public Tensor? RootGradient { get; }

    /// <summary>An input or requested output.</summary>
    public Tensor this[Value value] => _values[value];

    /// <summary>A requested gradient.</summary>
    public Tensor Gradient(Value value) => _gradients[value];

    public void Forward()
    {
        foreach ((Operator op, NodeTensors tensors) in _forward)
        {
            op.Forward(_device, tensors);
        }

        // The blocks live as long as what runs in them.
        GC.KeepAlive(this);
    }

    /// <summary>Needs the arena as <see cref="Forward"/> left it; may be run once after it.</summary>
    public void Backward()
    {
        foreach ((Operator op, NodeTensors tensors) in _backward)
        {
            op.Backward(_device, tensors);
        }

        GC.KeepAlive(this);
    }

    /// <summary>Values that this step computed for buffers, and where those lie.</summary>
    public ReadOnlySpan<(Tensor From, Tensor To)> WriteBacks => _writeBacks;

    public void Dispose()
    {
        _constantBlock?.Dispose();
        _arenaBlock?.Dispose();
        _rootGradientBlock?.Dispose();
    }

    /// <summary>Puts all constants of a plan into one block.</summary>
    private static Dictionary<byte[], nint> PlaceConstants(IDevice device, Plan plan, out DeviceBlock? block)
    {
        var offsets = new Dictionary<byte[], nint>();
        long bytes = 0;
        IEnumerable<PlannedTensor> tensors = plan.Nodes.SelectMany(node => node.Inputs).Concat(plan.Values.Values);
        foreach (byte[] data in tensors.Where(tensor => tensor.Place.Kind == PlaceKind.Constant).Select(tensor => tensor.Place.Data!))
        {
            if (offsets.TryAdd(data, (nint)bytes))
            {
                bytes = Planner.Align(bytes + Math.Max(data.Length, 1));
            }
        }

        block = bytes == 0 ? null : new DeviceBlock(device, bytes);
        var addresses = new Dictionary<byte[], nint>();
        foreach ((byte[] data, nint offset) in offsets)
        {
            addresses.Add(data, block!.Address + offset);
            device.Upload(data, new Tensor(block.Address + offset, DType.UInt8, new Shape(data.Length)));
        }

        return addresses;
    }

    /// <summary>Turns places into addresses.</summary>
    private sealed class Binder(
        nint arena, ParameterStore parameters, Dictionary<byte[], nint> constants, Tensor? stepCounter, Tensor? rootGradient)
    {
        public NodeTensors Bind(PlannedNode node) => new()
        {
            Inputs = Array.ConvertAll(node.Inputs, Bind),
            Outputs = Array.ConvertAll(node.Outputs, Bind),
            Bound = node.Types.Bound,
            Saved = BindOptional(node.Saved),
            ForwardWorkspace = BindOptional(node.ForwardWorkspace),
            BackwardWorkspace = BindOptional(node.BackwardWorkspace),
            OutputGradients = Array.ConvertAll(node.OutputGradients, BindOptional),
            InputGradients = Array.ConvertAll(node.InputGradients, BindOptional),
            Accumulate = node.Accumulate,
        };

        public Tensor Bind(PlannedTensor tensor)
        {
            nint address = tensor.Place.Kind switch
            {
                PlaceKind.Arena => arena + (nint)tensor.Place.Buffer!.Offset,
                PlaceKind.Parameter => parameters.Value(tensor.Place.Parameter!).Address,
                PlaceKind.ParameterGradient => parameters.Gradient(tensor.Place.Parameter!).Address,
                PlaceKind.Constant => constants[tensor.Place.Data!],
                PlaceKind.StepCounter => (stepCounter ?? throw new InvalidOperationException("The plan needs a step counter.")).Address,
                _ => rootGradient!.Address,
            };
            return new Tensor(address + (nint)tensor.Offset, tensor.Type);
        }

        private Tensor? BindOptional(PlannedTensor? tensor) => tensor is { } planned ? Bind(planned) : null;
    }
}
