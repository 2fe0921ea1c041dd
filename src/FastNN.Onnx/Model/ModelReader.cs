using FastNN.Onnx.Wire;

namespace FastNN.Onnx.Model;

/// <summary>
/// Reads the standard's messages. Fields that no reader here needs (documentation of nodes, quantization annotations, device
/// configurations) are gone over; what is read is kept as it stands.
/// </summary>
internal static class ModelReader
{
    /// <exception cref="FileFormatException">The content is not an ONNX model.</exception>
    public static ModelDef Read(Content content)
    {
        var model = new ModelDef();
        WireReader reader = WireReader.Of(content);
        while (reader.Next())
        {
            switch (reader.Field)
            {
                case 1: model.IrVersion = reader.Int64(); break;
                case 2: model.Producer = reader.Text(); break;
                case 3: model.ProducerVersion = reader.Text(); break;
                case 4: model.Domain = reader.Text(); break;
                case 5: model.Version = reader.Int64(); break;
                case 6: model.Documentation = reader.Text(); break;
                case 7: model.Graph = Graph(reader.Message(), content); break;
                case 8: Opset(reader.Message(), model.Opsets); break;
                case 14: Pair(reader.Message(), model.Metadata); break;
                case 25: model.Functions.Add(Function(reader.Message(), content)); break;
                default: reader.Skip(); break;
            }
        }

        if (model.Graph is null)
        {
            throw new FileFormatException(content.Name, 0, "an ONNX model, which has a graph",
                $"{content.Length} bytes without one");
        }

        if (model.Opsets.Count == 0)
        {
            // Before IR version 3 there was one opset, and nobody wrote it down.
            model.Opsets[""] = 1;
        }

        return model;
    }

    /// <summary>Reads a file that is one tensor, such as the inputs and outputs of the official tests.</summary>
    public static TensorDef ReadTensor(Content content) => Tensor(WireReader.Of(content), content, 0);

    /// <summary>Reads the elements of a file that is one sequence of tensors: the message SequenceProto.</summary>
    public static List<TensorDef> ReadSequence(Content content)
    {
        var tensors = new List<TensorDef>();
        WireReader reader = WireReader.Of(content);
        while (reader.Next())
        {
            if (reader.Field == 3)
            {
                long start = reader.Offset;
                tensors.Add(Tensor(reader.Message(), content, start));
            }
            else
            {
                reader.Skip();
            }
        }

        return tensors;
    }

    /// <summary>Reads a file that is an optional value: the message OptionalProto; null where it holds nothing.</summary>
    public static object? ReadOptional(Content content)
    {
        object? value = null;
        WireReader reader = WireReader.Of(content);
        while (reader.Next())
        {
            switch (reader.Field)
            {
                case 3:
                    long start = reader.Offset;
                    value = Tensor(reader.Message(), content, start);
                    break;
                case 5:
                    var tensors = new List<TensorDef>();
                    WireReader sequence = reader.Message();
                    while (sequence.Next())
                    {
                        if (sequence.Field == 3)
                        {
                            tensors.Add(Tensor(sequence.Message(), content, sequence.Offset));
                        }
                        else
                        {
                            sequence.Skip();
                        }
                    }

                    value = tensors;
                    break;
                default:
                    reader.Skip();
                    break;
            }
        }

        return value;
    }

    private static GraphDef Graph(WireReader reader, Content content)
    {
        var graph = new GraphDef();
        while (reader.Next())
        {
            long start = reader.Offset;
            switch (reader.Field)
            {
                case 1: graph.Nodes.Add(Node(reader.Message(), content, start)); break;
                case 2: graph.Name = reader.Text(); break;
                case 5: graph.Initializers.Add(Tensor(reader.Message(), content, start)); break;
                case 11: graph.Inputs.Add(Value(reader.Message())); break;
                case 12: graph.Outputs.Add(Value(reader.Message())); break;
                case 13: graph.Values.Add(Value(reader.Message())); break;
                case 15: graph.SparseInitializers.Add(Sparse(reader.Message(), content)); break;
                default: reader.Skip(); break;
            }
        }

        return graph;
    }

