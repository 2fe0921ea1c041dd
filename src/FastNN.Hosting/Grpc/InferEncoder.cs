using System.Buffers;
using System.Text;
using FastNN.Hosting.Protocol;
using Grpc.Core;

namespace FastNN.Hosting;

/// <summary>
/// Encodes the answer to an inference straight from the model's outputs into the server's buffers: elements are copied once.
/// Outputs always are raw contents, as Triton answers, whatever form the request's inputs had. Allocates nothing.
/// </summary>
internal static class InferEncoder
{
    private const int InferResponse = 2;

    // An entry of the map of parameters: every answer of a stream says that it is the last to its request.
    private static ReadOnlySpan<byte> FinalResponse => "\u0022\u001b\n\u0015triton_final_response\u0012\u0002\u0008\u0001"u8;

    /// <summary>Encodes a ModelInferResponse.</summary>
    public static void EncodeResponse(InferCall call, SerializationContext context)
    {
        int size = Measure(call, out int head);
        context.SetPayloadLength(size);
        Write(call, context.GetBufferWriter(), head);
        context.Complete();
    }

    /// <summary>How many bytes a ModelInferResponse has.</summary>
    /// <param name="call">What it answers.</param>
    /// <param name="head">How many of them stand before the elements.</param>
    public static int Measure(InferCall call, out int head)
    {
        long bytes = Prepare(call, ReadOnlySpan<byte>.Empty);
        int size = Fitting(bytes + RawSize(call));
        head = (int)bytes;
        return size;
    }

    /// <summary>Writes a ModelInferResponse that was measured.</summary>
    public static void Write(InferCall call, IBufferWriter<byte> writer, int head)
    {
        WriteHead(call, writer, head, ReadOnlySpan<byte>.Empty);
        WriteRaw(call, writer);
    }

    /// <summary>Encodes a ModelStreamInferResponse: the answer, or why there is none.</summary>
    public static void EncodeStreamResponse(InferCall call, SerializationContext context)
    {
        if (call.Failure is not null)
        {
            EncodeFailure(call, context);
            return;
        }

        long head = Prepare(call, FinalResponse);
        long size = head + RawSize(call);
        context.SetPayloadLength(Fitting(WireWriter.SizeOfField(size)));
        IBufferWriter<byte> writer = context.GetBufferWriter();
        WriteLength(writer, InferResponse, size);
        WriteHead(call, writer, (int)head, FinalResponse);
        WriteRaw(call, writer);
        context.Complete();
    }

    private static void EncodeFailure(InferCall call, SerializationContext context)
    {
        string message = GrpcFailure.StatusOf(call.Failure!).Detail;
        long text = WireWriter.SizeOfField(Encoding.UTF8.GetByteCount(message));
        long response = WireWriter.SizeOfText(call.Id.Length) + FinalResponse.Length;
        long size = text + WireWriter.SizeOfField(response);
        context.SetPayloadLength(Fitting(size));
        IBufferWriter<byte> buffer = context.GetBufferWriter();
        var writer = new WireWriter(buffer.GetSpan((int)size));
        writer.WriteText(1, message);
        writer.WriteLength(InferResponse, response);
        writer.WriteText(3, call.Id);
        writer.Write(FinalResponse);
        buffer.Advance(writer.Written);
        context.Complete();
    }

    private static int Fitting(long size) => size <= int.MaxValue
        ? (int)size
        : throw new RpcException(new Status(
            StatusCode.ResourceExhausted,
            $"expected an answer of at most {int.MaxValue} bytes, got {size}: ask for fewer examples at a time"));

    /// <summary>Ranks what is to be answered as classes, and measures all but the elements.</summary>
    private static long Prepare(InferCall call, ReadOnlySpan<byte> parameters)
    {
        ModelCall model = call.Call!;
        RequestOutputs outputs = call.Outputs;
        long size = WireWriter.SizeOfText(Encoding.UTF8.GetByteCount(call.Model!.Name)) +
            WireWriter.SizeOfText(Encoding.UTF8.GetByteCount(model.Version)) + WireWriter.SizeOfText(call.Id.Length) +
            parameters.Length;
        for (int i = 0; i < outputs.Count; i++)
        {
            if (outputs[i].Classes > 0)
            {
                Classification.Write(outputs.Tensor(i), model.OutputDimensions(outputs[i].Index), model.Output(outputs[i].Index),
                    outputs[i].Classes, call.Classes);
            }

            call.ClassEnds.Add(call.Classes.WrittenCount);
            size += WireWriter.SizeOfField(OutputSize(call, i));
        }

        return size;
    }

