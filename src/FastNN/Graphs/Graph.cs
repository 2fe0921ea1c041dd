using System.Globalization;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using FastNN.Graphs;
using FastNN.Ops;
using FastNN.Tensors;

namespace FastNN;

/// <summary>What a graph is recorded for.</summary>
public enum GraphMode
{
    /// <summary>Forward, backward and update: dropout drops.</summary>
    Training,

    /// <summary>Forward alone: dropout is the identity.</summary>
    Inference,
}

/// <summary>
/// A recording of operators. Layers and fluent calls add to it; it is then compiled into plans. Values are symbolic: nothing is
/// computed while recording, and extents that are given as symbols (<see cref="Dim"/>) get their numbers from the plan, so that
/// one recording serves all batch sizes.
/// </summary>
public sealed class Graph
{
    private readonly List<Node> _nodes = [];
    private readonly List<Value> _inputs = [];
    private readonly Dictionary<Parameter, Value> _parameters = [];
    private readonly Dictionary<Parameter, Value> _substitutes = [];
    private readonly List<(Value Buffer, Value Updated)> _writeBacks = [];
    private readonly SampleTypes _samples = new();
    private Value? _stepCounter;
    private int _segment;
    private int _segments;
    private uint _streams;
    private string? _call;

    /// <summary>An empty graph.</summary>
    /// <param name="mode">Training or inference.</param>
    /// <param name="seed">Keys the random numbers of dropout.</param>
    public Graph(GraphMode mode, ulong seed = 0)
    {
        Mode = mode;
        Seed = seed;
    }

    /// <summary>What this graph is recorded for.</summary>
    public GraphMode Mode { get; }

    /// <summary>Keys the random numbers of dropout.</summary>
    public ulong Seed { get; }

    internal IReadOnlyList<Node> Nodes => _nodes;

    /// <summary>Notes which layer records what; null where nobody asks.</summary>
    internal RecordingTrace? Trace { get; init; }

    /// <summary>Makes the recording compute new positions alone; null for whole sequences.</summary>
    internal Decoding? Decoding { get; set; }

    /// <summary>
    /// May put other values in the place of the outputs of everything that reports them while it is recorded; null for none.
    /// </summary>
    internal Func<object, IReadOnlyList<Value>, IReadOnlyList<Value>>? Tap { get; set; }

    /// <summary>The innermost layer that is being recorded.</summary>
    internal object? Layer { get; set; }

    /// <summary>How many layers are being recorded in one another.</summary>
    internal int LayerDepth { get; set; }

    internal IReadOnlyList<Value> Inputs => _inputs;

    /// <summary>The parameters that the recording uses, in the order of their first use.</summary>
    internal IReadOnlyCollection<Parameter> Parameters => _parameters.Keys;

    /// <summary>Penalties on parameters, to be added to the loss.</summary>
    internal Dictionary<Value, Value> Penalties { get; } = [];

    /// <summary>What replaces the values of buffers at the end of a training step, such as running statistics.</summary>
    internal IReadOnlyList<(Value Buffer, Value Updated)> WriteBacks => _writeBacks;

    /// <summary>Int32 [2], the low and high half of the step count; the trainer keeps it in device memory.</summary>
    internal Value StepCounter =>
        _stepCounter ??= new Value(this, new TensorType(new Shape(2), DType.Int32), ValueKind.StepCounter, "The step counter");

