using System.Globalization;
using FastNN.Graphs.Passes;
using FastNN.Kernels;
using FastNN.Ops;
using FastNN.Tensors;

namespace FastNN.Graphs;

/// <summary>
/// Turns a recorded graph into a plan: lets the passes rewrite it, puts numbers in the place of symbols, decides which gradients
/// exist and who writes or adds to them, works out every buffer's lifetime over forward and backward, shares memory in place
/// where operators allow it, and lets the planner assign offsets. Steps are numbered as <see cref="StepNumbers"/> says.
/// </summary>
internal sealed class Compiler
{
    private readonly IPlanning _planning;
    private readonly List<Node> _nodes;
    private readonly SymbolValues _symbols;
    private readonly Value[] _outputs;
    private readonly Value? _root;
    private readonly HashSet<Value> _wanted;
    private readonly List<Buffer> _buffers = [];
    private readonly Dictionary<Value, PlannedTensor> _places = [];
    private readonly Dictionary<Value, PlannedTensor> _again = [];
    private readonly Dictionary<Value, PlannedTensor> _gradients = [];
    private readonly HashSet<Place> _written = [];
    private readonly HashSet<Buffer> _inputBuffers = [];
    private readonly HashSet<Value> _differentiable = [];
    private readonly Dictionary<Value, TensorType> _types = [];
    private readonly List<(Operator Op, NodeTypes Types)> _bound = [];
    private readonly List<bool[]> _needed = [];
    private Func<Parameter, bool> _isTrained = parameter => parameter.IsTrainable;

    private Compiler(IPlanning planning, Graph graph, Value[] outputs, Value? root, Value[] wantedGradients, SymbolValues symbols)
    {
        _planning = planning;
        _symbols = symbols;
        _outputs = [.. outputs, .. graph.WriteBacks.Select(writeBack => writeBack.Updated)];
        _root = root;
        _wanted = [.. wantedGradients];
        var recording = new Recording(graph.Nodes, _outputs, root);
        PassPipeline.Run(recording);
        _nodes = recording.Nodes;
    }

    private StepNumbers _steps = null!;

    private int End => _steps.Last;

    /// <summary>Compiles a graph.</summary>
    /// <param name="planning">The device's answers to questions of size.</param>
    /// <param name="graph">The recording.</param>
    /// <param name="outputs">Values to be read after a run; the root is one of them.</param>
    /// <param name="root">What backward differentiates, or null for inference.</param>
    /// <param name="wantedGradients">Inputs whose gradients are to be read after a run.</param>
    public static Plan Compile(
        IPlanning planning, Graph graph, Value[] outputs, Value? root = null, params Value[] wantedGradients) =>
        Compile(planning, graph, new SymbolValues(), outputs, root, wantedGradients);

    /// <summary>Compiles a graph for certain input shapes.</summary>
    /// <param name="planning">The device's answers to questions of size.</param>
    /// <param name="graph">The recording.</param>
    /// <param name="symbols">A number for every symbol of the inputs.</param>
    /// <param name="outputs">Values to be read after a run; the root is one of them.</param>
    /// <param name="root">What backward differentiates, or null for inference.</param>
    /// <param name="wantedGradients">Inputs whose gradients are to be read after a run.</param>
    /// <exception cref="ShapeException">An operator does not take these shapes, or a symbol has no number.</exception>
    public static Plan Compile(
        IPlanning planning, Graph graph, SymbolValues symbols, Value[] outputs, Value? root = null,
        params Value[] wantedGradients) =>
        new Compiler(planning, graph, outputs, root, wantedGradients, symbols).Build(graph);

