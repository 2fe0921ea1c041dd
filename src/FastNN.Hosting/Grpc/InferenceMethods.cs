using FastNN.Hosting.Wire;
using Google.Protobuf;
using Google.Protobuf.Reflection;
using Grpc.AspNetCore.Server.Model;
using Grpc.Core;
using Microsoft.AspNetCore.Http.Metadata;
using Microsoft.AspNetCore.Routing;

namespace FastNN.Hosting;

/// <summary>
/// The calls of the service, bound by hand: ModelInfer has a codec that needs the models, which generated code has no place for.
/// </summary>
internal sealed class InferenceMethods(InferCodec codec, GrpcServingOptions options) : IServiceMethodProvider<InferenceService>
{
    /// <summary>What reflection tells about the service.</summary>
    public static ServiceDescriptor Descriptor { get; } =
        InferenceReflection.Descriptor.Services.Single(service => service.Name == "GRPCInferenceService");

    /// <inheritdoc />
    public void OnServiceMethodDiscovery(ServiceMethodProviderContext<InferenceService> context)
    {
        Add<ServerLiveRequest, ServerLiveResponse>(
            context, FastNNEndpoint.Health, nameof(InferenceService.ServerLive),
            (_, request, call) => InferenceService.ServerLive(request, call));
        Add<ServerReadyRequest, ServerReadyResponse>(
            context, FastNNEndpoint.Health, nameof(InferenceService.ServerReady),
            (service, request, call) => service.ServerReady(request, call));
        Add<ServerMetadataRequest, ServerMetadataResponse>(
            context, FastNNEndpoint.Metadata, nameof(InferenceService.ServerMetadata),
            (_, request, call) => InferenceService.ServerMetadata(request, call));
        Add<ModelReadyRequest, ModelReadyResponse>(
            context, FastNNEndpoint.Health, nameof(InferenceService.ModelReady),
            (service, request, call) => service.ModelReady(request, call));
        Add<ModelMetadataRequest, ModelMetadataResponse>(
            context, FastNNEndpoint.Metadata, nameof(InferenceService.ModelMetadata),
            (service, request, call) => service.ModelMetadata(request, call));
        Add<ModelConfigRequest, ModelConfigResponse>(
            context, FastNNEndpoint.Metadata, nameof(InferenceService.ModelConfig),
            (service, request, call) => service.ModelConfig(request, call));
        if (options.Statistics)
        {
            Add<ModelStatisticsRequest, ModelStatisticsResponse>(
                context, FastNNEndpoint.Statistics, nameof(InferenceService.ModelStatistics),
                (service, request, call) => service.ModelStatistics(request, call));
        }

        Add<RepositoryIndexRequest, RepositoryIndexResponse>(
            context, FastNNEndpoint.RepositoryIndex, nameof(InferenceService.RepositoryIndex),
            (service, request, call) => service.RepositoryIndex(request, call));
        Add<RepositoryModelLoadRequest, RepositoryModelLoadResponse>(
            context, FastNNEndpoint.RepositoryControl, nameof(InferenceService.RepositoryModelLoad),
            (service, request, call) => service.RepositoryModelLoad(request, call));
        Add<RepositoryModelUnloadRequest, RepositoryModelUnloadResponse>(
            context, FastNNEndpoint.RepositoryControl, nameof(InferenceService.RepositoryModelUnload),
            (service, request, call) => service.RepositoryModelUnload(request, call));

        // On the wire a call with one answer and a stream with one message are the same. As a stream the handler itself writes
        // the answer, and so gives the model's memory back whatever happens to the connection or the deadline in between.
        context.AddServerStreamingMethod(
            new Method<InferCall, InferCall>(
                MethodType.ServerStreaming, Descriptor.FullName, nameof(InferenceService.ModelInfer), codec.Request,
                codec.Response),
            Metadata(FastNNEndpoint.Inference),
            (service, request, responses, call) => service.ModelInfer(request, responses, call));
        context.AddDuplexStreamingMethod(
            new Method<InferCall, InferCall>(
                MethodType.DuplexStreaming, Descriptor.FullName, nameof(InferenceService.ModelStreamInfer), codec.Request,
                codec.StreamResponse),
            Metadata(FastNNEndpoint.Inference),
            (service, requests, responses, call) => service.ModelStreamInfer(requests, responses, call));
    }

    private static void Add<TRequest, TResponse>(
        ServiceMethodProviderContext<InferenceService> context, FastNNEndpoint kind, string name,
        UnaryServerMethod<InferenceService, TRequest, TResponse> handler)
        where TRequest : class, IMessage<TRequest>, new()
        where TResponse : class, IMessage<TResponse>, new() =>
        context.AddUnaryMethod(
            new Method<TRequest, TResponse>(
                MethodType.Unary, Descriptor.FullName, name, ProtobufMarshaller<TRequest>.Instance,
                ProtobufMarshaller<TResponse>.Instance),
            Metadata(kind),
            handler);

    private static object[] Metadata(FastNNEndpoint kind) =>
        [
            new HttpMethodMetadata(["POST"], acceptCorsPreflight: true),
            kind,
            MessageLimitAlone.Instance,
        ];

    /// <summary>
    /// Lifts the web server's limit on bodies: gRPC has its own, on messages, and answers by a status where it is passed.
    /// </summary>
    private sealed class MessageLimitAlone : IRequestSizeLimitMetadata
    {
        public static readonly MessageLimitAlone Instance = new();

        public long? MaxRequestBodySize => null;
    }

    private static class ProtobufMarshaller<T>
        where T : class, IMessage<T>, new()
    {
        public static readonly Marshaller<T> Instance = new(Write, Read);

        private static readonly MessageParser<T> s_parser = new(static () => new T());

        private static void Write(T message, SerializationContext context)
        {
            context.SetPayloadLength(message.CalculateSize());
            message.WriteTo(context.GetBufferWriter());
            context.Complete();
        }

        private static T Read(DeserializationContext context)
        {
            try
            {
                return s_parser.ParseFrom(context.PayloadAsReadOnlySequence());
            }
            catch (InvalidProtocolBufferException)
            {
                throw new RpcException(new Status(
                    StatusCode.InvalidArgument,
                    $"expected a {typeof(T).Name} in protocol buffers' wire format, got other bytes"));
            }
        }
    }
}
