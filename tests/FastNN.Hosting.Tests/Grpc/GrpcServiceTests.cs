using System.Diagnostics;
using System.Net;
using System.Net.Http.Headers;
using FastNN.Hosting.Wire;
using Google.Protobuf;
using Grpc.Core;
using Grpc.Health.V1;
using Grpc.Reflection.V1;

namespace FastNN.Hosting.Tests.Rpc;

/// <summary>The service as a client over the network meets it.</summary>
public sealed class GrpcServiceTests
{
    private EchoModel[] _models = null!;
    private EchoCatalog _catalog = null!;
    private GrpcServingOptions _options = null!;
    private GrpcServer _server = null!;

    [SetUp]
    public async Task Start()
    {
        _models = Messages.Models();
        _catalog = new EchoCatalog(_models);
        _options = new GrpcServingOptions { MaxRequestBytes = 1 << 20, MaxTensorBytes = 1 << 20, RepositoryControl = true };
        _server = await GrpcServer.StartAsync(_catalog, _options);
    }

    [TearDown]
    public async Task Stop()
    {
        await _server.DisposeAsync();
        for (int i = 0; i < 50 && _catalog.Live != 0; i++)
        {
            GC.Collect();
            GC.WaitForPendingFinalizers();
            await Task.Delay(10);
        }

        Assert.That(_catalog.Live, Is.Zero, "calls were not given back");
    }

    [Test]
    public async Task The_server_tells_what_it_is_and_what_it_serves()
    {
        ServerMetadataResponse server = await _server.Call<ServerMetadataResponse>(new ServerMetadataRequest());
        ModelMetadataResponse model = await _server.Call<ModelMetadataResponse>(new ModelMetadataRequest { Name = "echo" });
        ModelConfigResponse config = await _server.Call<ModelConfigResponse>(new ModelConfigRequest { Name = "Bytes" });
        ServerLiveResponse live = await _server.Call<ServerLiveResponse>(new ServerLiveRequest());
        ServerReadyResponse ready = await _server.Call<ServerReadyResponse>(new ServerReadyRequest());
        ModelReadyResponse echo = await _server.Call<ModelReadyResponse>(new ModelReadyRequest { Name = "echo", Version = "1" });
        ModelReadyResponse broken = await _server.Call<ModelReadyResponse>(new ModelReadyRequest { Name = "broken" });
        Assert.Multiple(() =>
        {
            Assert.That(server.Name, Is.EqualTo("fastnn"));
            Assert.That(server.Extensions, Does.Contain("classification").And.Contain("model_repository"));
            Assert.That(model.Versions, Is.EqualTo(new[] { "1", "2" }));
            Assert.That(model.Inputs[0].Shape, Is.EqualTo(new long[] { -1, 3 }));
            Assert.That(model.Outputs[0].Datatype, Is.EqualTo("FP32"));
            Assert.That(config.Config.Input[0].DataType, Is.EqualTo(DataType.TypeString));
            Assert.That(config.Config.VersionPolicy.Specific.Versions, Is.EqualTo(new[] { 1L }));
            Assert.That(live.Live && ready.Ready && echo.Ready);
            Assert.That(broken.Ready, Is.False);
        });
    }

    [Test]
    public async Task Configurations_name_every_type()
    {
        foreach (TensorDataType type in Enum.GetValues<TensorDataType>())
        {
            ModelConfigResponse config =
                await _server.Call<ModelConfigResponse>(new ModelConfigRequest { Name = type.ToString() });
            string expected = Protocol.TensorDataTypes.ConfigName(type).Replace("_", "", StringComparison.Ordinal);
            Assert.That(config.Config.Input[0].DataType.ToString().ToUpperInvariant(), Is.EqualTo(expected));
        }
    }