    private static NodeDef Node(WireReader reader, Content content, long offset)
    {
        var node = new NodeDef { Offset = offset };
        while (reader.Next())
        {
            switch (reader.Field)
            {
                case 1: node.Inputs.Add(reader.Text()); break;
                case 2: node.Outputs.Add(reader.Text()); break;
                case 3: node.Name = reader.Text(); break;
                case 4: node.Operator = reader.Text(); break;
                case 5:
                    AttributeDef attribute = Attribute(reader.Message(), content);
                    node.Attributes[attribute.Name] = attribute;
                    break;
                case 7: node.Domain = Domain(reader.Text()); break;
                case 8: node.Overload = reader.Text(); break;
                default: reader.Skip(); break;
            }
        }

        return node;
    }

    private static AttributeDef Attribute(WireReader reader, Content content)
    {
        var attribute = new AttributeDef();
        while (reader.Next())
        {
            long start = reader.Offset;

            // Files of the first IR versions do not say which field counts; the one that is there does.
            attribute.Kind = attribute.Kind == AttributeKind.Undefined ? KindOf(reader.Field) : attribute.Kind;
            switch (reader.Field)
            {
                case 1: attribute.Name = reader.Text(); break;
                case 2: attribute.Float = reader.Single(); break;
                case 3: attribute.Int = reader.Int64(); break;
                case 4: attribute.String = Copy(reader.Bytes()); break;
                case 5: attribute.Tensor = Tensor(reader.Message(), content, start); break;
                case 6: attribute.Graph = Graph(reader.Message(), content); break;
                case 7: reader.AppendSingle(attribute.Floats); break;
                case 8: reader.AppendInt64(attribute.Ints); break;
                case 9: attribute.Strings.Add(Copy(reader.Bytes())); break;
                case 10: attribute.Tensors.Add(Tensor(reader.Message(), content, start)); break;
                case 11: attribute.Graphs.Add(Graph(reader.Message(), content)); break;
                case 14: attribute.Type = Type(reader.Message()); break;
                case 20: attribute.Kind = (AttributeKind)reader.Int32(); break;
                case 21: attribute.Reference = reader.Text(); break;
                case 22: attribute.Sparse = Sparse(reader.Message(), content); break;
                default: reader.Skip(); break;
            }
        }

        return attribute;
    }

    private static AttributeKind KindOf(int field) => field switch
    {
        2 => AttributeKind.Float,
        3 => AttributeKind.Int,
        4 => AttributeKind.String,
        5 => AttributeKind.Tensor,
        6 => AttributeKind.Graph,
        7 => AttributeKind.Floats,
        8 => AttributeKind.Ints,
        9 => AttributeKind.Strings,
        10 => AttributeKind.Tensors,
        11 => AttributeKind.Graphs,
        14 => AttributeKind.Type,
        22 => AttributeKind.SparseTensor,
        _ => AttributeKind.Undefined,
    };

    private static TensorDef Tensor(WireReader reader, Content content, long offset)
    {
        var tensor = new TensorDef { Content = content, Offset = offset };
        while (reader.Next())
        {
            switch (reader.Field)
            {
                case 1: reader.AppendInt64(tensor.Dims); break;
                case 2: tensor.Type = (OnnxElementType)reader.Int32(); break;
                case 4: tensor.Lists.Add((reader.Field, reader.Elements(sizeof(float)))); break;
                case 5 or 7 or 11: tensor.Lists.Add((reader.Field, reader.Elements(0))); break;
                case 10: tensor.Lists.Add((reader.Field, reader.Elements(sizeof(double)))); break;
                case 6: tensor.Lists.Add((reader.Field, reader.Bytes())); break;
                case 8: tensor.Name = reader.Text(); break;
                case 9: tensor.Raw = reader.Bytes(); break;
                case 13: Pair(reader.Message(), tensor.External ??= new(StringComparer.Ordinal)); break;
                default: reader.Skip(); break;
            }
        }

        return tensor;
    }

    private static SparseTensorDef Sparse(WireReader reader, Content content)
    {
        var sparse = new SparseTensorDef();
        while (reader.Next())
        {
            long start = reader.Offset;
            switch (reader.Field)
            {
                case 1: sparse.Values = Tensor(reader.Message(), content, start); break;
                case 2: sparse.Indices = Tensor(reader.Message(), content, start); break;
                case 3: reader.AppendInt64(sparse.Dims); break;
                default: reader.Skip(); break;
            }
        }

        return sparse;
    }

    private static ValueDef Value(WireReader reader)
    {
        var value = new ValueDef();
        while (reader.Next())
        {
            switch (reader.Field)
            {
                case 1: value.Name = reader.Text(); break;
                case 2: value.Type = Type(reader.Message()); break;
                default: reader.Skip(); break;
            }
        }

        return value;
    }

