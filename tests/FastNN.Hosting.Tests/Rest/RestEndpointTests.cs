using System.Net;
using System.Net.Sockets;
using System.Reflection;
using System.Text;
using System.Text.Json.Nodes;

namespace FastNN.Hosting.Tests.Rest;

/// <summary>
/// The calls beside inference, wrong methods and addresses, failures of a model, and connections that break off.
/// </summary>
internal sealed class RestEndpointTests
{
    private const string Valid = """{"inputs":[{"name":"in","shape":[1,3],"datatype":"FP32","data":[1,2,3]}]}""";

    private RestServer _server = null!;
    private FakeModel _matrix = null!;

    [SetUp]
    public async Task Start()
    {
        _matrix = new FakeModel("matrix", new ModelTensor("in", TensorDataType.Float32, [-1, 3]));
        _server = await RestServer.StartAsync(
            options =>
            {
                options.RepositoryControl = true;
                options.MaxRequestBytes = 4096;
            },
            new FakeCatalog(_matrix));
    }

    [TearDown]
    public async Task Stop() => await _server.DisposeAsync();

    [TestCase(
        "v2", """{"name":"fastnn","version":"VERSION","extensions":["binary_tensor_data","classification","model_configuration","model_repository","parameters","schedule_policy","statistics"]}""")]
    [TestCase("v2/health/live", """{"live":true}""")]
    [TestCase("v2/health/ready", """{"ready":true}""")]
    [TestCase("v2/models/matrix/ready", """{"name":"matrix","ready":true}""")]
    [TestCase("v2/models/matrix/versions/1/ready", """{"name":"matrix","ready":true}""")]
    [TestCase(
        "v2/models/matrix", """{"name":"matrix","versions":["1"],"platform":"onnx","inputs":[{"name":"in","datatype":"FP32","shape":[-1,3]}],"outputs":[{"name":"out","datatype":"FP32","shape":[-1,3]}]}""")]
    [TestCase(
        "v2/models/matrix/config", """{"name":"matrix","platform":"onnx","backend":"fastnn","version_policy":{"specific":{"versions":["1"]}},"max_batch_size":0,"input":[{"name":"in","data_type":"TYPE_FP32","dims":[-1,3]}],"output":[{"name":"out","data_type":"TYPE_FP32","dims":[-1,3]}]}""")]
    [TestCase(
        "v2/models/stats", """{"model_stats":[{"name":"matrix","version":"1","last_inference":5,"inference_count":4,"execution_count":2,"inference_stats":{"success":{"count":2,"ns":300},"fail":{"count":0,"ns":0},"queue":{"count":2,"ns":300},"compute_input":{"count":2,"ns":300},"compute_infer":{"count":2,"ns":300},"compute_output":{"count":2,"ns":300},"cache_hit":{"count":0,"ns":0},"cache_miss":{"count":0,"ns":0}},"batch_stats":[{"batch_size":2,"compute_input":{"count":2,"ns":300},"compute_infer":{"count":2,"ns":300},"compute_output":{"count":2,"ns":300}}]}]}""")]
    public async Task Every_address_tells_what_the_protocol_says(string address, string expected)
    {
        string version =
            typeof(IModel).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()!.InformationalVersion;
        expected = expected.Replace("VERSION", version.Split('+')[0], StringComparison.Ordinal);
        foreach (HttpClient client in (HttpClient[])[_server.Client, _server.Client2])
        {
            Assert.That(await client.GetStringAsync(new Uri(address, UriKind.Relative)), Is.EqualTo(expected));
            using var head = new HttpRequestMessage(HttpMethod.Head, new Uri(address, UriKind.Relative))
            {
                Version = client.DefaultRequestVersion,
                VersionPolicy = client.DefaultVersionPolicy,
            };
            using HttpResponseMessage answer = await client.SendAsync(head);
            Assert.That(answer.Content.Headers.ContentLength, Is.EqualTo(expected.Length));
        }
    }

    [Test]
    public async Task A_model_that_loads_is_told_as_not_ready()
    {
        _ = _server.Catalog.Loading.Add("matrix");
        using HttpResponseMessage health = await _server.Client.GetAsync(new Uri("v2/health/ready", UriKind.Relative));
        Assert.That(health.StatusCode, Is.EqualTo(HttpStatusCode.ServiceUnavailable));
        HttpResponseMessage ready = await _server.Client.GetAsync(new Uri("v2/models/matrix/ready", UriKind.Relative));
        Assert.That(ready.Headers.RetryAfter!.Delta, Is.EqualTo(TimeSpan.FromSeconds(1)));
        _ = await RestInferTests.ExpectErrorAsync(HttpStatusCode.ServiceUnavailable, ready);
    }