    /// <summary>Adds an input.</summary>
    /// <param name="shape">Its shape, batch axis included; extents may be symbols: <c>[Dim.Batch, 28, 28, 1]</c>.</param>
    /// <param name="type">Float32 for features and probabilities, Int32 for class indices.</param>
    /// <param name="name">What sessions call it; default "input" for the first, "input1" for the second and so on.</param>
    /// <returns>The input as a value.</returns>
    /// <exception cref="ArgumentOutOfRangeException">The type is not a member of the enumeration.</exception>
    /// <exception cref="ArgumentException">Another input has the name.</exception>
    public Value Input(Shape shape, DType type = DType.Float32, string? name = null)
    {
        type.Traits();
        name ??= _inputs.Count == 0 ? "input" : string.Create(CultureInfo.InvariantCulture, $"input{_inputs.Count}");
        if (_inputs.Exists(input => input.Name == name))
        {
            throw new ArgumentException($"Graph: there is an input '{name}' already; give each its own name.", nameof(name));
        }

        var value = new Value(this, new TensorType(shape, type), ValueKind.Input, "An input") { Name = name };
        _inputs.Add(value);

        // An operator may have a symbol among its attributes before any has an input with it: Expand of a constant.
        _samples.Register(shape);
        return value;
    }

    /// <summary>
    /// A parameter as a value of this graph; the same parameter always gives the same value, so layers share weights by sharing
    /// parameters.
    /// </summary>
    /// <param name="parameter">The parameter.</param>
    /// <returns>Its value.</returns>
    public Value Use(Parameter parameter)
    {
        ArgumentNullException.ThrowIfNull(parameter);
        if (_substitutes.TryGetValue(parameter, out Value? value))
        {
            return value;
        }

        if (!_parameters.TryGetValue(parameter, out value))
        {
            value = new Value(this, new TensorType(parameter.Shape), ValueKind.Parameter,
                $"Parameter {parameter.Name}")
            { Parameter = parameter };
            _parameters.Add(parameter, value);
        }

        return value;
    }

    /// <summary>From here on the parameter is a value that is computed from others.</summary>
    internal void Substitute(Parameter parameter, Value value) => _substitutes[parameter] = value;

    /// <summary>Whether the parameter is computed from others.</summary>
    internal bool IsSubstituted(Parameter parameter) => _substitutes.ContainsKey(parameter);

    /// <summary>Where large constants are kept that other recordings have too; null where each keeps its own.</summary>
    internal ConstantPool? Constants { get; init; }

    /// <summary>A constant.</summary>
    /// <param name="values">One number per element, in row-major order; copied.</param>
    /// <param name="shape">Its shape.</param>
    /// <returns>Its value.</returns>
    /// <exception cref="ShapeException">The number of values is not the shape's.</exception>
    public Value Constant(ReadOnlySpan<float> values, Shape shape) => AddConstant(values, new TensorType(shape));

    /// <summary>A constant of integers, such as indices.</summary>
    /// <param name="values">One number per element, in row-major order; copied.</param>
    /// <param name="shape">Its shape.</param>
    /// <returns>Its value.</returns>
    /// <exception cref="ShapeException">The number of values is not the shape's.</exception>
    public Value ConstantInt32(ReadOnlySpan<int> values, Shape shape) => AddConstant(values, new TensorType(shape, DType.Int32));

    /// <summary>A constant number, of shape [].</summary>
    /// <param name="value">The number.</param>
    /// <returns>Its value.</returns>
    public Value Constant(float value) => Constant([value], default);

    /// <summary>
    /// Records a segment whose activations are not kept for backward: they are computed again there, from the segment's inputs,
    /// bit for bit (Chen et al., 2016; PyTorch's checkpoint). It takes less memory for one more forward pass of the segment;
    /// segments within a segment count as part of it. Inference is as without it.
    /// </summary>
    /// <param name="record">Records the segment with calls on values of this graph.</param>
    /// <returns>What it returned.</returns>
    public Value Recomputed(Func<Value> record)
    {
        ArgumentNullException.ThrowIfNull(record);
        if (_segment != 0)
        {
            return record();
        }

        _segment = ++_segments;
        try
        {
            return record();
        }
        finally
        {
            _segment = 0;
        }
    }

    /// <summary>Adds a node of an operator with one output.</summary>
    internal Value Add(Operator op, params ReadOnlySpan<Value> inputs)
    {
        Value[] outputs = AddNode(op, inputs);
        return outputs.Length == 1 ? outputs[0] : throw new InvalidOperationException($"{op.Name} has {outputs.Length} outputs.");
    }

