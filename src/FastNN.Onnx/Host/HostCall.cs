using System.Globalization;
using System.Text;
using FastNN.Onnx.Model;

namespace FastNN.Onnx.Host;

/// <summary>Computes a node's outputs from its inputs.</summary>
internal delegate OnnxValue?[] HostKernel(HostCall call);

/// <summary>One call of a node: its inputs, its attributes, and the errors that name it.</summary>
internal sealed class HostCall(HostNode node, OnnxValue?[] inputs, HostFrame frame)
{
    public NodeDef Node => node.Definition;

    public HostFrame Frame => frame;

    /// <summary>The opset that the node is written in.</summary>
    public long Opset => node.Opset;

    public int InputCount => inputs.Length;

    public int OutputCount => node.Outputs.Length;

    /// <summary>Random numbers of nodes without a seed of their own; the same in every run of a session's model.</summary>
    public ulong NodeSeed => (ulong)(uint)node.Index;

    /// <summary>Whether an output has a reader.</summary>
    public bool Wants(int output) => output < node.Outputs.Length && node.Outputs[output] >= 0;

    public bool Has(int input) => input < inputs.Length && inputs[input] is not null;

    public OnnxValue? Value(int input) => input < inputs.Length ? inputs[input] : null;

    /// <summary>An input that is a tensor.</summary>
    /// <exception cref="OnnxException">It is missing, or no tensor.</exception>
    public OnnxTensor Tensor(int input) => Optional(input)
        ?? throw Error(string.Create(CultureInfo.InvariantCulture, $"input {input}"), "none");

    /// <summary>An input that is a tensor, or not there.</summary>
    public OnnxTensor? Optional(int input) => Value(input) switch
    {
        null => null,
        OnnxTensor tensor => tensor,
        OnnxOptional { Value: OnnxTensor tensor } => tensor,
        { } other => throw Error(string.Create(CultureInfo.InvariantCulture, $"a tensor as input {input}"), other.ToString()!),
    };

    /// <summary>An input that is a sequence.</summary>
    public OnnxSequence Sequence(int input) => Value(input) switch
    {
        OnnxSequence sequence => sequence,
        OnnxOptional { Value: OnnxSequence sequence } => sequence,
        var other => throw Error(string.Create(CultureInfo.InvariantCulture, $"a sequence as input {input}"), other?.ToString()
            ?? "none"),
    };

    /// <summary>An input of integers, such as axes; null where it is not there.</summary>
    public long[]? Longs(int input)
    {
        OnnxTensor? tensor = Optional(input);
        return tensor?.Data switch
        {
            null => null,
            long[] longs => longs,
            int[] ints => Array.ConvertAll(ints, i => (long)i),
            sbyte[] or short[] or byte[] or ushort[] or uint[] => (long[])Numbers.Convert(tensor, OnnxElementType.Int64).Data,
            _ => throw Error(string.Create(CultureInfo.InvariantCulture, $"integers as input {input}"), tensor!.ToString()),
        };
    }

    /// <summary>An input of one integer; null where it is not there.</summary>
    public long? Long(int input) => Longs(input) is not { } longs ? null
        : longs.Length == 1 ? longs[0]
        : throw Error(string.Create(CultureInfo.InvariantCulture, $"one integer as input {input}"), Tensor(input).ToString());

    /// <summary>An input of one number; null where it is not there.</summary>
    public double? Number(int input) => Optional(input) is not { } tensor ? null
        : tensor.Count == 1 ? ((double[])Numbers.Convert(tensor, OnnxElementType.Float64).Data)[0]
        : throw Error(string.Create(CultureInfo.InvariantCulture, $"one number as input {input}"), tensor.ToString());

    public bool HasAttribute(string name) => Node.Attributes.ContainsKey(name);

    public AttributeDef? Attribute(string name, AttributeKind kind) =>
        !Node.Attributes.TryGetValue(name, out AttributeDef? attribute) ? null
        : attribute.Kind == kind ? attribute
        : throw Error($"attribute '{name}' of kind {kind}", attribute.Kind.ToString());

