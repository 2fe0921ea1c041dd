using System.Buffers;
using Grpc.Core;
using Microsoft.Extensions.ObjectPool;

namespace FastNN.Hosting;

/// <summary>
/// The messages of ModelInfer and ModelStreamInfer as gRPC reads and writes them. A message is decoded inside the server's
/// buffers, which are only lent: hence there, and not in the handler, its elements go into the model's memory.
/// </summary>
internal sealed class InferCodec
{
    private readonly ObjectPool<InferCall> _calls;
    private readonly InferDecoder _decoder;
    private readonly TimeProvider _time;

    /// <param name="catalog">The models.</param>
    /// <param name="options">Their limits.</param>
    /// <param name="time">Tells when requests come.</param>
    /// <param name="telemetry">Counts calls of models that are not there; null for nobody.</param>
    public InferCodec(
        IModelCatalog catalog, GrpcServingOptions options, TimeProvider time, ServingTelemetry? telemetry = null)
    {
        _calls = new InferCallPool();
        _decoder = new InferDecoder(catalog, options.MaxTensorBytes, telemetry);
        _time = time;
        Request = new Marshaller<InferCall>(static (_, _) => throw new NotSupportedException("requests are only read"), Decode);
        Response = new Marshaller<InferCall>(InferEncoder.EncodeResponse, NeverRead);
        StreamResponse = new Marshaller<InferCall>(InferEncoder.EncodeStreamResponse, NeverRead);
    }

    /// <summary>ModelInferRequest.</summary>
    public Marshaller<InferCall> Request { get; }

    /// <summary>ModelInferResponse.</summary>
    public Marshaller<InferCall> Response { get; }

    /// <summary>ModelStreamInferResponse.</summary>
    public Marshaller<InferCall> StreamResponse { get; }

    private static InferCall NeverRead(DeserializationContext context) =>
        throw new NotSupportedException("responses are only written");

    /// <summary>Decodes a request; what is wrong with it is told by the handler, which can.</summary>
    public InferCall Decode(in ReadOnlySequence<byte> message)
    {
        InferCall call = _calls.Get();
        call.Arrival = _time.GetTimestamp();
        try
        {
            _decoder.Decode(message, call);
        }
#pragma warning disable CA1031 // Whatever it is, the handler answers and gives the call back.
        catch (Exception failure)
#pragma warning restore CA1031
        {
            call.Failure = failure;
        }

        return call;
    }

    private InferCall Decode(DeserializationContext context) => Decode(context.PayloadAsReadOnlySequence());
}