    /// <summary>Adds a node.</summary>
    /// <returns>Its outputs.</returns>
    /// <exception cref="ShapeException">The operator does not take these inputs.</exception>
    internal Value[] AddNode(Operator op, params ReadOnlySpan<Value> inputs)
    {
        var types = new TensorType[inputs.Length];
        for (int i = 0; i < inputs.Length; i++)
        {
            ArgumentNullException.ThrowIfNull(inputs[i], nameof(inputs));
            if (inputs[i].Graph != this)
            {
                throw new ArgumentException($"{op.Name}: input {i} belongs to another graph.");
            }

            types[i] = inputs[i].TensorType;
        }

        var node = new Node(op, inputs.ToArray(), []) { Call = _call, Layer = Layer };
        FeatureOrder?[] orders = Array.ConvertAll(node.Inputs, input => input.Features);
        node.Outputs = Array.ConvertAll(
            Named(op, types, _samples.Infer),
            type =>
                new Value(this, type, ValueKind.Intermediate, $"{op.Name}: an output")
                {
                    Producer = node,
                    Segment = _segment,
                    Features = op.Features(
                    types, orders, type)
                });
        _nodes.Add(node);
        Trace?.Add(node);
        return node.Outputs;
    }

    /// <summary>
    /// Records a call that is made of several operators: what they refuse, now or when the graph is planned, names the call. Of
    /// calls inside one another that is the outermost, which the user made.
    /// </summary>
    /// <param name="record">Records them.</param>
    /// <param name="call">The name of the call.</param>
    internal T Compose<T>(Func<T> record, [CallerMemberName] string call = "")
    {
        string? outer = _call;
        _call ??= call;
        try
        {
            return record();
        }
        catch (ShapeException refusal) when (outer is null)
        {
            refusal.LeaveCall(call);
            throw;
        }
        finally
        {
            _call = outer;
        }
    }

    /// <summary>What an operator makes of its inputs' types.</summary>
    /// <exception cref="ShapeException">The operator does not take these inputs; the message names it.</exception>
    internal static T Named<T>(Operator op, TensorType[] types, Func<Operator, TensorType[], T> infer)
    {
        try
        {
            return infer(op, types);
        }
        catch (ShapeException exception) when (!exception.Message.StartsWith(op.Name, StringComparison.Ordinal))
        {
            // What a shape says of itself knows no operator.
            throw new ShapeException($"{op.Name} of {string.Join(", ", types)}: {exception.Message}");
        }
    }

    /// <summary>
    /// At the end of a training step, unless its loss or its gradients are not finite, a buffer takes a value that the step
    /// computed.
    /// </summary>
    /// <param name="buffer">The buffer as a value of this graph: <c>graph.Use(buffer)</c>.</param>
    /// <param name="updated">What it becomes, of the same type.</param>
    /// <exception cref="ShapeException">The types differ, or it is not a buffer.</exception>
    public void WriteBack(Value buffer, Value updated)
    {
        ArgumentNullException.ThrowIfNull(buffer);
        ArgumentNullException.ThrowIfNull(updated);
        if (buffer.Graph != this || updated.Graph != this || buffer.Kind != ValueKind.Parameter
            || buffer.TensorType != updated.TensorType)
        {
            throw new ShapeException(
                $"Graph: expected a buffer of this graph of type {updated.TensorType} to write back to, got {buffer}.");
        }

        if (Mode == GraphMode.Training)
        {
            _writeBacks.Add((buffer, updated));
        }
    }

    /// <summary>A number that tells the random streams of this graph apart, in recording order.</summary>
    internal uint NextStream() => _streams++;

    /// <summary>A constant whose elements are made when a device places them.</summary>
    internal Value Constant(ConstantData data, TensorType type)
    {
        if (type.Shape.Count * type.Type.Size() != data.Length)
        {
            throw new ShapeException(
                $"Constant: expected {type.Shape.Count * type.Type.Size()} bytes for {type}, got {data.Length}.");
        }

        return AddConstant(data, type);
    }