    /// <summary>Compiles a training step that trains some of the parameters of a graph.</summary>
    /// <param name="planning">The device's answers to questions of size.</param>
    /// <param name="graph">The recording.</param>
    /// <param name="symbols">A number for every symbol of the inputs.</param>
    /// <param name="outputs">Values to be read after a run; the root is one of them.</param>
    /// <param name="root">What backward differentiates.</param>
    /// <param name="wantedGradients">Inputs whose gradients are to be read after a run.</param>
    /// <param name="isTrained">Which parameters get gradients.</param>
    /// <exception cref="ShapeException">An operator does not take these shapes, or a symbol has no number.</exception>
    public static Plan CompileStep(
        IPlanning planning, Graph graph, SymbolValues symbols, Value[] outputs, Value root, Value[] wantedGradients,
        Func<Parameter, bool> isTrained) =>
        new Compiler(planning, graph, outputs, root, wantedGradients, symbols) { _isTrained = isTrained }.Build(graph);

    private Plan Build(Graph graph)
    {
        BindTypes();
        FilterTransposition.Insert(_planning, graph, _nodes, _bound, _types, _root is not null, _isTrained);
        if (graph.Mode == GraphMode.Inference && _root is null)
        {
            // What they join has no backward pass, which gradients of what inference computes need.
            InferenceEpilogues.Join(_planning, _nodes, _bound, _types, [.. _outputs]);
        }

        new JoinedPasses(_planning, graph, _nodes, _bound, _types, [.. _outputs]).Run();
        FindDifferentiable();
        bool[] backward = FindBackward();
        _steps = StepNumbers.Of(_nodes, i => backward[i], Keeps);
        LastReads lastReads = FindLastReads(backward);
        foreach (Value input in graph.Inputs)
        {
            // Inputs are filled before step 0, so they exist from there on.
            _places[input] = NewPlace("input", TypeOf(input), 0, lastReads.First.GetValueOrDefault(input));
            _inputBuffers.Add(_places[input].Place.Buffer!);
        }

        var planned = new PlannedNode[_nodes.Count];
        for (int i = 0; i < planned.Length; i++)
        {
            planned[i] = PlanForward(i, i, backward[i] && !_steps.IsAgain(i), _places, lastReads.First);
        }

        // Before any gradient is planned: what they may take the place of has to be known.
        var again = new PlannedNode?[_nodes.Count];
        foreach ((int node, int step, bool isAgain) in _steps.Backward)
        {
            if (isAgain)
            {
                again[node] = PlanForward(node, step, backward[node], _again, lastReads.Again);
            }
        }

        var passes = new List<BackwardStep>();
        foreach ((int node, int step, bool isAgain) in _steps.Backward)
        {
            PlannedNode there = again[node] ?? AmongAgain(node, planned[node]);
            passes.Add(new BackwardStep(
                there, step, isAgain ? PassKind.Again : backward[node] ? PassKind.Backward : PassKind.None));
            if (!isAgain && backward[node])
            {
                PlanBackward(node, there);
            }
        }

        foreach (Value value in _wanted)
        {
            if (!_gradients.TryGetValue(value, out PlannedTensor gradient))
            {
                throw new InvalidOperationException($"No gradient flows from the root to {value}.");
            }

            Extend(gradient, End + 1);
        }

        (long peak, long lowerBound) = Planner.Assign(_buffers);
        RequireAddressable(peak);
        return new Plan
        {
            Nodes = planned,
            Backward = passes,
            Buffers = _buffers,
            Values = graph.Inputs.Concat(_outputs).Distinct().ToDictionary(value => value, Planned),
            IndexRanges = FindIndexRanges().ToLookup(found => found.Input, found => found.Range),
            Gradients = _wanted.ToDictionary(value => value, value => _gradients[value]),
            WriteBacks = [.. graph.WriteBacks.Select(writeBack => (Planned(writeBack.Updated), Planned(writeBack.Buffer)))],
            Root = _root is null ? (Shape?)null : TypeOf(_root).Shape,
            PeakBytes = peak,
            LowerBoundBytes = lowerBound,
        };
    }

    /// <summary>Gives every value its type in numbers, and every node what its operator makes of them.</summary>
    private void BindTypes()
    {
        foreach (Node node in _nodes)
        {
            try
            {
                BindTypes(node);
            }
            catch (ShapeException refusal) when (node.Call is not null)
            {
                refusal.LeaveCall(node.Call);
                throw;
            }
        }
    }

