using FastNN.Hosting.Security;
using FastNN.Hosting.Tests.Rpc;
using FastNN.Hosting.Wire;
using Grpc.Core;
using Grpc.Core.Interceptors;
using Grpc.Net.Client;
using Grpc.Net.Client.Configuration;
using Grpc.Reflection.V1;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace FastNN.Hosting.Tests.Rest;

/// <summary>What MapFastNN maps of REST and gRPC, and what both have in common.</summary>
public sealed class MapFastNNTests
{
    private readonly EchoModel[] _models = Messages.Models();
    private EchoCatalog _catalog = null!;

    [SetUp]
    public void MakeCatalog() => _catalog = new EchoCatalog(_models);

    [TearDown]
    public void Nothing_is_kept()
    {
        Assert.That(() => _catalog.Live, Is.Zero.After(2000, 20));
        _models[1].OnRun = null;
    }

    [Test]
    public async Task Rest_and_grpc_are_mapped_together()
    {
        await using WebServer server = await StartAsync();
        ModelInferResponse answer = await server.Call<ModelInferResponse>(Messages.Echo());
        string metadata = await server.Http.GetStringAsync(new Uri("v2/models/echo", UriKind.Relative));
        Assert.Multiple(() =>
        {
            Assert.That(answer.ModelName, Is.EqualTo("echo"));
            Assert.That(metadata, Does.StartWith("""{"name":"echo","""));
        });
    }

    [Test]
    public async Task Grpc_can_be_left_out()
    {
        await using WebServer server = await StartAsync(options => options.Grpc = false);
        Assert.That(
            await server.Http.GetStringAsync(new Uri("v2/health/live", UriKind.Relative)), Is.EqualTo("""{"live":true}"""));
        Fails(server.Call<ServerLiveResponse>(new ServerLiveRequest()), StatusCode.Unimplemented);
    }

    [Test]
    public async Task Every_endpoint_of_both_gets_the_conventions_of_its_kind()
    {
        await using WebServer server = await StartAsync(options => options.Configure = (kind, endpoint) =>
            endpoint.Add(builder => builder.Metadata.Add($"for {kind}")));
        RouteEndpoint[] all = [.. server.Endpoints];
        var kinds = all.ToLookup(
            endpoint => endpoint.Metadata.OfType<FastNNEndpoint>().FirstOrDefault(FastNNEndpoint.Metadata),
            endpoint => endpoint.RoutePattern.RawText?.TrimStart('/'));
        Assert.Multiple(() =>
        {
            foreach (RouteEndpoint endpoint in all)
            {
                FastNNEndpoint kind = endpoint.Metadata.OfType<FastNNEndpoint>().FirstOrDefault(FastNNEndpoint.Metadata);
                Assert.That(
                    endpoint.Metadata.OfType<string>(), Is.EqualTo(new[] { $"for {kind}" }), endpoint.RoutePattern.RawText);
            }

            foreach ((FastNNEndpoint kind, string rest, string grpc) in new[]
            {
                (FastNNEndpoint.Health, "v2/health/ready", "ServerReady"),
                (FastNNEndpoint.Health, "v2/models/{name}/ready", "ModelReady"),
                (FastNNEndpoint.Metadata, "v2/models/{name}", "ModelMetadata"),
                (FastNNEndpoint.Metadata, "v2/models/{name}/config", "ModelConfig"),
                (FastNNEndpoint.Inference, "v2/models/{name}/infer", "ModelInfer"),
                (FastNNEndpoint.Inference, "v2/models/{name}/versions/{version}/infer", "ModelStreamInfer"),
                (FastNNEndpoint.Statistics, "v2/models/stats", "ModelStatistics"),
                (FastNNEndpoint.RepositoryIndex, "v2/repository/index", "RepositoryIndex"),
                (FastNNEndpoint.RepositoryControl, "v2/repository/models/{name}/load", "RepositoryModelLoad"),
                (FastNNEndpoint.RepositoryControl, "v2/repository/models/{name}/unload", "RepositoryModelUnload"),
            })
            {
                Assert.That(kinds[kind], Does.Contain(rest));
                Assert.That(kinds[kind], Does.Contain("inference.GRPCInferenceService/" + grpc));
            }
        });
    }

    [Test]
    public async Task No_endpoint_is_unknown_to_the_table_of_access()
    {
        await using WebServer server = await StartAsync();
        string?[] patterns = [.. server.Endpoints.Select(endpoint => endpoint.RoutePattern.RawText)];
        string?[] unknown =
        [
            .. server.Endpoints.Where(endpoint => EndpointAccess.Of(endpoint) == Access.Foreign)
                .Select(endpoint => endpoint.RoutePattern.RawText)
                .Where(pattern => pattern?.StartsWith("{unimplementedService}", StringComparison.Ordinal) == false),
        ];
        Assert.That(patterns, Has.Length.GreaterThan(30));
        Assert.That(unknown, Is.Empty);
    }

