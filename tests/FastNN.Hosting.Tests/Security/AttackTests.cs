using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using FastNN.Cli.Serving;
using FastNN.Hosting.Tests.Serve;
using FastNN.Hosting.Wire;
using FastNN.Tensors;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;

namespace FastNN.Hosting.Tests.Security;

/// <summary>
/// Clients that mean harm, against the server as the command makes it: each is refused or closed, and nothing is left behind.
/// </summary>
[NonParallelizable]
public sealed class AttackTests : ServeFixture
{
    /// <summary>The beginning of a request.</summary>
    private const string Infer = "POST /v2/models/digits/infer HTTP/1.1\r\nHost: localhost\r\n";

    private static readonly float[] X = [1, 2, 3, 4, 5, 6];

    private WebApplication _app = null!;
    private HttpClient _client = null!;
    private Uri _rest = null!;
    private Uri _grpc = null!;
    private long _blocks;

    [SetUp]
    public async Task Start()
    {
        _blocks = HostMemory.LiveBlocks;
        ServeSettings settings = Settings(("max-request-bytes", "64KiB"));
        settings = settings with
        {
            Server = options =>
            {
                options.MaxRequestBytes = 64 << 10;
                (options.HeaderTimeout, options.KeepAliveTimeout) = (TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(2));
            },
        };
        var ports = new ServePorts(settings, null);
        _app = ServeApplication.Create(settings, ports, new ServeLog(TextWriter.Null));
        await _app.StartAsync();
        (_rest, _grpc) = (new Uri(ports.Rest), new Uri(ports.Grpc!));
        _client = Client(_rest);
    }

    [TearDown]
    public async Task Stop()
    {
        using (HttpResponseMessage answer = await InferAsync(_client, X))
        {
            Assert.That(await OutputAsync(answer), Is.EqualTo(Expected(X)).Within(1e-5), "it answers afterwards");
        }

        BufferPool buffers = _app.Services.GetRequiredService<ModelCatalog>().Buffers;
        for (int i = 0; i < 100 && buffers.Rented != 0; i++)
        {
            await Task.Delay(20);
        }

        Assert.That(buffers.Rented, Is.Zero, "requests kept buffers");
        _client.Dispose();
        await _app.StopAsync();
        await _app.DisposeAsync();
        Assert.That(HostMemory.LiveBlocks, Is.EqualTo(_blocks), "models kept native blocks alive");
    }

    [Test]
    public async Task A_thousand_clients_at_once_are_all_answered_rightly()
    {
        float[] expected = Expected(X);
        HttpClient[] clients = [.. Enumerable.Range(0, 1000).Select(_ => Client(_rest))];
        await Task.WhenAll(clients.Select(async client =>
        {
            using HttpResponseMessage answer = await InferAsync(client, X);
            Assert.That(await OutputAsync(answer), Is.EqualTo(expected).Within(1e-5));
            client.Dispose();
        }));
    }

    [Test]
    public async Task Silent_slow_half_open_and_aborted_clients_are_closed()
    {
        using Socket silent = await ConnectAsync(_rest), silentGrpc = await ConnectAsync(_grpc);
        using Socket slow = await SendAsync(_rest, "GET /v2 HTTP/1.1\r\nHost: localhost\r\nX-Slow: ");
        using Socket half = await SendAsync(_rest, $"{Infer}Content-Length: 99\r\n\r\n{{");
        half.Shutdown(SocketShutdown.Send);
        for (int i = 0; i < 100; i++)
        {
            using Socket aborted = await SendAsync(
                i % 2 == 0 ? _rest : _grpc,
                i % 2 == 0
                    ? $"{Infer}Content-Length: 60000\r\n\r\n{{\"inputs\":[{{\"na"
                    : "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0");
            aborted.LingerState = new LingerOption(true, 0);
        }

        Assert.That(ReadToEnd(half), Does.StartWith("HTTP/1.1 400").Or.Empty);
        Assert.That(ReadToEnd(slow), Does.StartWith("HTTP/1.1 408"));
        Assert.That(ReadToEnd(silent), Is.Empty);
        _ = ReadToEnd(silentGrpc);
    }