    private static long OutputSize(InferCall call, int ordinal)
    {
        Span<int> scratch = stackalloc int[2];
        return WireWriter.SizeOfText(call.Outputs.Name(ordinal).Length) +
            WireWriter.SizeOfText(TensorDataTypes.Utf8(TypeOf(call, ordinal)).Length) +
            WireWriter.SizeOfText(ShapeSize(Dimensions(call, ordinal, scratch)));
    }

    private static int ShapeSize(ReadOnlySpan<int> dimensions)
    {
        int size = 0;
        foreach (int extent in dimensions)
        {
            size += WireWriter.SizeOf((ulong)extent);
        }

        return size;
    }

    private static long RawSize(InferCall call)
    {
        long size = 0;
        for (int i = 0; i < call.Outputs.Count; i++)
        {
            size += WireWriter.SizeOfField(Elements(call, i).Length);
        }

        return size;
    }

    private static void WriteHead(InferCall call, IBufferWriter<byte> buffer, int size, ReadOnlySpan<byte> parameters)
    {
        Span<int> scratch = stackalloc int[2];
        var writer = new WireWriter(buffer.GetSpan(size));
        writer.WriteText(1, call.Model!.Name);
        writer.WriteText(2, call.Call!.Version);
        writer.WriteText(3, call.Id);
        writer.Write(parameters);
        for (int i = 0; i < call.Outputs.Count; i++)
        {
            ReadOnlySpan<int> dimensions = Dimensions(call, i, scratch);
            writer.WriteLength(5, OutputSize(call, i));
            writer.WriteText(1, call.Outputs.Name(i));
            writer.WriteText(2, TensorDataTypes.Utf8(TypeOf(call, i)));
            if (!dimensions.IsEmpty)
            {
                writer.WriteLength(3, ShapeSize(dimensions));
                foreach (int extent in dimensions)
                {
                    writer.WriteVarint((ulong)extent);
                }
            }
        }

        buffer.Advance(writer.Written);
    }

    private static void WriteRaw(InferCall call, IBufferWriter<byte> writer)
    {
        for (int i = 0; i < call.Outputs.Count; i++)
        {
            ReadOnlySpan<byte> elements = Elements(call, i);
            WriteLength(writer, 6, elements.Length);
            writer.Write(elements);
        }
    }

    private static void WriteLength(IBufferWriter<byte> buffer, int field, long length)
    {
        const int MostBytes = 11;
        var writer = new WireWriter(buffer.GetSpan(MostBytes));
        writer.WriteLength(field, length);
        buffer.Advance(writer.Written);
    }

    private static TensorDataType TypeOf(InferCall call, int ordinal) =>
        call.Outputs[ordinal].Classes > 0 ? TensorDataType.Bytes : call.Outputs.Tensor(ordinal).DataType;

    /// <summary>The extents of an output: the model's, or a row of classes for each of its rows.</summary>
    private static ReadOnlySpan<int> Dimensions(InferCall call, int ordinal, Span<int> scratch)
    {
        RequestOutput output = call.Outputs[ordinal];
        ReadOnlySpan<int> dimensions = call.Call!.OutputDimensions(output.Index);
        if (output.Classes == 0)
        {
            return dimensions;
        }

        int elements = call.Call.Output(output.Index).Length / TensorDataTypes.Size(call.Outputs.Tensor(ordinal).DataType);
        (scratch[0], scratch[1]) = Classification.Extents(dimensions, elements, output.Classes);
        return dimensions.Length > 1 ? scratch : scratch[1..];
    }

    private static ReadOnlySpan<byte> Elements(InferCall call, int ordinal)
    {
        RequestOutput output = call.Outputs[ordinal];
        if (output.Classes == 0)
        {
            return call.Call!.Output(output.Index);
        }

        int start = ordinal == 0 ? 0 : call.ClassEnds[ordinal - 1];
        return call.Classes.WrittenSpan[start..call.ClassEnds[ordinal]];
    }
}