    private void BindTypes(Node node)
    {
        Operator op = node.Op.Resolve(_symbols);
        NodeTypes types = Graph.Named(op, Array.ConvertAll(node.Inputs, TypeOf), NodeTypes.Of);
        for (int i = 0; i < node.Outputs.Length; i++)
        {
            if (node.Outputs[i].Shape.IsSymbolic)
            {
                types.Outputs[i].Shape.RequireAtMost(int.MaxValue, $"{op.Name}: an output");
                _symbols.Bind(node.Outputs[i].Shape, types.Outputs[i].Shape, op.Name);
            }

            _types.Add(node.Outputs[i], types.Outputs[i]);
        }

        _bound.Add((op, types));
    }

    /// <summary>Fails where no address space holds the arena: 2^47 bytes are what a process has on x64 and Arm64.</summary>
    private void RequireAddressable(long peak)
    {
        if (peak > 1L << 47)
        {
            Buffer largest = _buffers.MaxBy(buffer => buffer.Bytes)!;
            throw new ShapeException(string.Create(
                CultureInfo.InvariantCulture,
                $"{largest.Name}: the plan would take {peak:N0} bytes, {largest.Bytes:N0} of them for this alone; at most {1L << 47:N0} can be addressed. Use a smaller batch or smaller layers."));
        }
    }

    /// <summary>Inputs that operators index with, as they are or under another shape.</summary>
    private IEnumerable<(Value Input, IndexRange Range)> FindIndexRanges()
    {
        for (int i = 0; i < _nodes.Count; i++)
        {
            (Operator op, NodeTypes types) = _bound[i];
            for (int j = 0; j < types.Inputs.Length; j++)
            {
                if (op.IndexRange(j, types.Inputs) is { } range)
                {
                    Value value = _nodes[i].Inputs[j];
                    while (value.Producer is { Op: ViewOp or StopGradientOp } view)
                    {
                        value = view.Inputs[0];
                    }

                    if (value.Kind == ValueKind.Input)
                    {
                        yield return (value, range);
                    }
                }
            }
        }
    }

    private TensorType TypeOf(Value value)
    {
        if (!_types.TryGetValue(value, out TensorType type))
        {
            type = value.TensorType with { Shape = _symbols.Resolve(value.Shape) };
            _types.Add(value, type);
        }

        return type;
    }

    private void FindDifferentiable()
    {
        _differentiable.UnionWith(_wanted);
        foreach (Node node in _nodes)
        {
            for (int i = 0; i < node.Inputs.Length; i++)
            {
                Value input = node.Inputs[i];
                if (input.Kind == ValueKind.Parameter && _isTrained(input.Parameter!))
                {
                    _differentiable.Add(input);
                }

                if (node.Op.IsDifferentiable(i) && _differentiable.Contains(input))
                {
                    _differentiable.UnionWith(node.Outputs.Where(output => output.Type.IsFloat()));
                }
            }

            _needed.Add(new bool[node.Inputs.Length]);
            for (int i = 0; i < node.Inputs.Length; i++)
            {
                _needed[^1][i] = node.Op.IsDifferentiable(i) && _differentiable.Contains(node.Inputs[i]);
            }
        }
    }

    /// <summary>Which nodes have a backward step: the root depends on them and they on something differentiable.</summary>
    private bool[] FindBackward()
    {
        var backward = new bool[_nodes.Count];
        if (_root is null)
        {
            return backward;
        }

        var reached = new HashSet<Value> { _root };
        for (int i = _nodes.Count - 1; i >= 0; i--)
        {
            Node node = _nodes[i];
            if (Array.Exists(node.Outputs, output => reached.Contains(output) && _differentiable.Contains(output)))
            {
                backward[i] = true;
                for (int j = 0; j < node.Inputs.Length; j++)
                {
                    if (_needed[i][j])
                    {
                        reached.Add(node.Inputs[j]);
                    }
                }
            }
        }

        return backward;
    }

    /// <summary>Whether a node leaves something for its backward pass besides what that reads.</summary>
    private bool Keeps(int node)
    {
        (Operator op, NodeTypes types) = _bound[node];
        return op.SavedBytes(_planning, types, training: true) > 0 || op.SavedTensors(types, training: true).Length > 0;
    }