    public long Int(string name, long otherwise) => Attribute(name, AttributeKind.Int)?.Int ?? otherwise;

    public bool Flag(string name) => Int(name, 0) != 0;

    public float Float(string name, float otherwise) => Attribute(name, AttributeKind.Float)?.Float ?? otherwise;

    public string Text(string name, string otherwise) =>
        Attribute(name, AttributeKind.String) is { } attribute ? Encoding.UTF8.GetString(attribute.String) : otherwise;

    /// <summary>A list of integers; null where the node has none.</summary>
    public long[]? Ints(string name) => Attribute(name, AttributeKind.Ints)?.Ints.ToArray();

    public float[]? Floats(string name) => Attribute(name, AttributeKind.Floats)?.Floats.ToArray();

    public string[]? Texts(string name) =>
        Attribute(name, AttributeKind.Strings)?.Strings.ConvertAll(Encoding.UTF8.GetString).ToArray();

    /// <summary>A tensor among the attributes.</summary>
    public OnnxTensor? TensorAttribute(string name) =>
        Attribute(name, AttributeKind.Tensor) is { Tensor: { } tensor } ? TensorDecoder.Decode(tensor, frame.External) : null;

    /// <summary>Runs a graph among the attributes with these inputs.</summary>
    public OnnxValue?[] Run(string graph, params OnnxValue?[] arguments)
    {
        HostGraph body = node.Bodies.TryGetValue(graph, out HostGraph? found) ? found : throw Error($"a graph '{graph}'", "none");
        if (arguments.Length != body.Inputs.Length)
        {
            throw Error(string.Create(CultureInfo.InvariantCulture, $"a graph '{graph}' with {arguments.Length} inputs"),
                string.Create(CultureInfo.InvariantCulture, $"one with {body.Inputs.Length}"));
        }

        return body.Run(arguments, frame);
    }

    /// <summary>The outputs of a graph among the attributes.</summary>
    public int OutputsOf(string graph) => node.Bodies.TryGetValue(graph, out HostGraph? body) ? body.Outputs.Length : 0;

    /// <summary>An axis from -rank to rank - 1, as one from 0.</summary>
    public int Axis(long axis, int rank)
    {
        return axis >= -rank && axis < rank
            ? (int)(axis < 0 ? axis + rank : axis)
            : throw Error(string.Create(CultureInfo.InvariantCulture, $"an axis from {-rank} to {rank - 1}"),
                string.Create(CultureInfo.InvariantCulture, $"{axis}"));
    }

    /// <summary>The same call with another value for one input.</summary>
    public HostCall With(int input, OnnxValue value)
    {
        var others = (OnnxValue?[])inputs.Clone();
        others[input] = value;
        return new HostCall(node, others, frame);
    }

    /// <summary>The same node with other inputs; those that are no values are left out.</summary>
    public HostCall With(object?[] others) => new(node, Array.ConvertAll(others, other => other as OnnxValue), frame);

    /// <summary>What follows from the node's attributes alone: made at the node's first call, then kept.</summary>
    public T Prepared<T>(Func<HostCall, T> make)
        where T : class => node.Prepared(() => make(this));

    /// <summary>Runs the node's kernel on this call's inputs.</summary>
    public OnnxValue?[] Rerun() => node.Kernel(this);

    /// <summary>What is wrong with this call.</summary>
    public OnnxException Error(string expected, string got) =>
        new($"{Node.Title}: expected {expected}, got {got}; inputs: {List(inputs)}.");

    /// <summary>Values as messages list them.</summary>
    public static string List(OnnxValue?[] values) => string.Join(", ", values.Select(value => value?.ToString() ?? "none"));

    public OnnxException Unsupported(string what) => new($"{Node.Title}: {what} is not supported.");

    public static OnnxValue?[] One(OnnxValue value) => [value];
}