    [TestCase("GET /v2 HTTP/9.9\r\n\r\n", "505")]
    [TestCase("GET  /v2  HTTP/1.1\r\n\r\n", "400")]
    [TestCase("GET /v2 HTTP/1.1\r\n\r\n", "400")]
    [TestCase("GET /v2 HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", "400")]
    [TestCase("GET /v2 HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n", "400")]
    [TestCase(Infer + "Content-Length: -1\r\n\r\n", "400")]
    [TestCase(Infer + "Content-Length: 9999999999999999999999\r\n\r\n", "400")]
    [TestCase(Infer + "Transfer-Encoding: chunked\r\n\r\nZZ\r\n", "400")]
    [TestCase("\u0016\u0003\u0001\u0002\0\u0001\0\u0001\u00fc\u0003\u0003\r\n", "400")]
    public async Task Requests_that_are_no_HTTP_are_refused(string request, string status)
    {
        using Socket socket = await SendAsync(_rest, request);

        // Not shut down for sending: a request whose sender is gone may go without an answer.
        string answer = ReadToEnd(socket);
        Assert.That(answer, Does.StartWith($"HTTP/1.1 {status}"));
        Assert.That(answer, Does.Not.Contain("Exception").And.Not.Contain(" at "));
    }

    [Test]
    public async Task Oversized_bodies_and_headers_get_their_4xx()
    {
        using var large = new ByteArrayContent(new byte[(64 << 10) + 1]);
        using HttpResponseMessage answer = await _client.PostAsync("/v2/models/digits/infer", large);
        Assert.That(answer.StatusCode, Is.EqualTo(HttpStatusCode.RequestEntityTooLarge));
        using var chunked = new HttpRequestMessage(HttpMethod.Post, "/v2/models/digits/infer")
        {
            Content = new StringContent($$"""{"inputs":[{{new string(' ', 100_000)}}]}"""),
        };
        chunked.Headers.TransferEncodingChunked = true;
        using HttpResponseMessage second = await _client.SendAsync(chunked);
        Assert.That(second.StatusCode, Is.EqualTo(HttpStatusCode.RequestEntityTooLarge));
        using var header = new HttpRequestMessage(HttpMethod.Get, "/v2");
        header.Headers.Add("X-Long", new string('a', 40_000));
        using HttpResponseMessage third = await _client.SendAsync(header);
        Assert.That((int)third.StatusCode, Is.EqualTo(431));
        using HttpClient grpc = Client(_grpc);
        Assert.That((await GrpcAsync(grpc, "ModelInfer", GrpcRequest(new float[6 * 4000]))).Status, Is.EqualTo(8));
    }

    [TestCase("")]
    [TestCase("{")]
    [TestCase("[]")]
    [TestCase("{\"inputs\":3}")]
    [TestCase("{\"inputs\":[{\"name\":\"input\",\"shape\":[1,6],\"datatype\":\"FP32\",\"data\":[1,2]}]}")]
    [TestCase("{\"inputs\":[{\"name\":\"input\",\"shape\":[-1,6],\"datatype\":\"FP32\",\"data\":[]}]}")]
    [TestCase("{\"inputs\":[{\"name\":\"input\",\"shape\":[1000000000,6],\"datatype\":\"FP32\",\"data\":[1]}]}")]
    [TestCase("{\"inputs\":[{\"name\":\"../input\",\"shape\":[1,6],\"datatype\":\"FP32\",\"data\":[1,2,3,4,5,6]}]}")]
    public async Task Malformed_bodies_get_400_and_a_reason(string body)
    {
        using var content = new StringContent(body);
        using HttpResponseMessage answer = await _client.PostAsync("/v2/models/digits/infer", content);
        string text = await answer.Content.ReadAsStringAsync();
        Assert.That((int)answer.StatusCode, Is.AnyOf(400, 413), text);
        Assert.That(JsonDocument.Parse(text).RootElement.GetProperty("error").GetString(), Is.Not.Empty);
        Assert.That(text, Does.Not.Contain(Folder).And.Not.Contain("Exception"));
    }