    /// <summary>
    /// The last step that reads each value under its own name, as it was computed first and where it is computed again; views are
    /// added to what they view.
    /// </summary>
    private LastReads FindLastReads(bool[] backward)
    {
        var last = new LastReads([], []);

        // Passes of backward see what was computed again, as far as it was.
        void Read(Value value, int step, bool again)
        {
            Dictionary<Value, int> reads = again && _steps.IsAgain(value) ? last.Again : last.First;
            reads[value] = Math.Max(step, reads.GetValueOrDefault(value, -1));
        }

        for (int i = 0; i < _nodes.Count; i++)
        {
            Node node = _nodes[i];
            bool inSegment = _steps.SegmentOf(i) != 0, isAgain = _steps.IsAgain(i);
            for (int j = 0; j < node.Inputs.Length; j++)
            {
                bool own = inSegment && node.Inputs[j].Segment == _steps.SegmentOf(i);
                Read(node.Inputs[j], i, again: false);
                if (isAgain)
                {
                    Read(node.Inputs[j], _steps.AgainOf(i), own);
                }

                if (backward[i] && node.Op.BackwardReadsInput(j, _needed[i]))
                {
                    Read(node.Inputs[j], _steps.BackwardOf(i), own);
                }
            }

            for (int j = 0; j < node.Outputs.Length; j++)
            {
                bool isRead = backward[i] && node.Op.BackwardReadsOutput(j, _needed[i]);
                Read(node.Outputs[j], isRead && !isAgain ? _steps.BackwardOf(i) : i, again: false);
                if (isAgain)
                {
                    Read(node.Outputs[j], isRead ? _steps.BackwardOf(i) : _steps.AgainOf(i), again: true);
                }
            }
        }

        foreach (Value output in _outputs)
        {
            Read(output, End + 1, again: false);
        }

        for (int i = _nodes.Count - 1; i >= 0; i--)
        {
            if (_nodes[i].Op.IsView)
            {
                Value viewed = _nodes[i].Inputs[0];
                Read(viewed, _nodes[i].Outputs.Max(output => last.First[output]), again: false);
                if (_steps.IsAgain(i))
                {
                    Read(
                        viewed, _nodes[i].Outputs.Max(output => last.Again[output]),
                        viewed.Segment == _steps.SegmentOf(i));
                }
            }
        }

        return last;
    }

    /// <summary>A node that is not computed again, in a segment where others are: its backward pass reads what those
    /// compute.</summary>
    private PlannedNode AmongAgain(int index, PlannedNode planned) =>
        _steps.SegmentOf(index) == 0 || !Array.Exists(_nodes[index].Inputs, input => IsOwnAgain(index, input))
            ? planned
            : new PlannedNode
            {
                Op = planned.Op,
                Layer = planned.Layer,
                Types = planned.Types,
                Inputs = [.. planned.Inputs.Select((place, i) => IsOwnAgain(index, _nodes[index].Inputs[i])
                    ? _again[_nodes[index].Inputs[i]]
                    : place)],
                Outputs = planned.Outputs,
            };

    /// <summary>Whether a node's input is computed again by its own segment.</summary>
    private bool IsOwnAgain(int index, Value input) => input.Segment == _steps.SegmentOf(index) && _again.ContainsKey(input);