    [Test]
    public async Task Conventions_of_the_whole_reach_grpc_as_well()
    {
        await using WebServer server = await WebServer.StartAsync(Add, more: app =>
        {
            app.MapGet("/mine", () => "mine");
        });
        string?[] foreign =
        [
            .. server.Endpoints.Where(endpoint => EndpointAccess.Of(endpoint) == Access.Foreign)
                .Select(endpoint => endpoint.RoutePattern.RawText),
        ];
        Assert.That(foreign, Does.Contain("/mine"));

        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
        Add(builder.Services);
        await using WebApplication app = builder.Build();
        app.MapFastNN().Add(endpoint => endpoint.Metadata.Add("all"));
        RouteEndpoint[] endpoints =
            [.. ((IEndpointRouteBuilder)app).DataSources.SelectMany(source => source.Endpoints).OfType<RouteEndpoint>()];
        Assert.That(endpoints.Select(endpoint => endpoint.Metadata.OfType<string>().Count()), Is.All.EqualTo(1));
    }

    [Test]
    public async Task Mapping_twice_needs_a_prefix_and_no_second_grpc()
    {
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
        Add(builder.Services);
        await using WebApplication app = builder.Build();
        app.MapFastNN();
        app.MapFastNN(options => (options.Prefix, options.Grpc) = ("/second", false));
        Assert.That(
            () => app.MapFastNN(options => options.Prefix = "/third"),
            Throws.InvalidOperationException.With.Message.Contains("set Grpc to false"));
    }

    [Test]
    public async Task Services_that_lack_what_AddFastNN_adds_are_told_so()
    {
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
        await using WebApplication nothing = builder.Build();
        Assert.That(() => nothing.MapFastNN(), Throws.InvalidOperationException.With.Message.Contains("IModelCatalog"));

        builder = WebApplication.CreateSlimBuilder();
        builder.Services.AddSingleton<IModelCatalog>(_catalog);
        await using WebApplication catalogAlone = builder.Build();
        Assert.That(() => catalogAlone.MapFastNN(), Throws.InvalidOperationException.With.Message.Contains("AddFastNN"));
        Assert.That(() => catalogAlone.MapFastNN(options => options.Grpc = false), Throws.Nothing);
    }

    [Test]
    public async Task A_service_without_a_web_server_can_hold_models()
    {
        // In this environment the container makes sure that it can make every service.
        HostApplicationBuilder builder =
            Host.CreateApplicationBuilder(new HostApplicationBuilderSettings { EnvironmentName = Environments.Development });
        builder.Services.AddFastNN();
        using IHost host = builder.Build();
        await host.StartAsync();
        Assert.That(host.Services.GetRequiredService<IModelCatalog>().List(), Is.Empty);
        await host.StopAsync();
    }

    [Test]
    public async Task Limits_and_switches_hold_over_both()
    {
        await using WebServer server = await StartAsync(options =>
        {
            options.MaxTensorBytes = 20;
            options.Statistics = options.Documentation = false;
        });
        Fails(server.Call<ModelInferResponse>(Messages.Echo(rows: 2)), StatusCode.ResourceExhausted);
        Fails(server.Call<ModelStatisticsResponse>(new ModelStatisticsRequest()), StatusCode.Unimplemented);
        Fails(
            server.Call<RepositoryModelLoadResponse>(new RepositoryModelLoadRequest { ModelName = "echo" }),
            StatusCode.PermissionDenied);
        using AsyncDuplexStreamingCall<ServerReflectionRequest, ServerReflectionResponse> reflection =
            new ServerReflection.ServerReflectionClient(server.Channel).ServerReflectionInfo();
        Assert.That(
            Assert.ThrowsAsync<RpcException>(() => reflection.ResponseStream.MoveNext(default))!.StatusCode,
            Is.EqualTo(StatusCode.Unimplemented));
    }

    [Test]
    public async Task A_message_above_the_limit_is_refused_by_a_status()
    {
        await using WebServer server = await StartAsync(options => options.MaxRequestBytes = 1000);
        await server.Call<ModelInferResponse>(Messages.Echo(rows: 10));
        Fails(server.Call<ModelInferResponse>(Messages.Echo(rows: 200)), StatusCode.ResourceExhausted);
    }

