using FastNN.Kernels;

namespace FastNN.Graphs;

/// <summary>
/// Turns a recorded graph into a plan: drops what no output needs, fuses, decides which gradients exist and who writes or adds to
/// them, works out every buffer's lifetime over forward and backward, shares memory in place where operators allow it, and lets
/// the planner assign offsets. Steps are numbered 0..F-1 forward and F..2F-1 backward, node i's backward being step 2F-1-i.
/// </summary>
internal sealed class Compiler
{
    private readonly IKernels _kernels;
    private readonly List<Node> _nodes;
    private readonly Value[] _outputs;
    private readonly Value? _root;
    private readonly HashSet<Value> _wanted;
    private readonly List<Buffer> _buffers = [];
    private readonly Dictionary<Value, Place> _places = [];
    private readonly Dictionary<Value, Place> _gradients = [];
    private readonly HashSet<Place> _written = [];
    private readonly HashSet<Buffer> _inputBuffers = [];
    private readonly HashSet<Value> _differentiable = [];

    private Compiler(IKernels kernels, Graph graph, Value[] outputs, Value? root, Value[] wantedGradients)
    {
        _kernels = kernels;
        _outputs = outputs;
        _root = root;
        _wanted = [.. wantedGradients];
        _nodes = Fusion.Run(Reachable(graph.Nodes, outputs), outputs, root);
    }

    private int End => (2 * _nodes.Count) - 1;

    /// <summary>Compiles a graph.</summary>
    /// <param name="kernels">The device, asked for workspace sizes only.</param>
    /// <param name="graph">The recording.</param>
    /// <param name="outputs">Values to be read after a run; the root is one of them.</param>
    /// <param name="root">What backward differentiates, or null for inference.</param>
    /// <param name="wantedGradients">Inputs whose gradients are to be read after a run.</param>
    public static Plan Compile(IKernels kernels, Graph graph, Value[] outputs, Value? root = null, params Value[] wantedGradients)
    {
        var compiler = new Compiler(kernels, graph, outputs, root, wantedGradients);
        return compiler.Build(graph);
    }

    private static List<Node> Reachable(IReadOnlyList<Node> nodes, Value[] outputs)
    {
        var needed = new HashSet<Value>(outputs);
        var reachable = new List<Node>();
        for (int i = nodes.Count - 1; i >= 0; i--)
        {
            if (needed.Contains(nodes[i].Output))
            {
                reachable.Add(nodes[i]);
                needed.UnionWith(nodes[i].Inputs);
            }
        }

        reachable.Reverse();
        return reachable;
    }

    private Plan Build(Graph graph)
    {
        FindDifferentiable();
        bool[] backward = FindBackward();
        Dictionary<Value, int> lastReads = FindLastReads(backward);
        foreach (Value input in graph.Inputs)
        {
            // Inputs are filled before step 0, so they exist from there on.
            _places[input] = NewBuffer("input", Bytes(input), 0, lastReads.GetValueOrDefault(input));
            _inputBuffers.Add(_places[input].Buffer!);
        }

        var planned = new PlannedNode[_nodes.Count];
        for (int i = 0; i < planned.Length; i++)
        {
            planned[i] = PlanForward(i, backward[i], lastReads);
        }

        for (int i = planned.Length - 1; i >= 0; i--)
        {
            if (backward[i])
            {
                PlanBackward(i, planned[i]);
            }
        }

        foreach (Value value in _wanted)
        {
            Place place = _gradients.GetValueOrDefault(value)
                ?? throw new InvalidOperationException($"No gradient flows from the root to {value}.");
            if (place.Buffer is { } buffer)
            {
                buffer.Last = End + 1;
            }
        }

        (long peak, long lowerBound) = Planner.Assign(_buffers);
        return new Plan
        {
            Nodes = planned,
            Buffers = _buffers,
            Values = graph.Inputs.Concat(_outputs).Distinct().ToDictionary(value => value, Planned),
            Gradients = _wanted.ToDictionary(value => value, value => new PlannedTensor(_gradients[value], value.Shape, DType.Float32)),
            Root = _root?.Shape,
            PeakBytes = peak,
            LowerBoundBytes = lowerBound,
        };
    }