    /// <summary>Plans a node's forward pass at a step: its first, or that for backward.</summary>
    /// <param name="keeps">Whether its backward pass follows and finds what it saves.</param>
    /// <param name="places">Receives its outputs' places.</param>
    private PlannedNode PlanForward(
        int index, int step, bool keeps, Dictionary<Value, PlannedTensor> places, Dictionary<Value, int> lastReads)
    {
        Node node = _nodes[index];
        (Operator op, NodeTypes types) = _bound[index];
        bool isAgain = places == _again;
        PlannedTensor Place(Value value) => isAgain && IsOwnAgain(index, value) ? _again[value] : Planned(value);
        PlannedTensor[] inputs = Array.ConvertAll(node.Inputs, Place);
        for (int i = 0; i < node.Outputs.Length; i++)
        {
            int last = lastReads[node.Outputs[i]];
            TensorType type = types.Outputs[i];
            PlannedTensor place = op.IsView ? new PlannedTensor(inputs[0].Place, type, inputs[0].Offset + op.ViewOffset(types, i))
                : i == 0 && ReuseInput(node, op, types, step, inputs) is { } reused ? reused with { Type = type }
                : NewPlace(op.Name, type, step, last);
            Extend(place, last);
            places[node.Outputs[i]] = place;
        }

        long saved = op.SavedBytes(_planning, types, keeps);
        int kept = keeps ? _steps.BackwardOf(index) : step;
        return new PlannedNode
        {
            Op = op,
            Layer = node.Outputs[0].Producer?.Layer,
            Types = types,
            Inputs = inputs,
            Outputs = Array.ConvertAll(node.Outputs, value => places[value]),
            Saved = saved == 0 ? null : Scratch(op.Name + " saved", saved, step, kept),
            SavedTensors = Array.ConvertAll(
                op.SavedTensors(types, keeps), type => NewPlace(op.Name + " saved", type, step, kept)),
            ForwardWorkspace = Workspace(op, op.ForwardWorkspaceBytes(_planning, types), step),
        };
    }

    /// <summary>
    /// The place of an input that this step reads last and that the operator may overwrite; the graph's own inputs stay as given.
    /// A cache is there to be overwritten.
    /// </summary>
    private PlannedTensor? ReuseInput(Node node, Operator op, NodeTypes types, int step, PlannedTensor[] inputs)
    {
        for (int i = 0; i < node.Inputs.Length; i++)
        {
            if (inputs[i].Place.Parameter is { IsCache: true } && op.ForwardInPlace(types, i))
            {
                return inputs[i];
            }

            if (op.ForwardInPlace(types, i) && inputs[i].Place.Buffer is { } buffer
                && buffer.Last <= step && inputs[i].Type.Bytes == types.Outputs[0].Bytes && !_inputBuffers.Contains(buffer)
                && IsAlone(inputs, i))
            {
                return inputs[i];
            }
        }

        return null;
    }

    // Another input may be the same value, or a view of it.
    private static bool IsAlone(PlannedTensor[] inputs, int input) =>
        inputs.Count(other => other.Place.Buffer == inputs[input].Place.Buffer) == 1;

    private static bool OccursOnce(Node node, Value input) =>
        Array.IndexOf(node.Inputs, input) == Array.LastIndexOf(node.Inputs, input);

    private void PlanBackward(int index, PlannedNode planned)
    {
        Node node = _nodes[index];
        int step = _steps.BackwardOf(index);
        planned.OutputGradients = Array.ConvertAll(node.Outputs, output => OutputGradient(output, step));
        PlannedTensor? dOutput = planned.OutputGradients[planned.Op.InPlaceOutput];
        var gradients = new PlannedTensor?[node.Inputs.Length];
        var accumulate = new bool[node.Inputs.Length];
        bool[] needed = _needed[index];
        bool shared = false;

        // Backwards, because an operator writes its later inputs' gradients before it may overwrite dOutput with the first's.
        for (int i = node.Inputs.Length - 1; i >= 0; i--)
        {
            if (!needed[i])
            {
                continue;
            }

            Value input = node.Inputs[i];
            if (!shared && dOutput is { Place.Kind: PlaceKind.Arena } place && !_gradients.ContainsKey(input)
                && input.Kind != ValueKind.Parameter
                && place.Type.Bytes == GradientType(input).Bytes && OccursOnce(node, input)
                && (planned.Op.IsView || planned.Op.BackwardInPlace(planned.Types, i)))
            {
                _gradients[input] = place with { Type = GradientType(input) };
                shared = true;
            }
            else
            {
                PlannedTensor gradient = Gradient(input, step);
                accumulate[i] = !_written.Add(gradient.Place);
                Extend(gradient, step);
            }

            gradients[i] = _gradients[input];
        }

        planned.InputGradients = gradients;
        planned.Accumulate = accumulate;
        planned.BackwardScratch = Array.ConvertAll(
            planned.Op.BackwardScratch(planned.Types, needed), type => NewPlace(planned.Op.Name + " scratch", type, step, step));
        planned.BackwardWorkspace = Workspace(
            planned.Op, planned.Op.BackwardWorkspaceBytes(_planning, planned.Types, needed), step);
    }

