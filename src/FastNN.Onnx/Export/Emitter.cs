using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using FastNN.Onnx.Model;
using FastNN.Onnx.Wire;

namespace FastNN.Onnx.Export;

/// <summary>
/// Takes the nodes and initializers of the file to be, each tensor under a name of its own. Initializers are parameters, and what
/// was computed of them; everything else that is known is a Constant node, written once where two are equal.
/// </summary>
/// <param name="opset">The version of the standard's operators that the nodes are of.</param>
internal sealed class Emitter(long opset)
{
    private readonly HashSet<string> _names = new(StringComparer.Ordinal);
    private readonly Dictionary<string, int> _counts = new(StringComparer.Ordinal);
    private readonly Dictionary<string, string> _constants = new(StringComparer.Ordinal);

    public long Opset => opset;

    public List<NodeDef> Nodes { get; } = [];

    public List<TensorDef> Initializers { get; } = [];

    /// <summary>A node with one output, whose name it gives. An empty input is one that is left out.</summary>
    public string Add(string name, string[] inputs, params AttributeDef[] attributes) => AddMany(name, inputs, 1, attributes)[0];

    /// <summary>A node of inputs alone.</summary>
    public string Op(string name, params string[] inputs) => Add(name, inputs);

    /// <summary>A node with several outputs.</summary>
    public string[] AddMany(string name, string[] inputs, int outputs, params AttributeDef[] attributes)
    {
        string title = Next(name);
        string[] results = outputs == 1
            ? [title]
            : [.. Enumerable.Range(0, outputs).Select(i => Reserve($"{title}_{i.ToString(CultureInfo.InvariantCulture)}"))];
        Nodes.Add(new NodeDef
        {
            Name = title,
            Operator = name,
            Inputs = [.. inputs],
            Outputs = [.. results],
            Attributes = attributes.ToDictionary(attribute => attribute.Name, StringComparer.Ordinal),
        });
        return results;
    }

    /// <summary>A name that nothing has yet: the one wanted, or that with a number.</summary>
    public string Reserve(string wanted)
    {
        string name = wanted;
        for (int i = 1; !_names.Add(name); i++)
        {
            name = $"{wanted}.{i.ToString(CultureInfo.InvariantCulture)}";
        }

        return name;
    }

    /// <summary>An initializer.</summary>
    /// <param name="name">Its name; another is taken where something has it.</param>
    /// <param name="bytes">The elements, little-endian; kept, not copied.</param>
    /// <returns>Its name.</returns>
    public string Initializer(string name, OnnxElementType type, ReadOnlyMemory<byte> bytes, ReadOnlySpan<long> dims)
    {
        TensorDef tensor = Tensor(Reserve(name), type, bytes, dims);
        Initializers.Add(tensor);
        return tensor.Name;
    }

    /// <summary>A tensor that is no parameter.</summary>
    /// <param name="bytes">The elements, little-endian; kept, not copied.</param>
    public string Constant(OnnxElementType type, ReadOnlyMemory<byte> bytes, ReadOnlySpan<long> dims) => Add(
        "Constant", [],
        new AttributeDef { Name = "value", Kind = AttributeKind.Tensor, Tensor = Tensor("", type, bytes, dims) });

    /// <summary>A list of integers, as shapes and axes are.</summary>
    public string Longs(params long[] values) =>
        Shared($"longs {string.Join(' ', values)}", OnnxElementType.Int64, MemoryMarshal.AsBytes(values.AsSpan()),
            values.Length);

    /// <summary>One integer, of no axis.</summary>
    public string Long(long value) => Shared($"long {value}", OnnxElementType.Int64, MemoryMarshal.AsBytes([value]));

    /// <summary>A number.</summary>
    public string Number(double value) => Number(value, OnnxElementType.Float32);

    /// <summary>A number of a type.</summary>
    public string Number(double value, OnnxElementType type)
    {
        ReadOnlySpan<byte> bytes = type switch
        {
            OnnxElementType.Float32 => MemoryMarshal.AsBytes([(float)value]),
            OnnxElementType.Float64 => MemoryMarshal.AsBytes([value]),
            OnnxElementType.Float16 => MemoryMarshal.AsBytes([(Half)value]),
            OnnxElementType.BFloat16 => MemoryMarshal.AsBytes([(ushort)(BitConverter.SingleToUInt32Bits((float)value) >> 16)]),
            OnnxElementType.Int32 => MemoryMarshal.AsBytes([(int)value]),
            OnnxElementType.Int64 => MemoryMarshal.AsBytes([(long)value]),
            _ => [(byte)(sbyte)value],
        };
        return Shared($"{type} {Convert.ToHexString(bytes)}", type, bytes);
    }

