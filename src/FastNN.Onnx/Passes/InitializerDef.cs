using System.Buffers;
using FastNN.Onnx.Model;
using FastNN.Onnx.Wire;

namespace FastNN.Onnx.Passes;

/// <summary>Makes initializers of tensors in memory, whose elements are not copied, and attributes.</summary>
internal static class InitializerDef
{
    /// <summary>An initializer with these elements, of a type of whole bytes.</summary>
    public static TensorDef Of(string name, OnnxTensor value)
    {
        Content content = Content.OfMemory(new ArrayMemory(value).Memory, name);
        var tensor = new TensorDef
        {
            Name = name,
            Type = value.ElementType,
            Content = content,
            Raw = new ByteRange(content, 0, content.Length),
            Value = value,
        };
        tensor.Dims.AddRange(value.Dims.Select(extent => (long)extent));
        return tensor;
    }

    /// <summary>Whether an initializer can be made of a tensor: its elements lie in memory as they lie in a file.</summary>
    public static bool CanHold(OnnxTensor value) => value.ElementType.Bits() >= 8 && BitConverter.IsLittleEndian;

    /// <summary>A copy of a node with other names of values, where these are renamed, and other attributes.</summary>
    public static NodeDef Renamed(
        NodeDef node, Dictionary<string, string> names, Func<AttributeDef, AttributeDef> attributeOf)
    {
        return new NodeDef
        {
            Name = node.Name,
            Operator = node.Operator,
            Domain = node.Domain,
            Overload = node.Overload,
            Inputs = node.Inputs.ConvertAll(name => names.GetValueOrDefault(name, name)),
            Outputs = node.Outputs.ConvertAll(name => names.GetValueOrDefault(name, name)),
            Attributes = node.Attributes.ToDictionary(
                attribute => attribute.Key, attribute => attributeOf(attribute.Value), StringComparer.Ordinal),
            Offset = node.Offset,
            Opset = node.Opset,
        };
    }

    public static AttributeDef Int(string name, long value) => new() { Name = name, Kind = AttributeKind.Int, Int = value };

    public static AttributeDef Float(string name, float value) =>
        new() { Name = name, Kind = AttributeKind.Float, Float = value };

    public static AttributeDef Text(string name, string value) =>
        new() { Name = name, Kind = AttributeKind.String, String = System.Text.Encoding.UTF8.GetBytes(value) };

    public static AttributeDef Ints(string name, params ReadOnlySpan<long> values)
    {
        var attribute = new AttributeDef { Name = name, Kind = AttributeKind.Ints };
        attribute.Ints.AddRange(values);
        return attribute;
    }

    public static AttributeDef Body(string name, GraphDef graph) =>
        new() { Name = name, Kind = AttributeKind.Graph, Graph = graph };

    /// <summary>The elements of a tensor as bytes.</summary>
    private sealed class ArrayMemory(OnnxTensor value) : MemoryManager<byte>
    {
        public override Span<byte> GetSpan() => value.Bytes();

        public override MemoryHandle Pin(int elementIndex = 0) => throw new NotSupportedException();

        public override void Unpin()
        {
        }

        protected override void Dispose(bool disposing)
        {
        }
    }
}
