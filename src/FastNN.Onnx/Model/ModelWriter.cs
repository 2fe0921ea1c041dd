using FastNN.Formats;
using FastNN.Onnx.Wire;

namespace FastNN.Onnx.Model;

/// <summary>Writes the standard's messages, field by field as <see cref="ModelReader"/> reads them.</summary>
internal static class ModelWriter
{
    public static ReadOnlyMemory<byte> Write(ModelDef model)
    {
        var writer = new WireWriter();
        writer.Int64(1, model.IrVersion);
        writer.Text(2, model.Producer);
        writer.Text(3, model.ProducerVersion);
        writer.Text(4, model.Domain);
        writer.Int64(5, model.Version);
        writer.Text(6, model.Documentation);
        writer.Message(7, inner => Write(inner, model.Graph!));
        Opsets(writer, 8, model.Opsets);
        foreach ((string key, string value) in model.Metadata)
        {
            writer.Message(14, inner => Pair(inner, key, value));
        }

        foreach (FunctionDef function in model.Functions)
        {
            writer.Message(25, inner => Write(inner, function));
        }

        return writer.Written;
    }

    private static void Write(WireWriter writer, GraphDef graph)
    {
        foreach (NodeDef node in graph.Nodes)
        {
            writer.Message(1, inner => Write(inner, node));
        }

        writer.Text(2, graph.Name);
        foreach (TensorDef tensor in graph.Initializers)
        {
            writer.Message(5, inner => Write(inner, tensor));
        }

        foreach (SparseTensorDef sparse in graph.SparseInitializers)
        {
            writer.Message(15, inner => Write(inner, sparse));
        }

        Values(writer, 11, graph.Inputs);
        Values(writer, 12, graph.Outputs);
        Values(writer, 13, graph.Values);
    }

    private static void Write(WireWriter writer, NodeDef node)
    {
        // An empty name in a list is an input or output that is not there, and counts.
        foreach (string input in node.Inputs)
        {
            writer.Element(1, input);
        }

        foreach (string output in node.Outputs)
        {
            writer.Element(2, output);
        }

        writer.Text(3, node.Name);
        writer.Text(4, node.Operator);
        foreach (AttributeDef attribute in node.Attributes.Values)
        {
            writer.Message(5, inner => Write(inner, attribute));
        }

        writer.Text(7, node.Domain);
        writer.Text(8, node.Overload);
    }

    private static void Write(WireWriter writer, AttributeDef attribute)
    {
        writer.Text(1, attribute.Name);
        switch (attribute.Kind)
        {
            case AttributeKind.Float:
                writer.Single(2, attribute.Float);
                break;
            case AttributeKind.Int:
                writer.Int64(3, attribute.Int);
                break;
            case AttributeKind.String:
                writer.Bytes(4, attribute.String);
                break;
            case AttributeKind.Tensor when attribute.Tensor is { } tensor:
                writer.Message(5, inner => Write(inner, tensor));
                break;
            case AttributeKind.Graph when attribute.Graph is { } graph:
                writer.Message(6, inner => Write(inner, graph));
                break;
            case AttributeKind.SparseTensor when attribute.Sparse is { } sparse:
                writer.Message(22, inner => Write(inner, sparse));
                break;
            case AttributeKind.Type when attribute.Type is { } type:
                writer.Message(14, inner => Write(inner, type));
                break;
        }

        foreach (float value in attribute.Floats)
        {
            writer.Single(7, value);
        }

        foreach (long value in attribute.Ints)
        {
            writer.Int64(8, value);
        }

        foreach (byte[] value in attribute.Strings)
        {
            writer.Bytes(9, value);
        }

        foreach (TensorDef tensor in attribute.Tensors)
        {
            writer.Message(10, inner => Write(inner, tensor));
        }

        foreach (GraphDef graph in attribute.Graphs)
        {
            writer.Message(11, inner => Write(inner, graph));
        }

        writer.Int64(20, (long)attribute.Kind);
        writer.Text(21, attribute.Reference);
    }