    /// <summary>The gradient that arrives at an output; null where none does. The root's arrives from outside.</summary>
    private PlannedTensor? OutputGradient(Value output, int step)
    {
        if (output != _root && !_gradients.ContainsKey(output))
        {
            return null;
        }

        PlannedTensor gradient = Gradient(output, step);
        Extend(gradient, step);
        return gradient;
    }

    /// <summary>
    /// The type of a value's gradient: float32 whatever float the value is, so that the gradients of several consumers are added
    /// by the float32 kernels, and are not rounded between them.
    /// </summary>
    private TensorType GradientType(Value value) => TypeOf(value) with { Type = DType.Float32 };

    /// <summary>Where a value's gradient lies; a new place if this step is the first to touch it.</summary>
    private PlannedTensor Gradient(Value value, int step)
    {
        if (!_gradients.TryGetValue(value, out PlannedTensor gradient))
        {
            TensorType type = GradientType(value);
            gradient = value.Kind == ValueKind.Parameter
                ? new PlannedTensor(new Place(PlaceKind.ParameterGradient, parameter: value.Parameter), type)
                : value == _root ? new PlannedTensor(new Place(PlaceKind.RootGradient), type)
                : NewPlace("gradient", type, step, step);
            _gradients.Add(value, gradient);
        }

        return gradient;
    }

    private PlannedTensor Planned(Value value)
    {
        if (!_places.TryGetValue(value, out PlannedTensor tensor))
        {
            Place place = value.Kind switch
            {
                ValueKind.Parameter => new Place(PlaceKind.Parameter, parameter: value.Parameter),
                ValueKind.Constant => new Place(PlaceKind.Constant, data: value.Data),
                ValueKind.StepCounter => new Place(PlaceKind.StepCounter),
                _ => throw new InvalidOperationException($"{value} is used before it is computed."),
            };
            tensor = new PlannedTensor(place, TypeOf(value));
            _places.Add(value, tensor);
        }

        return tensor;
    }

    private PlannedTensor NewPlace(string name, TensorType type, int first, int last)
    {
        // Kernels count elements in 32 bits; bytes of untyped memory they do not.
        if (type.Type != DType.UInt8)
        {
            type.Shape.RequireAtMost(int.MaxValue, name);
        }

        return new PlannedTensor(new Place(PlaceKind.Arena, NewBuffer(name, type.Bytes, first, last)), type);
    }

    private Buffer NewBuffer(string name, long bytes, int first, int last)
    {
        var buffer = new Buffer(name, bytes, first, last);
        _buffers.Add(buffer);
        return buffer;
    }

    private PlannedTensor? Workspace(Operator op, long bytes, int step) =>
        bytes == 0 ? null : Scratch(op.Name + " workspace", bytes, step, step);

    /// <summary>
    /// Untyped memory; its shape says how many bytes, in rows of a mebibyte where they are more than an extent can be.
    /// </summary>
    private PlannedTensor Scratch(string name, long bytes, int first, int last)
    {
        const int Row = 1 << 20;
        var shape = bytes <= int.MaxValue ? new Shape((int)bytes) : new Shape(checked((int)((bytes + Row - 1) / Row)), Row);
        return NewPlace(name, new TensorType(shape, DType.UInt8), first, last);
    }

    private static void Extend(PlannedTensor tensor, int step)
    {
        if (tensor.Place.Buffer is { } buffer)
        {
            buffer.Last = Math.Max(buffer.Last, step);
        }
    }

    /// <summary>The last steps that read values as they were computed first, and where they are computed again.</summary>
    private sealed record LastReads(Dictionary<Value, int> First, Dictionary<Value, int> Again);
}