    [Test]
    public async Task Interceptors_of_the_application_see_inference()
    {
        var counting = new Counting();
        await using WebServer server = await WebServer.StartAsync(services =>
        {
            Add(services);
            services.AddSingleton(counting);
            services.AddGrpc(options => options.Interceptors.Add<Counting>());
        });
        await server.Call<ModelInferResponse>(Messages.Echo());
        Assert.That(counting.Methods, Is.EqualTo(new[] { "/inference.GRPCInferenceService/ModelInfer" }));
    }

    [Test]
    public async Task A_refused_call_says_when_to_try_again([Values] bool deadline)
    {
        _models[1].OnRun = (_, _) => throw new InferenceException(InferenceFailure.QueueFull, "the queue is full")
        {
            RetryAfter = TimeSpan.FromSeconds(1.2),
        };
        await using WebServer server = await StartAsync();

        // A call with a deadline takes gRPC's own way, one without the short one.
        CallOptions options = deadline ? new CallOptions(deadline: DateTime.UtcNow.AddSeconds(60)) : default;
        RpcException refused = Fails(server.Call<ModelInferResponse>(Messages.Echo(), options), StatusCode.ResourceExhausted);
        Assert.Multiple(() =>
        {
            Assert.That(refused.Status.Detail, Is.EqualTo("the queue is full"));
            Assert.That(refused.Trailers.GetValue("retry-after"), Is.EqualTo("2"));
            Assert.That(refused.Trailers.GetValue("grpc-retry-pushback-ms"), Is.EqualTo("1200"));
        });
    }

    [Test]
    public async Task A_client_that_retries_waits_as_it_is_told()
    {
        int calls = 0;
        _models[1].OnRun = (_, _) => Interlocked.Increment(ref calls) > 1
            ? default
            : throw new InferenceException(InferenceFailure.QueueFull, "the queue is full")
            {
                RetryAfter = TimeSpan.FromMilliseconds(20),
            };
        await using WebServer server = await StartAsync();
        var retry = new MethodConfig
        {
            Names = { MethodName.Default },
            RetryPolicy = new RetryPolicy
            {
                MaxAttempts = 3,
                InitialBackoff = TimeSpan.FromMinutes(10),
                MaxBackoff = TimeSpan.FromMinutes(10),
                BackoffMultiplier = 1,
                RetryableStatusCodes = { StatusCode.ResourceExhausted },
            },
        };
        using GrpcChannel channel = GrpcChannel.ForAddress(
            server.GrpcAddress, new GrpcChannelOptions { ServiceConfig = new ServiceConfig { MethodConfigs = { retry } } });
        using AsyncUnaryCall<ModelInferResponse> call = channel.CreateCallInvoker().AsyncUnaryCall(
            GrpcServer.Method<ModelInferRequest, ModelInferResponse>(MethodType.Unary, "ModelInfer"), null, default,
            Messages.Echo());
        ModelInferResponse answer = await call.ResponseAsync.WaitAsync(TimeSpan.FromSeconds(30));
        Assert.That((answer.ModelName, calls), Is.EqualTo(("echo", 2)));
    }

    [Test]
    public async Task A_call_over_http_1_is_told_what_it_needs()
    {
        await using WebServer server = await StartAsync();
        using var content = new ByteArrayContent([0, 0, 0, 0, 0]);
        content.Headers.ContentType = new("application/grpc");
        using HttpResponseMessage answer =
            await server.Http.PostAsync(new Uri("inference.GRPCInferenceService/ModelInfer", UriKind.Relative), content);
        Assert.That((int)answer.StatusCode, Is.EqualTo(StatusCodes.Status426UpgradeRequired));
    }

    private void Add(IServiceCollection services) => services.AddSingleton<IModelCatalog>(_catalog).AddFastNNGrpc();

    private Task<WebServer> StartAsync(Action<FastNNEndpointOptions>? configure = null) => WebServer.StartAsync(Add, configure);

    private static RpcException Fails<T>(AsyncUnaryCall<T> call, StatusCode status)
    {
        RpcException failure = Assert.ThrowsAsync<RpcException>(async () => await call)!;
        Assert.That(failure.StatusCode, Is.EqualTo(status), failure.Status.Detail);
        return failure;
    }

    private sealed class Counting : Interceptor
    {
        public List<string> Methods { get; } = [];

        public override Task ServerStreamingServerHandler<TRequest, TResponse>(
            TRequest request, IServerStreamWriter<TResponse> responseStream, ServerCallContext context,
            ServerStreamingServerMethod<TRequest, TResponse> continuation)
        {
            Methods.Add(context.Method);
            return continuation(request, responseStream, context);
        }
    }
}