    /// <summary>A vector of equal numbers.</summary>
    public string Filled(int count, float value)
    {
        var values = new float[count];
        Array.Fill(values, value);
        return Shared($"filled {count} {value:R}", OnnxElementType.Float32, MemoryMarshal.AsBytes(values.AsSpan()), count);
    }

    /// <summary>Numbers that follow from sizes, such as weights of an interpolation.</summary>
    public string Floats(float[] values, params long[] dims) =>
        Constant(OnnxElementType.Float32, MemoryMarshal.AsBytes(values.AsSpan()).ToArray(), dims);

    /// <summary>Numbers that were computed of parameters.</summary>
    public string Weights(string name, float[] values, params long[] dims) =>
        Initializer(name, OnnxElementType.Float32, MemoryMarshal.AsBytes(values.AsSpan()).ToArray(), dims);

    /// <summary>An average or other fold along axes, which are an input or an attribute as the opset has it.</summary>
    public string Reduce(string name, string x, long[] axes, bool keepDims)
    {
        AttributeDef keep = Attribute("keepdims", keepDims ? 1 : 0);
        return opset >= 18 || name == "ReduceSum"
            ? Add(name, [x, Longs(axes)], keep)
            : Add(name, [x], keep, Attribute("axes", axes));
    }

    /// <summary>The axes in another order; nothing where that is the order that they have.</summary>
    public string Transpose(string x, params int[] order)
    {
        for (int i = 0; i < order.Length; i++)
        {
            if (order[i] != i)
            {
                return Add("Transpose", [x], Attribute("perm", Array.ConvertAll(order, axis => (long)axis)));
            }
        }

        return x;
    }

    /// <summary>New axes of extent 1, at these places of the result.</summary>
    public string Unsqueeze(string x, params long[] axes) => axes.Length == 0 ? x : Op("Unsqueeze", x, Longs(axes));

    /// <summary>Every so many elements along one axis.</summary>
    public string Slice(string x, int axis, long start, long end, long step = 1) =>
        Op("Slice", x, Longs(start), Longs(end), Longs(axis), Longs(step));

    public string Concat(int axis, params string[] parts) =>
        parts.Length == 1 ? parts[0] : Add("Concat", parts, Attribute("axis", axis));

    public string Cast(string x, OnnxElementType type) => Add("Cast", [x], Attribute("to", (long)type));

    public static AttributeDef Attribute(string name, long value) =>
        new() { Name = name, Kind = AttributeKind.Int, Int = value };

    public static AttributeDef Attribute(string name, float value) =>
        new() { Name = name, Kind = AttributeKind.Float, Float = value };

    public static AttributeDef Attribute(string name, string value) =>
        new() { Name = name, Kind = AttributeKind.String, String = Encoding.UTF8.GetBytes(value) };

    public static AttributeDef Attribute(string name, IEnumerable<long> values)
    {
        var attribute = new AttributeDef { Name = name, Kind = AttributeKind.Ints };
        attribute.Ints.AddRange(values);
        return attribute;
    }

    private string Shared(string key, OnnxElementType type, ReadOnlySpan<byte> bytes, params ReadOnlySpan<long> dims)
    {
        if (!_constants.TryGetValue(key, out string? name))
        {
            name = Constant(type, bytes.ToArray(), dims);
            _constants.Add(key, name);
        }

        return name;
    }

    private static TensorDef Tensor(string name, OnnxElementType type, ReadOnlyMemory<byte> bytes, ReadOnlySpan<long> dims)
    {
        Content content = Content.OfMemory(bytes, name);
        var tensor = new TensorDef
        {
            Name = name,
            Type = type,
            Content = content,
            Raw = new ByteRange(content, 0, bytes.Length),
        };
        tensor.Dims.AddRange(dims);
        return tensor;
    }

    private string Next(string name)
    {
        string title;
        do
        {
            int count = _counts.GetValueOrDefault(name);
            _counts[name] = count + 1;
            title = $"{name}_{count.ToString(CultureInfo.InvariantCulture)}";
        }
        while (_names.Contains(title));
        return Reserve(title);
    }
}
