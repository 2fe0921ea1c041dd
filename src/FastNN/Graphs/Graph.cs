using FastNN.Ops;

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
/// A recording of operators for fixed input shapes. Layers and fluent calls add to it; it is then compiled once into a plan.
/// Values are symbolic: nothing is computed while recording.
/// </summary>
public sealed class Graph
{
    private readonly List<Node> _nodes = [];
    private readonly List<Value> _inputs = [];
    private readonly Dictionary<Parameter, Value> _parameters = [];
    private Value? _stepCounter;
    private uint _streams;

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

    internal IReadOnlyList<Value> Inputs => _inputs;

    /// <summary>Penalties on parameters, to be added to the loss.</summary>
    internal Dictionary<Value, Value> Penalties { get; } = [];

    /// <summary>Int32 [2], the low and high half of the step count; the trainer keeps it in device memory.</summary>
    internal Value StepCounter => _stepCounter ??= new Value(this, new Shape(2), DType.Int32, ValueKind.StepCounter, "The step counter");

    /// <summary>Adds an input.</summary>
    /// <param name="shape">Its shape, batch axis included.</param>
    /// <param name="type">Float32 for features and probabilities, Int32 for class indices.</param>
    /// <returns>The input as a value.</returns>
    public Value Input(Shape shape, DType type = DType.Float32)
    {
        var value = new Value(this, shape, type, ValueKind.Input, "An input");
        _inputs.Add(value);
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
        if (!_parameters.TryGetValue(parameter, out Value? value))
        {
            value = new Value(this, parameter.Shape, DType.Float32, ValueKind.Parameter, $"Parameter {parameter.Name}") { Parameter = parameter };
            _parameters.Add(parameter, value);
        }

        return value;
    }

    internal Value Add(Operator op, params ReadOnlySpan<Value> inputs) => Add(op, null, inputs);

    internal Value Add(Operator op, Shape? flattenedImage, params ReadOnlySpan<Value> inputs)
    {
        var shapes = new Shape[inputs.Length];
        for (int i = 0; i < inputs.Length; i++)
        {
            if (inputs[i].Graph != this)
            {
                throw new ArgumentException($"{op.Name}: input {i} belongs to another graph.");
            }

            shapes[i] = inputs[i].Shape;
        }

        var output = new Value(this, op.InferShape(shapes), DType.Float32, ValueKind.Intermediate, $"{op.Name}: an output") { FlattenedImage = flattenedImage };
        _nodes.Add(new Node(op, inputs.ToArray(), output));
        return output;
    }

    /// <summary>A number that tells the random streams of this graph apart, in recording order.</summary>
    internal uint NextStream() => _streams++;
}

/// <summary>Where a value lives.</summary>
internal enum ValueKind
{
    Input,
    Parameter,
    Intermediate,
    StepCounter,
}

/// <summary>A tensor to be: the result of an operator, an input or a parameter of a <see cref="FastNN.Graph"/>.</summary>
public sealed class Value
{
    internal Value(Graph graph, Shape shape, DType type, ValueKind kind, string what)
    {
        // Kernels count elements in 32 bits. Every tensor of a plan begins as a value, so this is the one place that has to check.
        shape.RequireAtMost(int.MaxValue, what);
        Graph = graph;
        Shape = shape;
        Type = type;
        Kind = kind;
    }

    /// <summary>The graph it belongs to.</summary>
    public Graph Graph { get; }

    /// <summary>Its shape, batch axis included.</summary>
    public Shape Shape { get; }

    /// <summary>Its element type.</summary>
    public DType Type { get; }

    internal ValueKind Kind { get; }

    internal Parameter? Parameter { get; init; }

    /// <summary>
    /// For a flattened image, the [H, W, C] it had: a dense layer behind it orders its weights' rows by it, and files by [C, H,
    /// W].
    /// </summary>
    internal Shape? FlattenedImage { get; init; }

    /// <inheritdoc/>
    public override string ToString() => Parameter is { } parameter ? $"{parameter.Name} {Shape}" : $"{Kind} {Shape}";
}

/// <summary>One operator applied to values.</summary>
internal sealed record Node(Operator Op, Value[] Inputs, Value Output);