    [Test]
    public async Task Statistics_come_in_nanoseconds()
    {
        ModelStatisticsResponse all = await _server.Call<ModelStatisticsResponse>(new ModelStatisticsRequest());
        Wire.ModelStatistics model = all.ModelStats.Single();
        Assert.Multiple(() =>
        {
            Assert.That(model.LastInference, Is.EqualTo(5));
            Assert.That(model.InferenceCount, Is.EqualTo(7));
            Assert.That(model.InferenceStats.Success.Ns, Is.EqualTo(60));
            Assert.That(model.BatchStats[0].ComputeOutput.Count, Is.EqualTo(5));
        });
    }

    [Test]
    public async Task The_repository_is_listed_loaded_and_unloaded()
    {
        RepositoryIndexResponse all = await _server.Call<RepositoryIndexResponse>(new RepositoryIndexRequest());
        RepositoryIndexResponse ready = await _server.Call<RepositoryIndexResponse>(new RepositoryIndexRequest { Ready = true });
        await _server.Call<RepositoryModelLoadResponse>(new RepositoryModelLoadRequest { ModelName = "echo" });
        await _server.Call<RepositoryModelUnloadResponse>(new RepositoryModelUnloadRequest
        {
            ModelName = "echo",
            Parameters =
            {
                { "version", new ModelRepositoryParameter { StringParam = "2" } },
                { "unload_dependents", new ModelRepositoryParameter { BoolParam = false } },
            },
        });
        Assert.Multiple(() =>
        {
            Assert.That(all.Models.Single(model => model.Name == "broken").State, Is.EqualTo("UNAVAILABLE"));
            Assert.That(ready.Models.Select(model => model.Name), Does.Not.Contain("broken"));
            Assert.That(_catalog.Managed, Is.EqualTo(new[] { "load echo ", "unload echo 2" }));
            Fails(_server.Call<RepositoryModelLoadResponse>(new RepositoryModelLoadRequest { ModelName = "nobody" }),
                StatusCode.NotFound);
            Fails(
                _server.Call<RepositoryModelLoadResponse>(new RepositoryModelLoadRequest
                {
                    ModelName = "echo",
                    Parameters = { { "file:1/model.onnx", new ModelRepositoryParameter { StringParam = "x" } } },
                }),
                StatusCode.InvalidArgument);
        });
        _options.RepositoryControl = false;
        Fails(_server.Call<RepositoryModelLoadResponse>(new RepositoryModelLoadRequest { ModelName = "echo" }),
            StatusCode.PermissionDenied);
    }

    [Test]
    public async Task Inference_answers_small_and_large(
        [Values(1, 1000, 80_000)] int rows, [Values(null, "gzip")] string? encoding)
    {
        ModelInferRequest request = Messages.Echo(rows);
        ModelInferResponse answer = await _server.Call<ModelInferResponse>(request, encoding: encoding);
        Assert.That(answer.RawOutputContents[0], Is.EqualTo(request.RawInputContents[0]));
    }

    [Test]
    public void Messages_above_the_limit_are_refused_compressed_or_not([Values(null, "gzip")] string? encoding)
    {
        var request = new ModelInferRequest { ModelName = "echo", RawInputContents = { ByteString.CopyFrom(new byte[8 << 20]) } };
        Fails(_server.Call<ModelInferResponse>(request, encoding: encoding), StatusCode.ResourceExhausted);
    }

    [TestCase(InferenceFailure.InvalidInput, StatusCode.InvalidArgument)]
    [TestCase(InferenceFailure.NotFound, StatusCode.NotFound)]
    [TestCase(InferenceFailure.NotReady, StatusCode.Unavailable)]
    [TestCase(InferenceFailure.QueueFull, StatusCode.ResourceExhausted)]
    [TestCase(InferenceFailure.DeadlineExceeded, StatusCode.DeadlineExceeded)]
    [TestCase(InferenceFailure.ShuttingDown, StatusCode.Unavailable)]
    [TestCase(InferenceFailure.Failed, StatusCode.Internal)]
    public void Failures_have_their_status(InferenceFailure failure, StatusCode status)
    {
        Highest.OnRun = (_, _) => throw new InferenceException(failure, "the reason", new IOException("/secret/path"));
        RpcException told = Fails(_server.Call<ModelInferResponse>(Messages.Echo()), status);
        Assert.That(told.Status.Detail, Is.EqualTo("the reason"));
    }