    private void FindDifferentiable()
    {
        _differentiable.UnionWith(_wanted);
        foreach (Node node in _nodes)
        {
            for (int i = 0; i < node.Inputs.Length; i++)
            {
                Value input = node.Inputs[i];
                if (input.Kind == ValueKind.Parameter && input.Parameter!.IsTrainable)
                {
                    _differentiable.Add(input);
                }

                if (node.Op.IsDifferentiable(i) && _differentiable.Contains(input))
                {
                    _differentiable.Add(node.Output);
                }
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
            if (reached.Contains(node.Output) && _differentiable.Contains(node.Output))
            {
                backward[i] = true;
                for (int j = 0; j < node.Inputs.Length; j++)
                {
                    if (NeedsGradient(node, j))
                    {
                        reached.Add(node.Inputs[j]);
                    }
                }
            }
        }

        return backward;
    }

    private bool NeedsGradient(Node node, int input) => node.Op.IsDifferentiable(input) && _differentiable.Contains(node.Inputs[input]);

    /// <summary>The last step that reads each value under its own name; views are added to what they view.</summary>
    private Dictionary<Value, int> FindLastReads(bool[] backward)
    {
        var last = new Dictionary<Value, int>();
        void Read(Value value, int step) => last[value] = Math.Max(step, last.GetValueOrDefault(value, -1));

        for (int i = 0; i < _nodes.Count; i++)
        {
            Node node = _nodes[i];
            for (int j = 0; j < node.Inputs.Length; j++)
            {
                Read(node.Inputs[j], i);
                if (backward[i] && node.Op.BackwardReadsInput(j))
                {
                    Read(node.Inputs[j], End - i);
                }
            }

            Read(node.Output, backward[i] && node.Op.BackwardReadsOutput ? End - i : i);
        }

        foreach (Value output in _outputs)
        {
            Read(output, End + 1);
        }

        for (int i = _nodes.Count - 1; i >= 0; i--)
        {
            if (_nodes[i].Op.IsView)
            {
                Read(_nodes[i].Inputs[0], last[_nodes[i].Output]);
            }
        }

        return last;
    }

    private PlannedNode PlanForward(int step, bool backward, Dictionary<Value, int> lastReads)
    {
        Node node = _nodes[step];
        PlannedTensor[] inputs = Array.ConvertAll(node.Inputs, Planned);
        int last = lastReads[node.Output];
        Place output = node.Op.IsView ? inputs[0].Place : ReuseInput(node, step) ?? NewBuffer(node.Op.Name, Bytes(node.Output), step, last);
        if (output.Buffer is { } buffer)
        {
            buffer.Last = Math.Max(buffer.Last, last);
        }

        _places[node.Output] = output;
        long saved = node.Op.SavedBytes(_kernels, backward);
        return new PlannedNode
        {
            Node = node,
            Inputs = inputs,
            Output = Planned(node.Output),
            Saved = saved == 0 ? null : Scratch(node.Op.Name + " saved", saved, step, backward ? End - step : step),
            ForwardWorkspace = Workspace(node, node.Op.ForwardWorkspaceBytes(_kernels), step),
        };
    }

    /// <summary>
    /// The place of an input that this step reads last and that the operator may overwrite; the graph's own inputs stay as given.
    /// </summary>
    private Place? ReuseInput(Node node, int step)
    {
        for (int i = 0; i < node.Inputs.Length; i++)
        {
            Value input = node.Inputs[i];
            if (node.Op.ForwardInPlace(i) && _places.TryGetValue(input, out Place? place) && place.Buffer is { } buffer
                && buffer.Last <= step && Bytes(input) == Bytes(node.Output) && !_inputBuffers.Contains(buffer)
                && Array.IndexOf(node.Inputs, input) == Array.LastIndexOf(node.Inputs, input))
            {
                return place;
            }
        }

        return null;
    }

    private void PlanBackward(int index, PlannedNode planned)
    {
        Node node = _nodes[index];
        int step = End - index;
        Place dOutput = Gradient(node.Output, step);
        Extend(dOutput, step);
        var gradients = new PlannedTensor?[node.Inputs.Length];
        var accumulate = new bool[node.Inputs.Length];
        var needed = new bool[node.Inputs.Length];

        // Backwards, because an operator writes its later inputs' gradients before it may overwrite dOutput with the first's.
        for (int i = node.Inputs.Length - 1; i >= 0; i--)
        {
            if (!NeedsGradient(node, i))
            {
                continue;
            }

            Value input = node.Inputs[i];
            needed[i] = true;
            if (!_gradients.ContainsKey(input) && dOutput.Kind == PlaceKind.Arena && input.Kind != ValueKind.Parameter
                && (node.Op.IsView || node.Op.BackwardInPlace(i)))
            {
                _gradients[input] = dOutput;
            }
            else
            {
                Place place = Gradient(input, step);
                accumulate[i] = !_written.Add(place);
                Extend(place, step);
            }

            gradients[i] = new PlannedTensor(_gradients[input], input.Shape, DType.Float32);
        }

        planned.OutputGradient = new PlannedTensor(dOutput, node.Output.Shape, DType.Float32);
        planned.InputGradients = gradients;
        planned.Accumulate = accumulate;
        planned.BackwardWorkspace = Workspace(node, node.Op.BackwardWorkspaceBytes(_kernels, needed), step);
    }

    /// <summary>Where a value's gradient lies; a new place if this step is the first to touch it.</summary>
    private Place Gradient(Value value, int step)
    {
        if (!_gradients.TryGetValue(value, out Place? place))
        {
            place = value.Kind == ValueKind.Parameter ? new Place(PlaceKind.ParameterGradient, parameter: value.Parameter)
                : value == _root ? new Place(PlaceKind.RootGradient)
                : NewBuffer("gradient", Bytes(value), step, step);
            _gradients.Add(value, place);
        }

        return place;
    }

    private PlannedTensor Planned(Value value)
    {
        if (!_places.TryGetValue(value, out Place? place))
        {
            place = value.Kind switch
            {
                ValueKind.Parameter => new Place(PlaceKind.Parameter, parameter: value.Parameter),
                ValueKind.StepCounter => new Place(PlaceKind.StepCounter),
                _ => throw new InvalidOperationException($"{value} is used before it is computed."),
            };
            _places.Add(value, place);
        }

        return new PlannedTensor(place, value.Shape, value.Type);
    }

    private Place NewBuffer(string name, long bytes, int first, int last)
    {
        var buffer = new Buffer(name, bytes, first, last);
        _buffers.Add(buffer);
        return new Place(PlaceKind.Arena, buffer);
    }

    private PlannedTensor? Workspace(Node node, long bytes, int step) =>
        bytes == 0 ? null : Scratch(node.Op.Name + " workspace", bytes, step, step);

    private PlannedTensor Scratch(string name, long bytes, int first, int last) =>
        new(NewBuffer(name, bytes, first, last), new Shape(checked((int)bytes)), DType.UInt8);

    private static long Bytes(Value value) => value.Shape.Count * value.Type.Size();

    private static void Extend(Place place, int step)
    {
        if (place.Buffer is { } buffer)
        {
            buffer.Last = Math.Max(buffer.Last, step);
        }
    }
}