    private Value AddConstant(ConstantData data, TensorType type) =>
        new(this, type, ValueKind.Constant, "A constant") { Data = Constants?.Intern(data) ?? data };

    private Value AddConstant<T>(ReadOnlySpan<T> values, TensorType type)
        where T : unmanaged
    {
        if (type.Shape.Count != values.Length)
        {
            throw new ShapeException(
                $"Constant: expected {type.Shape.Count} values for shape {type.Shape}, got {values.Length}.");
        }

        return AddConstant(new ConstantBytes(MemoryMarshal.AsBytes(values).ToArray()), type);
    }
}

/// <summary>Where a value lives.</summary>
internal enum ValueKind
{
    Input,
    Parameter,
    Constant,
    Intermediate,
    StepCounter,
}

/// <summary>
/// A tensor to be: the result of an operator, an input, a constant or a parameter of a <see cref="FastNN.Graph"/>.
/// </summary>
public sealed class Value
{
    internal Value(Graph graph, TensorType type, ValueKind kind, string what)
    {
        // Most kernels count elements in 32 bits. Every tensor of a plan begins as a value, so this is the one place that has to
        // check; where a shape has symbols, the plan asks again with numbers.
        if (!type.Shape.IsSymbolic)
        {
            type.Shape.RequireAtMost(int.MaxValue, what);
        }

        Graph = graph;
        TensorType = type;
        Kind = kind;
    }

    /// <summary>The graph it belongs to.</summary>
    public Graph Graph { get; }

    /// <summary>Its shape, batch axis included; extents may be symbols.</summary>
    public Shape Shape => TensorType.Shape;

    /// <summary>Its element type.</summary>
    public DType Type => TensorType.Type;

    /// <summary>The name of an input, else null.</summary>
    public string? Name { get; internal init; }

    internal TensorType TensorType { get; }

    internal ValueKind Kind { get; }

    internal Parameter? Parameter { get; init; }

    /// <summary>The value whose memory it shows; itself unless it is a view.</summary>
    internal Value Origin
    {
        get
        {
            Value origin = this;
            while (origin.Producer is { Op.IsView: true } view)
            {
                origin = view.Inputs[0];
            }

            return origin;
        }
    }

    /// <summary>The elements of a constant.</summary>
    internal ConstantData? Data { get; init; }

    /// <summary>The node that computes it; null for what no node does.</summary>
    internal Node? Producer { get; init; }

    /// <summary>The segment that is computed again for backward, from 1; 0 for none.</summary>
    internal int Segment { get; init; }

    /// <summary>
    /// What the places along the last axis are, where images were flattened into it; settled while recording, through every
    /// operator that keeps features in their places.
    /// </summary>
    internal FeatureOrder? Features { get; init; }

    /// <summary>The [H, W, C] of the image that was flattened into the last axis, where there is nothing else in it.</summary>
    internal Shape? FlattenedImage => Features?.Image;

    /// <inheritdoc/>
    public override string ToString() =>
        Parameter is { } parameter ? $"{parameter.Name} {Shape}" : $"{Producer?.Op.Name ?? Kind.ToString()} {Shape}";
}

/// <summary>One operator applied to values. Passes replace nodes; a node itself does not change once it is recorded.</summary>
internal sealed class Node(Operator op, Value[] inputs, Value[] outputs)
{
    /// <summary>The call of several operators that recorded it among others; null for a call of its own.</summary>
    public string? Call { get; init; }

    /// <summary>The innermost layer that recorded it; null for what no layer recorded, and in nodes that passes make.</summary>
    public object? Layer { get; init; }

    public Operator Op { get; } = op;

    public Value[] Inputs { get; } = inputs;

    public Value[] Outputs { get; set; } = outputs;

    /// <summary>The output of an operator that has one.</summary>
    public Value Output => Outputs[0];
}