    [TestCase("GET", "v2/nothing", HttpStatusCode.NotFound)]
    [TestCase("GET", "v2/models/none", HttpStatusCode.NotFound)]
    [TestCase("GET", "v2/models/matrix/versions/2", HttpStatusCode.NotFound)]
    [TestCase("POST", "v2/models/none/infer", HttpStatusCode.NotFound)]
    [TestCase("GET", "v2/models/..%2F..%2Fetc/config", HttpStatusCode.NotFound)]
    [TestCase("GET", "v2/models/matrix/infer", HttpStatusCode.MethodNotAllowed)]
    [TestCase("DELETE", "v2/models/matrix", HttpStatusCode.MethodNotAllowed)]
    [TestCase("POST", "v2/health/live", HttpStatusCode.MethodNotAllowed)]
    [TestCase("NONSENSE", "v2", HttpStatusCode.MethodNotAllowed)]
    public async Task A_wrong_address_or_method_gets_an_error_object(string method, string address, HttpStatusCode status)
    {
        using var request = new HttpRequestMessage(new HttpMethod(method), new Uri(address, UriKind.Relative));
        HttpResponseMessage answer = await _server.Client.SendAsync(request);
        Assert.That(answer.Content.Headers.Allow, status == HttpStatusCode.MethodNotAllowed ? Is.Not.Empty : Is.Empty);
        Assert.That(await RestInferTests.ExpectErrorAsync(status, answer), Is.Not.Empty);
    }

    [Test]
    public async Task Options_tells_the_methods()
    {
        using var request = new HttpRequestMessage(HttpMethod.Options, new Uri("v2/models/matrix/infer", UriKind.Relative));
        using HttpResponseMessage answer = await _server.Client.SendAsync(request);
        Assert.That(answer.StatusCode, Is.EqualTo(HttpStatusCode.NoContent));
        Assert.That(answer.Content.Headers.Allow, Is.EqualTo(["POST", "OPTIONS"]));
    }

    [Test]
    public async Task The_OpenAPI_document_has_every_address_and_each_answers()
    {
        JsonNode document = JsonNode.Parse(await _server.Client.GetStringAsync(new Uri("v2/openapi.json", UriKind.Relative)))!;
        JsonObject paths = document["paths"]!.AsObject();
        Assert.That(paths, Has.Count.EqualTo(19));
        foreach ((string path, JsonNode? item) in paths)
        {
            string method = item!.AsObject().Single().Key;
            string address = path.Replace("{name}", "matrix", StringComparison.Ordinal)
                .Replace("{version}", "1", StringComparison.Ordinal);
            using var request =
                new HttpRequestMessage(new HttpMethod(method.ToUpperInvariant()), new Uri(address, UriKind.Relative));
            request.Content = path.EndsWith("/infer", StringComparison.Ordinal) ? new StringContent(Valid) : null;
            using HttpResponseMessage answer = await _server.Client.SendAsync(request);
            Assert.That(answer.StatusCode, Is.EqualTo(HttpStatusCode.OK), path);
        }
    }

    [Test]
    public async Task The_page_shows_every_address_and_fetches_nothing()
    {
        using HttpResponseMessage answer = await _server.Client.GetAsync(new Uri("v2/docs", UriKind.Relative));
        string page = await answer.Content.ReadAsStringAsync();
        Assert.That(page, Does.Contain("/v2/models/{name}/infer").And.Contain("&quot;inputs&quot;"));
        Assert.That(page, Does.Not.Contain("<script").And.Not.Contain("http:").And.Not.Contain("https:").And.Not.Contain("src="));
        Assert.That(answer.Headers.GetValues("Content-Security-Policy").Single(), Does.StartWith("default-src 'none'"));
    }

    [Test]
    public async Task A_prefix_stands_before_every_address()
    {
        await using RestServer server = await RestServer.StartAsync(options => options.Prefix = "/mine");
        Assert.That(await server.Client.GetStringAsync(new Uri("mine/v2/health/live", UriKind.Relative)),
            Is.EqualTo("""{"live":true}"""));
        string document = await server.Client.GetStringAsync(new Uri("mine/v2/openapi.json", UriKind.Relative));
        Assert.That(JsonNode.Parse(document)!["servers"]![0]!["url"]!.GetValue<string>(), Is.EqualTo("/mine"));
        using HttpResponseMessage bare = await server.Client.GetAsync(new Uri("v2", UriKind.Relative));
        Assert.That(bare.StatusCode, Is.EqualTo(HttpStatusCode.NotFound));
    }

