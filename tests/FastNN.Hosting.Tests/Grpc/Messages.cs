using System.Buffers;
using FastNN.Hosting.Wire;
using Google.Protobuf;
using Grpc.Core;

namespace FastNN.Hosting.Tests.Rpc;

/// <summary>Requests, made by the generated classes, and the contexts in which gRPC reads and writes messages.</summary>
internal static class Messages
{
    /// <summary>The models of these tests: one of each element type, one of two inputs, and one of classes.</summary>
    public static EchoModel[] Models() =>
    [
        new EchoModel("echo", "1", new ModelTensor("x", TensorDataType.Float32, [-1, 3])),
        new EchoModel("echo", "2", new ModelTensor("x", TensorDataType.Float32, [-1, 3])),
        new EchoModel(
            "two", "1", new ModelTensor("a", TensorDataType.Float32, [-1]), new ModelTensor("b", TensorDataType.Int64, [2])),
        .. Enum.GetValues<TensorDataType>().Select(type => new EchoModel(type.ToString(), "1", new ModelTensor("x", type, [-1]))),
    ];

    /// <summary>A request of "echo" with raw contents.</summary>
    public static ModelInferRequest Echo(int rows = 1, string version = "") => new()
    {
        ModelName = "echo",
        ModelVersion = version,
        Id = "request 1",
        Inputs = { Input("x", "FP32", rows, 3) },
        RawInputContents = { Raw(Enumerable.Range(0, 3 * rows).Select(i => i + 0.5f).ToArray()) },
    };

    /// <summary>An input without elements.</summary>
    public static ModelInferRequest.Types.InferInputTensor Input(string name, string type, params long[] shape) =>
        new() { Name = name, Datatype = type, Shape = { shape } };

    /// <summary>Elements as they are.</summary>
    public static ByteString Raw<T>(params T[] elements)
        where T : unmanaged => ByteString.CopyFrom(System.Runtime.InteropServices.MemoryMarshal.AsBytes<T>(elements));

    /// <summary>Bytes in segments of a few, none of which a number or a name need fit into.</summary>
    public static ReadOnlySequence<byte> Segments(byte[] bytes, int size)
    {
        if (bytes.Length <= size)
        {
            return new ReadOnlySequence<byte>(bytes);
        }

        var first = new Segment(bytes.AsMemory(0, size));
        Segment last = first;
        for (int at = size; at < bytes.Length; at += size)
        {
            last = last.Append(bytes.AsMemory(at, Math.Min(size, bytes.Length - at)));
        }

        return new ReadOnlySequence<byte>(first, 0, last, last.Memory.Length);
    }

    private sealed class Segment : ReadOnlySequenceSegment<byte>
    {
        public Segment(ReadOnlyMemory<byte> memory) => Memory = memory;

        public Segment Append(ReadOnlyMemory<byte> memory)
        {
            var next = new Segment(memory) { RunningIndex = RunningIndex + Memory.Length };
            Next = next;
            return next;
        }
    }
}

/// <summary>Hands a message to a marshaller.</summary>
internal sealed class Incoming : DeserializationContext
{
    public ReadOnlySequence<byte> Message { get; set; }

    public override int PayloadLength => (int)Message.Length;

    public override byte[] PayloadAsNewBuffer() => Message.ToArray();

    public override ReadOnlySequence<byte> PayloadAsReadOnlySequence() => Message;
}

/// <summary>Takes a message from a marshaller, and holds it to the length that it announced.</summary>
internal sealed class Outgoing : SerializationContext
{
    private readonly ArrayBufferWriter<byte> _writer = new(1 << 16);
    private int _length;

    public ReadOnlySpan<byte> Message => _writer.WrittenSpan;

    public bool Completed { get; private set; }

    public void Reset()
    {
        _writer.ResetWrittenCount();
        Completed = false;
    }

    public override void SetPayloadLength(int payloadLength) => _length = payloadLength;

    public override IBufferWriter<byte> GetBufferWriter() => _writer;

    public override void Complete()
    {
        if (_writer.WrittenCount != _length)
        {
            throw new InvalidOperationException($"announced {_length} bytes, wrote {_writer.WrittenCount}");
        }

        Completed = true;
    }

    public override void Complete(byte[] payload) => throw new NotSupportedException();
}
