using FastNN.Hosting.Tests.Rest;
using FastNN.Hosting.Wire;
using FastNN.Testing;
using Google.Protobuf;
using Grpc.Core;
using Microsoft.AspNetCore.Routing;
using Microsoft.AspNetCore.Routing.Patterns;
using Microsoft.Extensions.Logging.Abstractions;

namespace FastNN.Hosting.Tests.Rpc;

/// <summary>
/// What a request costs of memory from its decoding over the handler to its encoded answer, gRPC and the web server aside.
/// </summary>
public sealed class InferAllocationTests
{
    [Test]
    public void A_request_allocates_nothing_of_ours()
    {
        var catalog = new EchoCatalog(Messages.Models());
        var options = new GrpcServingOptions();
        var codec = new InferCodec(catalog, options, TimeProvider.System);
        var service = new InferenceService(catalog, options, TimeProvider.System, NullLogger<InferenceService>.Instance);
        var incoming = new Incoming { Message = Messages.Segments(Messages.Echo(rows: 4).ToByteArray(), 100_000) };
        var responses = new Responses(codec);
        var context = new Context();
        long allocated = AllocatedBytes.Of(Pass, times: 200);
        Assert.Multiple(() =>
        {
            Assert.That(allocated, Is.Zero);
            Assert.That(ModelInferResponse.Parser.ParseFrom(responses.Outgoing.Message.ToArray()).Id, Is.EqualTo("request 1"));
            Assert.That(catalog.Live, Is.Zero);
        });

        void Pass()
        {
            InferCall call = codec.Request.ContextualDeserializer(incoming);
            Task answered = service.ModelInfer(call, responses, context);
            if (!answered.IsCompletedSuccessfully)
            {
                throw new InvalidOperationException("the echo answers at once");
            }
        }
    }

    [Test]
    public void The_short_way_allocates_nothing_of_ours_either()
    {
        var catalog = new EchoCatalog(Messages.Models());
        var options = new GrpcServingOptions();
        var direct = new DirectInfer(
            new InferCodec(catalog, options, TimeProvider.System),
            new InferenceService(catalog, options, TimeProvider.System, NullLogger<InferenceService>.Instance),
            options, NullLogger.Instance);
        var endpoint = new RouteEndpointBuilder(
            _ => throw new InvalidOperationException("left for gRPC's handler"),
            RoutePatternFactory.Parse("/inference.GRPCInferenceService/ModelInfer"), 0);
        direct.Apply(endpoint);
        var request = new InMemoryRequest(endpoint.RequestDelegate!);
        request.Headers.ContentType = "application/grpc";
        byte[] message = Messages.Echo(rows: 4).ToByteArray();
        byte[] body = [0, 0, 0, 0, (byte)message.Length, .. message];
        long least = long.MaxValue;
        for (int i = 0; i < 200; i++)
        {
            long before = GC.GetAllocatedBytesForCurrentThread();
            Task task = request.SendAsync(body);
            least = Math.Min(least, GC.GetAllocatedBytesForCurrentThread() - before);
            Assert.That(task.IsCompletedSuccessfully);
        }

        Assert.Multiple(() =>
        {
            Assert.That(least, Is.Zero);
            Assert.That(request.Trailers["grpc-status"].ToString(), Is.EqualTo("0"));
            Assert.That(request.Answer[4], Is.EqualTo(request.Answer.Length - 5));
            Assert.That(ModelInferResponse.Parser.ParseFrom(request.Answer[5..].ToArray()).Id, Is.EqualTo("request 1"));
            Assert.That(request.BodyIsReleased);
            Assert.That(catalog.Live, Is.Zero);
        });
    }

    private sealed class Responses(InferCodec codec) : IServerStreamWriter<InferCall>
    {
        public Outgoing Outgoing { get; } = new();

        public WriteOptions? WriteOptions { get; set; }

        public Task WriteAsync(InferCall message)
        {
            Outgoing.Reset();
            codec.Response.ContextualSerializer(message, Outgoing);
            return Task.CompletedTask;
        }
    }

    private sealed class Context : ServerCallContext
    {
        protected override string MethodCore => "";

        protected override string HostCore => "";

        protected override string PeerCore => "";

        protected override DateTime DeadlineCore { get; } = DateTime.UtcNow.AddHours(1);

        protected override Metadata RequestHeadersCore { get; } = [];

        protected override CancellationToken CancellationTokenCore => default;

        protected override Metadata ResponseTrailersCore { get; } = [];

        protected override Status StatusCore { get; set; }

        protected override WriteOptions? WriteOptionsCore { get; set; }

        protected override AuthContext AuthContextCore => throw new NotSupportedException();

        protected override ContextPropagationToken CreatePropagationTokenCore(ContextPropagationOptions? options) =>
            throw new NotSupportedException();

        protected override Task WriteResponseHeadersAsyncCore(Metadata responseHeaders) => Task.CompletedTask;
    }
}
