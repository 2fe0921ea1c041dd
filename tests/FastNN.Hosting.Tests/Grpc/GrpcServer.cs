using FastNN.Hosting.Wire;
using Google.Protobuf;
using Grpc.Core;
using Grpc.Net.Client;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace FastNN.Hosting.Tests.Rpc;

/// <summary>The service in a web server of its own on a free port, without TLS, and a client of it.</summary>
internal sealed class GrpcServer : IAsyncDisposable
{
    private readonly WebApplication _app;

    private GrpcServer(WebApplication app)
    {
        _app = app;
        Address = app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single();
        Channel = GrpcChannel.ForAddress(Address, new GrpcChannelOptions { MaxReceiveMessageSize = null });
        Calls = Channel.CreateCallInvoker();
    }

    /// <summary>Where it listens.</summary>
    public string Address { get; }

    /// <summary>A connection.</summary>
    public GrpcChannel Channel { get; }

    /// <summary>Its calls.</summary>
    public CallInvoker Calls { get; }

    public static async Task<GrpcServer> StartAsync(IModelCatalog catalog, GrpcServingOptions? options = null)
    {
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(
            System.Net.IPAddress.Loopback, 0, listen => listen.Protocols = HttpProtocols.Http2));
        builder.Services.AddSingleton(catalog);
        builder.Services.AddFastNNGrpc(options);
        WebApplication app = builder.Build();
        app.MapFastNNGrpc();
        await app.StartAsync();
        return new GrpcServer(app);
    }

    /// <summary>One call of the inference service with the generated messages.</summary>
    public AsyncUnaryCall<TResponse> Call<TResponse>(IMessage request, CallOptions options = default, string? encoding = null)
        where TResponse : class, IMessage<TResponse>, new()
    {
        string name = request.Descriptor.Name[..^"Request".Length];
        if (encoding is not null)
        {
            options = options.WithHeaders(new Metadata { { "grpc-internal-encoding-request", encoding } });
        }

        return Calls.AsyncUnaryCall(Method<IMessage, TResponse>(MethodType.Unary, name), null, options, request);
    }

    /// <summary>A call by its name.</summary>
    public static Method<TRequest, TResponse> Method<TRequest, TResponse>(MethodType type, string name)
        where TRequest : class, IMessage
        where TResponse : class, IMessage<TResponse>, new() => new(
            type,
            "inference.GRPCInferenceService",
            name,
            Marshallers.Create<TRequest>(message => message.ToByteArray(), _ => throw new NotSupportedException()),
            Marshallers.Create(
                _ => throw new NotSupportedException(), new MessageParser<TResponse>(() => new TResponse()).ParseFrom));

    /// <summary>A stream of inferences.</summary>
    public AsyncDuplexStreamingCall<ModelInferRequest, ModelStreamInferResponse> Stream() => Calls.AsyncDuplexStreamingCall(
        Method<ModelInferRequest, ModelStreamInferResponse>(MethodType.DuplexStreaming, "ModelStreamInfer"), null, default);

    public async ValueTask DisposeAsync()
    {
        Channel.Dispose();
        await _app.StopAsync();
        await _app.DisposeAsync();
    }
}