    [Test]
    public async Task Damaged_frames_of_grpc_get_a_status()
    {
        using HttpClient grpc = Client(_grpc);
        byte[][] frames =
            [[], [0], [0, 0, 0, 0, 9, 1], [0, 255, 255, 255, 255], [7, 0, 0, 0, 1, 1], [0, 0, 0, 0, 2, 255, 255]];
        foreach (byte[] frame in frames)
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, "/inference.GRPCInferenceService/ModelInfer")
            {
                Version = HttpVersion.Version20,
                VersionPolicy = HttpVersionPolicy.RequestVersionExact,
                Content = new ByteArrayContent(frame),
            };
            request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/grpc");
            using HttpResponseMessage answer = await grpc.SendAsync(request);
            _ = await answer.Content.ReadAsByteArrayAsync();
            string status = answer.Headers.Concat(answer.TrailingHeaders)
                .Single(header => header.Key == "grpc-status").Value.Single();
            Assert.That(status, Is.Not.EqualTo("0"), string.Join(',', frame));
        }
    }

    [TestCase("..")]
    [TestCase("../models/digits")]
    [TestCase("%2e%2e")]
    [TestCase("%2e%2e%2fmodels%2fdigits")]
    [TestCase("..%5cdigits")]
    [TestCase("%2fetc%2fpasswd")]
    [TestCase("/etc/passwd")]
    [TestCase("digits%00")]
    [TestCase("digits%0d%0aX-Injected:%201")]
    public async Task Names_of_models_do_not_leave_the_folder(string name)
    {
        foreach (string path in (string[])
            [$"/v2/models/{name}", $"/v2/models/{name}/infer", $"/v2/models/digits/versions/{name}"])
        {
            string verb = path.EndsWith("infer", StringComparison.Ordinal) ? "POST" : "GET";
            using Socket socket = await SendAsync(
                _rest, $"{verb} {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
            string answer = ReadToEnd(socket);
            // /v2/models/.. is /v2, as addresses are read, and tells about the server.
            Assert.That(
                answer,
                Does.Match("^HTTP/1.1 (400|404|405) ").Or.Contain("\"name\":\"digits\"").Or.Contain("\"name\":\"fastnn\""),
                path);
            Assert.That(answer, Does.Not.Contain(Folder).And.Not.Contain("root:").And.Not.Contain("\r\nX-Injected"));
        }

        using HttpClient grpc = Client(_grpc);
        Assert.That(
            (await GrpcAsync(grpc, "ModelMetadata", new ModelMetadataRequest { Name = Uri.UnescapeDataString(name) })).Status,
            Is.EqualTo(5));
    }

    private static async Task<Socket> ConnectAsync(Uri address)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { ReceiveTimeout = 30_000 };
        await socket.ConnectAsync(address.Host, address.Port);
        return socket;
    }

    private static async Task<Socket> SendAsync(Uri address, string text)
    {
        Socket socket = await ConnectAsync(address);
        await socket.SendAsync(Encoding.Latin1.GetBytes(text));
        return socket;
    }

    private static string ReadToEnd(Socket socket)
    {
        var text = new StringBuilder();
        var buffer = new byte[4096];
        try
        {
            while (socket.Receive(buffer) is > 0 and var count)
            {
                text.Append(Encoding.Latin1.GetString(buffer, 0, count));
            }
        }
        catch (SocketException exception) when (exception.SocketErrorCode == SocketError.ConnectionReset)
        {
            // Closed with our bytes unread.
        }

        return text.ToString();
    }
}
