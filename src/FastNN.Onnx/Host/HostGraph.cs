using FastNN.Onnx.Model;

namespace FastNN.Onnx.Host;

/// <summary>A node that is ready to run: its kernel, and the slots of its inputs and outputs (-1 where there is none).</summary>
internal sealed record HostNode(int Index, NodeDef Definition, long Opset, HostKernel Kernel, int[] Inputs, int[] Outputs)
{
    /// <summary>Slots that no later node reads.</summary>
    public int[] LastUses { get; set; } = [];

    /// <summary>The graphs among its attributes.</summary>
    public Dictionary<string, HostGraph> Bodies { get; init; } = new(StringComparer.Ordinal);

    /// <summary>The body of a function that the model brings along; null for an operator.</summary>
    public HostGraph? Function { get; init; }

    private object? _prepared;

    /// <summary>What a kernel makes of the attributes at its first call, kept for the calls that follow.</summary>
    // Two callers at once may both make it; one of the equal results stays.
    public T Prepared<T>(Func<T> make)
        where T : class => (T)(Volatile.Read(ref _prepared)
            ?? Interlocked.CompareExchange(ref _prepared, make(), null) ?? _prepared);
}

/// <summary>A value that does not change from run to run, opened when it is first asked for.</summary>
internal sealed class HostConstant
{
    private readonly TensorDef? _definition;
    private readonly ExternalData? _external;
    private OnnxTensor? _value;

    /// <param name="slot">Where it goes.</param>
    /// <param name="definition">As it stands in the file.</param>
    /// <param name="external">Where the bytes of tensors outside the file are; null where there can be none.</param>
    /// <exception cref="FileFormatException">Type, extents and bytes do not belong together.</exception>
    public HostConstant(int slot, TensorDef definition, ExternalData? external)
    {
        TensorDecoder.Check(definition, external);
        (Slot, _definition, _external) = (slot, definition, external);
    }

    /// <param name="slot">Where it goes.</param>
    /// <param name="value">The value.</param>
    public HostConstant(int slot, OnnxTensor value) => (Slot, _value) = (slot, value);

    public int Slot { get; }

    // Two callers at once may both open it; one of the equal results stays.
    public OnnxTensor Value => _value
        ?? Interlocked.CompareExchange(ref _value, TensorDecoder.Open(_definition!, _external), null) ?? _value;

    public void Deconstruct(out int slot, out OnnxTensor value) => (slot, value) = (Slot, Value);
}

/// <summary>The values of one run of a graph.</summary>
internal sealed class HostFrame(ExternalData? external, int slots)
{
    public ExternalData? External => external;

    /// <summary>What runs the graphs within this one on an engine where that is faster; null where the host runs all.</summary>
    public IBodyRunner? Bodies { get; init; }

    public OnnxValue?[] Slots { get; } = new OnnxValue?[slots];
}

/// <summary>Runs bodies of branches, loops and functions in the place of the host.</summary>
internal interface IBodyRunner
{
    /// <summary>The body's outputs; null where the host is to run it.</summary>
    OnnxValue?[]? Run(HostGraph body, OnnxValue?[] arguments, HostFrame outer);
}

/// <summary>
/// A graph that runs on the host, node by node, in the types that the model asks for. It serves what is small or rare: shape
/// arithmetic, control flow, integers, double precision; networks are compiled instead.
/// </summary>
internal sealed class HostGraph
{
    public required int SlotCount { get; init; }

    public required int[] Inputs { get; init; }

    public required int[] Outputs { get; init; }

    /// <summary>What the graph reads of the one around it: the slot there, the slot here.</summary>
    public required IReadOnlyList<(int From, int To)> Captures { get; init; }

    /// <summary>Values that do not change from run to run.</summary>
    public required IReadOnlyList<HostConstant> Constants { get; init; }

    public required IReadOnlyList<HostNode> Nodes { get; init; }

    /// <summary>Runs the graph; values without a later reader are let go on the way.</summary>
    public OnnxValue?[] Run(OnnxValue?[] arguments, HostFrame? outer, ExternalData? external = null)
    {
        if (outer?.Bodies?.Run(this, arguments, outer) is { } outputs)
        {
            return outputs;
        }

        var inner = new HostFrame(outer?.External ?? external, SlotCount) { Bodies = outer?.Bodies };
        HostFrame frame = Enter(arguments, outer, inner);
        foreach (HostNode node in Nodes)
        {
            Run(node, frame);
            foreach (int slot in node.LastUses)
            {
                frame.Slots[slot] = null;
            }
        }

        return Leave(frame);
    }

    /// <summary>Puts constants, captured values and arguments into a frame.</summary>
    public HostFrame Enter(OnnxValue?[] arguments, HostFrame? outer, HostFrame frame)
    {
        foreach ((int slot, OnnxTensor value) in Constants)
        {
            frame.Slots[slot] = value;
        }

        foreach ((int from, int to) in Captures)
        {
            frame.Slots[to] = outer!.Slots[from];
        }

        for (int i = 0; i < Inputs.Length; i++)
        {
            // An initializer is the default of an input of its name.
            frame.Slots[Inputs[i]] = arguments[i] ?? frame.Slots[Inputs[i]];
        }

        return frame;
    }

    /// <summary>The outputs in a frame whose nodes have run.</summary>
    public OnnxValue?[] Leave(HostFrame frame) => Array.ConvertAll(Outputs, slot => frame.Slots[slot]);

    /// <summary>Runs a node on a frame's values.</summary>
    public static void Run(HostNode node, HostFrame frame)
    {
        OnnxValue?[] inputs = Array.ConvertAll(node.Inputs, slot => slot < 0 ? null : frame.Slots[slot]);
        OnnxValue?[] outputs = Narrowing.Call(node, inputs, frame);
        if (outputs.Length < node.Outputs.Length && Array.Exists(node.Outputs[outputs.Length..], slot => slot >= 0))
        {
            throw new OnnxException(
                $"{node.Definition.Title}: expected at most {outputs.Length} outputs, the model has {node.Outputs.Length}.");
        }

        for (int i = 0; i < node.Outputs.Length; i++)
        {
            if (node.Outputs[i] >= 0)
            {
                frame.Slots[node.Outputs[i]] = outputs[i];
            }
        }
    }
}