    private static void Write(WireWriter writer, TensorDef tensor)
    {
        writer.Packed(1, tensor.Dims);
        writer.Int64(2, (long)tensor.Type);
        foreach ((int field, ByteRange range) in tensor.Lists)
        {
            // What was read as one element goes out as a packed list of one, which means the same.
            writer.Bytes(field, range.Content.Slice(range.Offset, checked((int)range.Length)));
        }

        writer.Text(8, tensor.Name);
        if (tensor.Raw is { } raw)
        {
            writer.Bytes(9, raw.Content.Slice(raw.Offset, checked((int)raw.Length)));
        }

        if (tensor.External is { } external)
        {
            foreach ((string key, string value) in external)
            {
                writer.Message(13, inner => Pair(inner, key, value));
            }

            writer.Int64(14, 1);
        }
    }

    private static void Write(WireWriter writer, SparseTensorDef sparse)
    {
        if (sparse.Values is { } values)
        {
            writer.Message(1, inner => Write(inner, values));
        }

        if (sparse.Indices is { } indices)
        {
            writer.Message(2, inner => Write(inner, indices));
        }

        writer.Packed(3, sparse.Dims);
    }

    private static void Values(WireWriter writer, int field, List<ValueDef> values)
    {
        foreach (ValueDef value in values)
        {
            writer.Message(field, inner =>
            {
                inner.Text(1, value.Name);
                if (value.Type is { } type)
                {
                    inner.Message(2, typed => Write(typed, type));
                }
            });
        }
    }

    private static void Write(WireWriter writer, TypeDef type)
    {
        if (type.SequenceOf is { } sequence)
        {
            writer.Message(4, inner => inner.Message(1, element => Write(element, sequence)));
        }
        else if (type.OptionalOf is { } optional)
        {
            writer.Message(9, inner => inner.Message(1, element => Write(element, optional)));
        }
        else if (type.MapOf is { } map)
        {
            writer.Message(5, inner =>
            {
                inner.Int64(1, (long)type.MapKey);
                inner.Message(2, element => Write(element, map));
            });
        }
        else if (type.Element != OnnxElementType.Undefined)
        {
            writer.Message(1, inner =>
            {
                inner.Int64(1, (long)type.Element);
                if (type.Shape is { } shape)
                {
                    inner.Message(2, dims => Write(dims, shape));
                }
            });
        }
    }

    private static void Write(WireWriter writer, List<DimensionDef> shape)
    {
        foreach (DimensionDef dimension in shape)
        {
            writer.Message(1, inner =>
            {
                if (dimension.IsKnown)
                {
                    inner.Int64(1, dimension.Value);
                }
                else
                {
                    inner.Text(2, dimension.Symbol ?? "");
                }
            });
        }
    }

    private static void Write(WireWriter writer, FunctionDef function)
    {
        writer.Text(1, function.Name);
        foreach (string input in function.Inputs)
        {
            writer.Text(4, input);
        }

        foreach (string output in function.Outputs)
        {
            writer.Text(5, output);
        }

        foreach (NodeDef node in function.Nodes)
        {
            writer.Message(7, inner => Write(inner, node));
        }

        Opsets(writer, 9, function.Opsets);
        writer.Text(10, function.Domain);
        foreach (AttributeDef attribute in function.Defaults)
        {
            writer.Message(11, inner => Write(inner, attribute));
        }

        writer.Text(13, function.Overload);
    }

    private static void Opsets(WireWriter writer, int field, Dictionary<string, long> opsets)
    {
        foreach ((string domain, long version) in opsets)
        {
            writer.Message(field, inner =>
            {
                inner.Text(1, domain);
                inner.Int64(2, version);
            });
        }
    }

    private static void Pair(WireWriter writer, string key, string value)
    {
        writer.Text(1, key);
        writer.Text(2, value);
    }
}
