using FastNN.Ops;
using FastNN.Tensors;

namespace FastNN.Graphs;

/// <summary>What a place in memory is.</summary>
internal enum PlaceKind
{
    Arena,
    Parameter,
    ParameterGradient,
    Constant,
    StepCounter,
    RootGradient,
}

/// <summary>Where a tensor will lie: a place in the arena, or memory that outlives the plan.</summary>
internal sealed class Place(PlaceKind kind, Buffer? buffer = null, Parameter? parameter = null, ConstantData? data = null)
{
    public PlaceKind Kind { get; } = kind;

    public Buffer? Buffer { get; } = buffer;

    public Parameter? Parameter { get; } = parameter;

    /// <summary>What a constant holds.</summary>
    public ConstantData? Data { get; } = data;
}

/// <summary>A tensor to be bound: its place, the bytes from there to its beginning, and its type.</summary>
internal readonly record struct PlannedTensor(Place Place, TensorType Type, long Offset = 0);

/// <summary>A node with all its tensors' places; the executor walks these forward, and <see cref="Plan.Backward"/> after
/// them.</summary>
internal sealed class PlannedNode
{
    /// <summary>What it computes, with numbers for all symbols.</summary>
    public required Operator Op { get; init; }

    /// <summary>The innermost layer that recorded its first output; null for what no layer recorded.</summary>
    public object? Layer { get; init; }

    public required NodeTypes Types { get; init; }

    public required PlannedTensor[] Inputs { get; init; }

    public required PlannedTensor[] Outputs { get; init; }

    public PlannedTensor? Saved { get; init; }

    public PlannedTensor[] SavedTensors { get; init; } = [];

    public PlannedTensor[] BackwardScratch { get; set; } = [];

    public PlannedTensor? ForwardWorkspace { get; init; }

    public PlannedTensor? BackwardWorkspace { get; set; }

    /// <summary>Null for outputs whose gradient nobody gives; empty where no backward step is planned.</summary>
    public PlannedTensor?[] OutputGradients { get; set; } = [];

    public bool HasBackward => OutputGradients.Length > 0;

    public PlannedTensor?[] InputGradients { get; set; } = [];

    public bool[] Accumulate { get; set; } = [];
}

/// <summary>What happens at a step of a backward pass.</summary>
internal enum PassKind
{
    /// <summary>Nothing: no gradient flows through the node.</summary>
    None,

    /// <summary>The node's gradients.</summary>
    Backward,

    /// <summary>The node's outputs once more, of a segment that does not keep them.</summary>
    Again,
}

/// <summary>A step of a backward pass.</summary>
/// <param name="Node">Which node, with the tensors that it has there.</param>
/// <param name="Step">Its number.</param>
/// <param name="Kind">What happens.</param>
internal readonly record struct BackwardStep(PlannedNode Node, int Step, PassKind Kind);

/// <summary>A compiled graph: nodes in order and one arena that holds every tensor between them.</summary>
internal sealed class Plan
{
    public required IReadOnlyList<PlannedNode> Nodes { get; init; }

    /// <summary>The steps of the backward pass in order, those in which nothing happens included.</summary>
    public required IReadOnlyList<BackwardStep> Backward { get; init; }

    public required IReadOnlyList<Buffer> Buffers { get; init; }

    /// <summary>Whether a GPU can be given a run as a whole: no operator works on the host.</summary>
    public bool IsCapturable => !Nodes.Any(node => node.Op.NeedsHost);

    /// <summary>The graph's inputs and the requested outputs.</summary>
    public required IReadOnlyDictionary<Value, PlannedTensor> Values { get; init; }

    /// <summary>What inputs may hold that operators index with; checked on the host where they are written.</summary>
    public required ILookup<Value, IndexRange> IndexRanges { get; init; }

    /// <summary>Gradients that were asked for by value, of inputs for example.</summary>
    public required IReadOnlyDictionary<Value, PlannedTensor> Gradients { get; init; }

    /// <summary>What is copied to buffers at the end of a training step.</summary>
    public required IReadOnlyList<(PlannedTensor From, PlannedTensor To)> WriteBacks { get; init; }

    /// <summary>The shape of the root that backward starts from, or null in inference.</summary>
    public required Shape? Root { get; init; }

    /// <summary>The steps of a forward pass, as profiles show them.</summary>
    public StepDescription[] ForwardSteps => field ??= StepDescription.Forward(this);

    /// <summary>The steps of a backward pass, likewise.</summary>
    public StepDescription[] BackwardSteps => field ??= StepDescription.Backward(this);

    /// <summary>Bytes of the arena.</summary>
    public required long PeakBytes { get; init; }

    /// <summary>The largest sum of bytes alive at one step: no plan can be smaller.</summary>
    public required long LowerBoundBytes { get; init; }
}