    private static TypeDef Type(WireReader reader)
    {
        var type = new TypeDef();
        while (reader.Next())
        {
            switch (reader.Field)
            {
                case 1: TensorType(reader.Message(), type); break;
                case 4: type.SequenceOf = ElementType(reader.Message()); break;
                case 9: type.OptionalOf = ElementType(reader.Message()); break;
                case 5: MapType(reader.Message(), type); break;
                case 7: type.Other = "opaque"; reader.Skip(); break;
                case 8: type.Other = "sparse tensor"; reader.Skip(); break;
                default: reader.Skip(); break;
            }
        }

        return type;
    }

    private static TypeDef ElementType(WireReader reader)
    {
        var type = new TypeDef();
        while (reader.Next())
        {
            if (reader.Field == 1)
            {
                type = Type(reader.Message());
            }
            else
            {
                reader.Skip();
            }
        }

        return type;
    }

    private static void MapType(WireReader reader, TypeDef type)
    {
        type.MapOf = new TypeDef();
        while (reader.Next())
        {
            switch (reader.Field)
            {
                case 1: type.MapKey = (OnnxElementType)reader.Int32(); break;
                case 2: type.MapOf = Type(reader.Message()); break;
                default: reader.Skip(); break;
            }
        }
    }

    private static void TensorType(WireReader reader, TypeDef type)
    {
        while (reader.Next())
        {
            switch (reader.Field)
            {
                case 1: type.Element = (OnnxElementType)reader.Int32(); break;
                case 2: type.Shape = Shape(reader.Message()); break;
                default: reader.Skip(); break;
            }
        }
    }

    private static List<DimensionDef> Shape(WireReader reader)
    {
        var shape = new List<DimensionDef>();
        while (reader.Next())
        {
            if (reader.Field != 1)
            {
                reader.Skip();
                continue;
            }

            var dimension = new DimensionDef(-1, null);
            WireReader inner = reader.Message();
            while (inner.Next())
            {
                switch (inner.Field)
                {
                    case 1: dimension = new DimensionDef(inner.Int64(), null); break;
                    case 2: dimension = new DimensionDef(-1, inner.Text()); break;
                    default: inner.Skip(); break;
                }
            }

            shape.Add(dimension);
        }

        return shape;
    }

    private static FunctionDef Function(WireReader reader, Content content)
    {
        var function = new FunctionDef();
        while (reader.Next())
        {
            long start = reader.Offset;
            switch (reader.Field)
            {
                case 1: function.Name = reader.Text(); break;
                case 4: function.Inputs.Add(reader.Text()); break;
                case 5: function.Outputs.Add(reader.Text()); break;
                case 7: function.Nodes.Add(Node(reader.Message(), content, start)); break;
                case 9: Opset(reader.Message(), function.Opsets); break;
                case 10: function.Domain = Domain(reader.Text()); break;
                case 11: function.Defaults.Add(Attribute(reader.Message(), content)); break;
                case 13: function.Overload = reader.Text(); break;
                default: reader.Skip(); break;
            }
        }

        return function;
    }

    private static void Opset(WireReader reader, Dictionary<string, long> opsets)
    {
        string domain = "";
        long version = 1;
        while (reader.Next())
        {
            switch (reader.Field)
            {
                case 1: domain = Domain(reader.Text()); break;
                case 2: version = reader.Int64(); break;
                default: reader.Skip(); break;
            }
        }

        opsets[domain] = version;
    }

    private static void Pair(WireReader reader, Dictionary<string, string> pairs)
    {
        string key = "", value = "";
        while (reader.Next())
        {
            switch (reader.Field)
            {
                case 1: key = reader.Text(); break;
                case 2: value = reader.Text(); break;
                default: reader.Skip(); break;
            }
        }

        pairs[key] = value;
    }

    // The standard's own domain has two names.
    private static string Domain(string name) => name == "ai.onnx" ? "" : name;

    private static byte[] Copy(ByteRange range)
    {
        if (range.Length > 1 << 28)
        {
            throw new FileFormatException(range.Content.Name, range.Offset, "an attribute's text of at most 256 MiB",
                $"{range.Length} bytes");
        }

        return range.Content.Slice(range.Offset, (int)range.Length).ToArray();
    }
}