    [Test]
    public async Task Models_are_listed_loaded_and_unloaded()
    {
        Assert.That(await PostAsync("v2/repository/index", ""),
            Is.EqualTo((HttpStatusCode.OK, """[{"name":"matrix","version":"1","state":"READY","reason":""}]""")));
        _ = _server.Catalog.Loading.Add("matrix");
        Assert.That(await PostAsync("v2/repository/index", """{"ready":true}"""), Is.EqualTo((HttpStatusCode.OK, "[]")));
        Assert.That(await PostAsync("v2/repository/models/a/load", ""), Is.EqualTo((HttpStatusCode.OK, "")));
        Assert.That(await PostAsync("v2/repository/models/a/load", """{"parameters":{"version":"3"}}"""),
            Is.EqualTo((HttpStatusCode.OK, "")));
        Assert.That(await PostAsync("v2/repository/models/a/versions/2/unload", """{"parameters":{"unload_dependents":false}}"""),
            Is.EqualTo((HttpStatusCode.OK, "")));
        Assert.That(_server.Catalog.Log, Is.EqualTo(["load a ", "load a 3", "unload a 2"]));
        Assert.That((await PostAsync("v2/repository/models/a/load", """{"parameters":{"config":"{}"}}""")).Status,
            Is.EqualTo(HttpStatusCode.BadRequest));
        Assert.That((await PostAsync("v2/repository/models/a/load", "{")).Status, Is.EqualTo(HttpStatusCode.BadRequest));
        Assert.That(_server.Catalog.Log, Has.Count.EqualTo(3));
    }

    [Test]
    public async Task Loading_is_refused_unless_it_is_allowed()
    {
        var catalog = new FakeCatalog();
        await using RestServer server = await RestServer.StartAsync(catalog: catalog);
        foreach (string verb in (string[])["load", "unload"])
        {
            HttpResponseMessage answer =
                await server.Client.PostAsync(new Uri($"v2/repository/models/a/{verb}", UriKind.Relative), null);
            _ = await RestInferTests.ExpectErrorAsync(HttpStatusCode.Forbidden, answer);
        }

        Assert.That(catalog.Log, Is.Empty);
    }

    [TestCase(InferenceFailure.InvalidInput, 400)]
    [TestCase(InferenceFailure.NotFound, 404)]
    [TestCase(InferenceFailure.NotReady, 503)]
    [TestCase(InferenceFailure.QueueFull, 503)]
    [TestCase(InferenceFailure.ShuttingDown, 503)]
    [TestCase(InferenceFailure.DeadlineExceeded, 504)]
    [TestCase(InferenceFailure.Failed, 500)]
    public async Task Every_failure_of_a_model_has_its_status(InferenceFailure failure, int status)
    {
        _matrix.Run = (_, _) => throw new InferenceException(failure, "because", new IOException("/secret/path"))
        {
            RetryAfter = TimeSpan.FromSeconds(1.2),
        };
        HttpResponseMessage answer = await RestInferTests.PostAsync(_server.Client, "matrix", Valid);
        Assert.That(answer.Headers.RetryAfter?.Delta, Is.EqualTo(status == 503 ? TimeSpan.FromSeconds(2) : (TimeSpan?)null));
        Assert.That(await RestInferTests.ExpectErrorAsync((HttpStatusCode)status, answer), Is.EqualTo("because"));
    }

    [Test]
    public async Task An_exception_tells_the_caller_nothing_of_the_server()
    {
        _matrix.Run = (_, _) => throw new InvalidOperationException("/secret/path");
        HttpResponseMessage answer = await RestInferTests.PostAsync(_server.Client, "matrix", Valid);
        Assert.That(await RestInferTests.ExpectErrorAsync(HttpStatusCode.InternalServerError, answer),
            Does.Not.Contain("secret").And.Not.Contain("Exception"));
    }

    [Test]
    public async Task Priority_and_timeout_reach_the_call()
    {
        int priority = 0;
        double left = 0;
        _matrix.Run = (call, _) =>
        {
            priority = call.Priority;
            left = TimeProvider.System.GetElapsedTime(TimeProvider.System.GetTimestamp(), call.Deadline).TotalSeconds;
            return default;
        };
        using (await RestInferTests.PostAsync(_server.Client, "matrix",
            Valid.Replace("{\"inputs", """{"parameters":{"priority":1,"timeout":60000000},"inputs""", StringComparison.Ordinal)))
        {
            Assert.That(priority, Is.EqualTo(9));
            Assert.That(left, Is.InRange(30, 60));
        }
    }