    [Test]
    public void What_nobody_expected_is_told_without_its_message()
    {
        Highest.OnRun = (_, _) => throw new IOException("/secret/path");
        Assert.That(Fails(_server.Call<ModelInferResponse>(Messages.Echo()), StatusCode.Internal).Status.Detail,
            Does.Not.Contain("secret"));
    }

    [Test]
    public void The_deadline_of_the_call_is_the_model_s()
    {
        long deadline = 0;
        Highest.OnRun = async (call, cancellation) =>
        {
            deadline = call.Deadline;
            await Task.Delay(Timeout.Infinite, cancellation);
        };
        long start = Stopwatch.GetTimestamp();
        Fails(
            _server.Call<ModelInferResponse>(Messages.Echo(), new CallOptions(deadline: DateTime.UtcNow.AddSeconds(0.5))),
            StatusCode.DeadlineExceeded);
        Assert.That((deadline - start) / (double)Stopwatch.Frequency, Is.EqualTo(0.5).Within(0.4));
    }

    [Test]
    public async Task Parameters_set_priority_and_deadline()
    {
        (int priority, long deadline) = (0, 0);
        Highest.OnRun = (call, _) =>
        {
            (priority, deadline) = (call.Priority, call.Deadline);
            return default;
        };
        ModelInferRequest request = Messages.Echo();
        request.Parameters.Add("priority", new InferParameter { Uint64Param = 1 });
        request.Parameters.Add("timeout", new InferParameter { Int64Param = 3_600_000_000 });
        long start = Stopwatch.GetTimestamp();
        await _server.Call<ModelInferResponse>(request);
        Assert.Multiple(() =>
        {
            Assert.That(priority, Is.Positive);
            Assert.That((deadline - start) / (double)Stopwatch.Frequency, Is.EqualTo(3600).Within(5));
        });
    }

    [Test]
    public async Task A_cancelled_call_leaves_the_model()
    {
        var (entered, left) = (new TaskCompletionSource(), new TaskCompletionSource());
        Highest.OnRun = async (_, cancellation) =>
        {
            entered.SetResult();
            using CancellationTokenRegistration registration = cancellation.Register(left.SetResult);
            await Task.Delay(Timeout.Infinite, cancellation);
        };
        using var source = new CancellationTokenSource();
        AsyncUnaryCall<ModelInferResponse> call = _server.Call<ModelInferResponse>(
            Messages.Echo(), new CallOptions(cancellationToken: source.Token));
        await entered.Task.WaitAsync(TimeSpan.FromSeconds(10));
        await source.CancelAsync();
        await left.Task.WaitAsync(TimeSpan.FromSeconds(10));
        Fails(call, StatusCode.Cancelled);
    }

    [Test]
    public async Task A_stream_answers_every_request_also_behind_one_that_failed()
    {
        using AsyncDuplexStreamingCall<ModelInferRequest, ModelStreamInferResponse> stream = _server.Stream();
        ModelInferRequest wrong = Messages.Echo();
        wrong.Inputs[0].Name = "y";
        foreach (ModelInferRequest request in new[] { Messages.Echo(), wrong, Messages.Echo(rows: 2) })
        {
            await stream.RequestStream.WriteAsync(request);
        }

        await stream.RequestStream.CompleteAsync();
        var answers = new List<ModelStreamInferResponse>();
        await foreach (ModelStreamInferResponse answer in stream.ResponseStream.ReadAllAsync())
        {
            answers.Add(answer);
        }

        Assert.Multiple(() =>
        {
            Assert.That(answers, Has.Count.EqualTo(3));
            Assert.That(answers[0].InferResponse.Parameters["triton_final_response"].BoolParam);
            Assert.That(answers[1].ErrorMessage, Does.Contain("no input 'y'"));
            Assert.That(answers[1].InferResponse.Id, Is.EqualTo("request 1"));
            Assert.That(answers[2].ErrorMessage, Is.Empty);
            Assert.That(answers[2].InferResponse.Outputs[0].Shape, Is.EqualTo(new long[] { 2, 3 }));
        });
    }

