using Google.Protobuf;

namespace FastNN.Onnx.Tests;

/// <summary>
/// Whether Google's parser takes a file: its <see cref="CodedInputStream"/> reads every field, and goes into the fields that the
/// standard says are messages.
/// </summary>
internal static class ProtobufOracle
{
    private enum Kind
    {
        Varint,
        Fixed32,
        Bytes,
        PackedVarints,
        PackedFixed32,
        PackedFixed64,
        Model,
        Graph,
        Node,
        Attribute,
        Tensor,
        Sparse,
        Value,
        Type,
        TensorType,
        ElementType,
        Shape,
        Dimension,
        Function,
        Opset,
        Pair,
    }

    // The fields of each message by number, with the names of the standard's text.
    private static readonly Dictionary<Kind, Dictionary<int, Kind>> Messages = new()
    {
        [Kind.Model] = Fields((1, Kind.Varint), (2, Kind.Bytes), (3, Kind.Bytes), (4, Kind.Bytes), (5, Kind.Varint),
            (6, Kind.Bytes), (7, Kind.Graph), (8, Kind.Opset), (14, Kind.Pair), (25, Kind.Function)),
        [Kind.Graph] = Fields((1, Kind.Node), (2, Kind.Bytes), (5, Kind.Tensor), (11, Kind.Value), (12, Kind.Value),
            (13, Kind.Value), (15, Kind.Sparse)),
        [Kind.Node] = Fields((1, Kind.Bytes), (2, Kind.Bytes), (3, Kind.Bytes), (4, Kind.Bytes), (5, Kind.Attribute),
            (7, Kind.Bytes), (8, Kind.Bytes)),
        [Kind.Attribute] = Fields((1, Kind.Bytes), (2, Kind.Fixed32), (3, Kind.Varint), (4, Kind.Bytes), (5, Kind.Tensor),
            (6, Kind.Graph), (7, Kind.PackedFixed32), (8, Kind.PackedVarints), (9, Kind.Bytes), (10, Kind.Tensor),
            (11, Kind.Graph), (14, Kind.Type), (20, Kind.Varint), (21, Kind.Bytes), (22, Kind.Sparse)),
        [Kind.Tensor] = Fields((1, Kind.PackedVarints), (2, Kind.Varint), (4, Kind.PackedFixed32), (5, Kind.PackedVarints),
            (6, Kind.Bytes), (7, Kind.PackedVarints), (8, Kind.Bytes), (9, Kind.Bytes), (10, Kind.PackedFixed64),
            (11, Kind.PackedVarints), (13, Kind.Pair)),
        [Kind.Sparse] = Fields((1, Kind.Tensor), (2, Kind.Tensor), (3, Kind.PackedVarints)),
        [Kind.Value] = Fields((1, Kind.Bytes), (2, Kind.Type)),
        [Kind.Type] = Fields((1, Kind.TensorType), (4, Kind.ElementType), (9, Kind.ElementType)),
        [Kind.TensorType] = Fields((1, Kind.Varint), (2, Kind.Shape)),
        [Kind.ElementType] = Fields((1, Kind.Type)),
        [Kind.Shape] = Fields((1, Kind.Dimension)),
        [Kind.Dimension] = Fields((1, Kind.Varint), (2, Kind.Bytes)),
        [Kind.Function] = Fields((1, Kind.Bytes), (4, Kind.Bytes), (5, Kind.Bytes), (7, Kind.Node), (9, Kind.Opset),
            (10, Kind.Bytes), (11, Kind.Attribute), (13, Kind.Bytes)),
        [Kind.Opset] = Fields((1, Kind.Bytes), (2, Kind.Varint)),
        [Kind.Pair] = Fields((1, Kind.Bytes), (2, Kind.Bytes)),
    };

    private static Dictionary<int, Kind> Fields(params (int Number, Kind Kind)[] fields) =>
        fields.ToDictionary(field => field.Number, field => field.Kind);

    /// <summary>Whether the bytes are a ModelProto.</summary>
    public static bool TakesModel(byte[] bytes)
    {
        try
        {
            Read(new CodedInputStream(bytes), Kind.Model);
            return true;
        }
        catch (InvalidProtocolBufferException)
        {
            return false;
        }
    }

    private static void Read(CodedInputStream input, Kind message)
    {
        Dictionary<int, Kind> fields = Messages[message];
        for (uint tag = input.ReadTag(); tag != 0; tag = input.ReadTag())
        {
            WireFormat.WireType type = WireFormat.GetTagWireType(tag);
            Kind? kind = fields.TryGetValue(WireFormat.GetTagFieldNumber(tag), out Kind known) ? known : null;

            // A field of another wire type than its own is one that nobody knows.
            switch (type, kind)
            {
                case (WireFormat.WireType.Varint, Kind.Varint or Kind.PackedVarints):
                    input.ReadInt64();
                    break;
                case (WireFormat.WireType.Fixed32, Kind.Fixed32 or Kind.PackedFixed32):
                    input.ReadFloat();
                    break;
                case (WireFormat.WireType.Fixed64, Kind.PackedFixed64):
                    input.ReadDouble();
                    break;
                case (WireFormat.WireType.LengthDelimited, Kind.Bytes):
                    input.ReadBytes();
                    break;
                case (WireFormat.WireType.LengthDelimited, Kind.PackedVarints or Kind.PackedFixed32 or Kind.PackedFixed64):
                    Packed(input.ReadBytes().CreateCodedInput(), kind.Value);
                    break;
                case (WireFormat.WireType.LengthDelimited, >= Kind.Model):
                    Read(input.ReadBytes().CreateCodedInput(), kind.Value);
                    break;
                default:
                    input.SkipLastField();
                    break;
            }
        }
    }

    private static void Packed(CodedInputStream input, Kind kind)
    {
        while (!input.IsAtEnd)
        {
            switch (kind)
            {
                case Kind.PackedVarints:
                    input.ReadInt64();
                    break;
                case Kind.PackedFixed32:
                    input.ReadFloat();
                    break;
                default:
                    input.ReadDouble();
                    break;
            }
        }
    }
}