    [Test]
    public async Task An_error_is_readable_and_no_page()
    {
        using HttpResponseMessage answer =
            await _server.Client.GetAsync(new Uri("v2/models/%3Cb%3E%D1%91", UriKind.Relative));
        Assert.Multiple(async () =>
        {
            Assert.That(
                await answer.Content.ReadAsStringAsync(), Is.EqualTo("""{"error":"model '<b>ё' is loading or unknown"}"""));
            Assert.That(answer.Content.Headers.ContentType!.MediaType, Is.EqualTo("application/json"));
            Assert.That(answer.Headers.GetValues("X-Content-Type-Options"), Is.EqualTo(new[] { "nosniff" }));
        });
    }

    [Test]
    public async Task A_body_above_the_limit_gets_413_however_it_comes()
    {
        using var stream = new MemoryStream(new byte[5000]);
        using var chunked = new StreamContent(stream);
        using var request =
            new HttpRequestMessage(HttpMethod.Post, new Uri("v2/models/matrix/infer", UriKind.Relative)) { Content = chunked };
        request.Headers.TransferEncodingChunked = true;
        HttpResponseMessage refused = await _server.Client.SendAsync(request);
        Assert.That(refused.Headers.ConnectionClose, Is.True, "the rest of the body is still on its way");
        _ = await RestInferTests.ExpectErrorAsync(HttpStatusCode.RequestEntityTooLarge, refused);
        _ = await RestInferTests.ExpectErrorAsync(HttpStatusCode.RequestEntityTooLarge,
            await RestInferTests.PostAsync(_server.Client, "matrix", new string(' ', 5000)));
        using var memory = new MemoryStream();
        using (var gzip = new System.IO.Compression.GZipStream(
            memory, System.IO.Compression.CompressionLevel.SmallestSize, leaveOpen: true))
        {
            gzip.Write(new byte[1_000_000]);
        }

        using var bomb = new ByteArrayContent(memory.ToArray());
        bomb.Headers.ContentEncoding.Add("gzip");
        _ = await RestInferTests.ExpectErrorAsync(
            HttpStatusCode.RequestEntityTooLarge,
            await _server.Client.PostAsync(new Uri("v2/models/matrix/infer", UriKind.Relative), bomb));
    }

    [Test]
    public async Task A_client_that_leaves_takes_its_call_from_the_model()
    {
        var begun = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var left = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _matrix.Run = async (_, cancellation) =>
        {
            begun.SetResult();
            await using CancellationTokenRegistration registration = cancellation.Register(left.SetResult);
            await Task.Delay(Timeout.Infinite, cancellation);
        };
        using (var client = new TcpClient())
        {
            await client.ConnectAsync(_server.Address.Host, _server.Address.Port);
            await client.GetStream().WriteAsync(Encoding.ASCII.GetBytes(
                $"POST /v2/models/matrix/infer HTTP/1.1\r\nHost: x\r\nContent-Length: {Valid.Length}\r\n\r\n{Valid}"));
            await begun.Task.WaitAsync(TimeSpan.FromSeconds(10));
        }

        await left.Task.WaitAsync(TimeSpan.FromSeconds(10));
    }

    [Test]
    public async Task An_upload_that_breaks_off_leaves_the_server_at_work()
    {
        using (var client = new TcpClient())
        {
            await client.ConnectAsync(_server.Address.Host, _server.Address.Port);
            await client.GetStream().WriteAsync(
                Encoding.ASCII.GetBytes("POST /v2/models/matrix/infer HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{"));
        }

        using HttpResponseMessage answer = await RestInferTests.PostAsync(_server.Client, "matrix", Valid);
        Assert.That(answer.StatusCode, Is.EqualTo(HttpStatusCode.OK));
        Assert.That(_matrix.Live, Is.Zero);
    }

    private async Task<(HttpStatusCode Status, string Body)> PostAsync(string address, string json)
    {
        using var content = new StringContent(json);
        using HttpResponseMessage answer = await _server.Client.PostAsync(new Uri(address, UriKind.Relative), content);
        string body = await answer.Content.ReadAsStringAsync();
        if (!answer.IsSuccessStatusCode)
        {
            Assert.That(JsonNode.Parse(body)!["error"], Is.Not.Null);
        }

        return (answer.StatusCode, body);
    }
}