    [Test]
    public async Task Health_is_that_of_the_server_or_of_a_model()
    {
        var health = new global::Grpc.Health.V1.Health.HealthClient(_server.Channel);
        Assert.That((await health.CheckAsync(new HealthCheckRequest())).Status,
            Is.EqualTo(HealthCheckResponse.Types.ServingStatus.Serving));
        Assert.That(
            (await health.CheckAsync(new HealthCheckRequest { Service = "broken" })).Status,
            Is.EqualTo(HealthCheckResponse.Types.ServingStatus.NotServing));
        Fails(health.CheckAsync(new HealthCheckRequest { Service = "nobody" }), StatusCode.NotFound);

        using AsyncServerStreamingCall<HealthCheckResponse> watch = health.Watch(new HealthCheckRequest());
        Assert.That(await watch.ResponseStream.MoveNext(default));
        _catalog.IsReady = false;
        Assert.That(await watch.ResponseStream.MoveNext(default));
        Assert.That(watch.ResponseStream.Current.Status, Is.EqualTo(HealthCheckResponse.Types.ServingStatus.NotServing));
    }

    [Test]
    public async Task Reflection_describes_the_service_and_its_messages()
    {
        using AsyncDuplexStreamingCall<ServerReflectionRequest, ServerReflectionResponse> call =
            new ServerReflection.ServerReflectionClient(_server.Channel).ServerReflectionInfo();
        await call.RequestStream.WriteAsync(new ServerReflectionRequest { ListServices = "" });
        await call.RequestStream.WriteAsync(
            new ServerReflectionRequest { FileContainingSymbol = "inference.GRPCInferenceService" });
        await call.RequestStream.CompleteAsync();
        Assert.That(await call.ResponseStream.MoveNext(default));
        string[] services = [.. call.ResponseStream.Current.ListServicesResponse.Service.Select(service => service.Name)];
        Assert.That(await call.ResponseStream.MoveNext(default));
        Assert.Multiple(() =>
        {
            Assert.That(services, Does.Contain("inference.GRPCInferenceService").And.Contain("grpc.health.v1.Health"));
            Assert.That(call.ResponseStream.Current.FileDescriptorResponse.FileDescriptorProto, Is.Not.Empty);
        });
    }

    [Test]
    public void A_method_that_is_not_served_is_unimplemented() => Fails(
        _server.Calls.AsyncUnaryCall(
            GrpcServer.Method<IMessage, ServerLiveResponse>(MethodType.Unary, "SystemSharedMemoryStatus"), null, default,
            new ServerLiveRequest()),
        StatusCode.Unimplemented);

    [Test]
    public async Task Requests_that_break_the_framing_give_everything_back(
        [Values("second message", "broken off", "not compressed", "cut in its message", "cut in its prefix", "nothing")]
        string what,
        [Values("gzip", "identity", null)] string? encoding)
    {
        byte[] message = Messages.Echo().ToByteArray();
        byte[] framed = [what == "not compressed" ? (byte)1 : (byte)0, 0, 0, 0, (byte)message.Length, .. message];
        var body = new BrokenContent(what switch
        {
            "second message" => [.. framed, .. framed],
            "cut in its message" => framed[..^1],
            "cut in its prefix" => framed[..4],
            "nothing" => [],
            _ => framed,
        }, what == "broken off");
        body.Headers.ContentType = new MediaTypeHeaderValue("application/grpc");
        using var client = new HttpClient();
        using HttpRequestMessage request = ModelInfer(body);
        if (encoding is not null)
        {
            request.Headers.Add("grpc-encoding", encoding);
        }

        if (what == "broken off")
        {
            Assert.ThrowsAsync<HttpRequestException>(() => client.SendAsync(request));
        }
        else
        {
            using HttpResponseMessage response = await client.SendAsync(request);
            IEnumerable<string> status = response.Headers.TryGetValues("grpc-status", out IEnumerable<string>? early)
                ? early
                : response.TrailingHeaders.GetValues("grpc-status");
            Assert.That(status.Single(), Is.Not.EqualTo("0"));
        }

        ModelInferResponse next = await _server.Call<ModelInferResponse>(Messages.Echo());
        Assert.That(next.Id, Is.EqualTo("request 1"));
    }

    private HttpRequestMessage ModelInfer(HttpContent body) => new(
        HttpMethod.Post, _server.Address + "/inference.GRPCInferenceService/ModelInfer")
    {
        Content = body,
        Version = HttpVersion.Version20,
        VersionPolicy = HttpVersionPolicy.RequestVersionExact,
    };

    [Test]
    public async Task A_message_that_comes_in_pieces_is_answered()
    {
        byte[] message = Messages.Echo(rows: 3).ToByteArray();
        byte[] framed = [0, 0, 0, 0, (byte)message.Length, .. message];
        using var body = new PiecemealContent(framed[..3], framed[3..20], framed[20..]);
        body.Headers.ContentType = new MediaTypeHeaderValue("application/grpc+proto");
        using var client = new HttpClient();
        using HttpRequestMessage request = ModelInfer(body);
        using HttpResponseMessage response = await client.SendAsync(request);
        byte[] answer = await response.Content.ReadAsByteArrayAsync();
        Assert.Multiple(() =>
        {
            Assert.That(response.TrailingHeaders.GetValues("grpc-status").Single(), Is.EqualTo("0"));
            Assert.That(response.Content.Headers.ContentType!.ToString(), Is.EqualTo("application/grpc"));
            Assert.That(ModelInferResponse.Parser.ParseFrom(answer[5..]).Outputs[0].Shape, Is.EqualTo(new long[] { 3, 3 }));
        });
    }

    [Test]
    public async Task A_model_that_is_not_loaded_is_unavailable_in_the_index()
    {
        _catalog.Unloaded = "resting";
        RepositoryIndexResponse index = await _server.Call<RepositoryIndexResponse>(new RepositoryIndexRequest());
        Assert.That(index.Models.Single(model => model.Name == "resting").State, Is.EqualTo("UNAVAILABLE"));
    }

    private EchoModel Highest => _models[1];

    private static RpcException Fails<T>(AsyncUnaryCall<T> call, StatusCode status)
    {
        RpcException failure = Assert.ThrowsAsync<RpcException>(async () => await call);
        Assert.That(failure.StatusCode, Is.EqualTo(status), failure.Status.Detail);
        return failure;
    }

    /// <summary>Bytes that are sent with pauses between them.</summary>
    private sealed class PiecemealContent(params byte[][] pieces) : HttpContent
    {
        protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context)
        {
            foreach (byte[] piece in pieces)
            {
                await stream.WriteAsync(piece);
                await stream.FlushAsync();
                await Task.Delay(30);
            }
        }

        protected override bool TryComputeLength(out long length)
        {
            length = 0;
            return false;
        }
    }

    /// <summary>Bytes behind which the connection may be broken off.</summary>
    private sealed class BrokenContent(byte[] bytes, bool breakOff) : HttpContent
    {
        protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context)
        {
            await stream.WriteAsync(bytes);
            await stream.FlushAsync();
            if (breakOff)
            {
                await Task.Delay(100);
                throw new IOException("broken off");
            }
        }

        protected override bool TryComputeLength(out long length)
        {
            length = 0;
            return false;
        }
    }
}
