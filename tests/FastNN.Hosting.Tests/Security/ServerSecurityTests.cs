using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using FastNN.Hosting.Security;
using Microsoft.Extensions.Options;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;

namespace FastNN.Hosting.Tests.Security;

[TestFixture]
internal sealed class ServerSecurityTests
{
    private static readonly string[][] ScopeSets =
        [["infer"], ["manage"], ["metrics"], ["infer", "metrics"], ["infer", "manage", "metrics"]];

    private string _folder = "";

    [SetUp]
    public void MakeFolder() => _folder = Directory.CreateTempSubdirectory("fastnn-security").FullName;

    [TearDown]
    public void RemoveFolder() => Directory.Delete(_folder, recursive: true);

    [Test]
    public async Task Every_set_of_scopes_opens_its_endpoints_and_no_others()
    {
        (string Key, string[] Scopes)[] callers = WriteKeys();
        await using SecureServer server = await SecureServer.StartAsync(options =>
        {
            options.ApiKeyFile = PathOf("keys");
            options.AllowRepositoryControl = true;
        });
        foreach ((string method, string path, Access access) in SecureServer.Endpoints)
        {
            foreach ((string key, string[] scopes) in callers)
            {
                bool opens = access switch
                {
                    Access.Probe => true,
                    Access.Read => scopes.Length > 0,
                    _ => scopes.Contains(access.ToString().ToLowerInvariant()),
                };
                HttpStatusCode expected = opens ? HttpStatusCode.OK
                    : scopes.Length == 0 ? HttpStatusCode.Unauthorized : HttpStatusCode.Forbidden;
                Assert.That(
                    await StatusAsync(server, method, path, key), Is.EqualTo(expected),
                    $"{method} {path} [{string.Join(',', scopes)}]");
            }
        }
    }

    [Test]
    public async Task Repository_control_is_off_unless_enabled()
    {
        (string Key, string[] Scopes)[] callers = WriteKeys();
        await using SecureServer server = await SecureServer.StartAsync(options => options.ApiKeyFile = PathOf("keys"));
        const string Load = "/v2/repository/models/digits/load";
        Assert.That(await StatusAsync(server, "POST", Load, callers[^1].Key), Is.EqualTo(HttpStatusCode.Forbidden));
        await using SecureServer open = await SecureServer.StartAsync();
        Assert.That(await StatusAsync(open, "POST", Load, ""), Is.EqualTo(HttpStatusCode.Forbidden));
        Assert.That(await StatusAsync(open, "POST", "/v2/models/digits/infer", ""), Is.EqualTo(HttpStatusCode.OK));
    }

    [Test]
    public async Task A_failure_in_any_handler_tells_nothing_of_the_inside()
    {
        await using SecureServer server = await SecureServer.StartAsync(options => options.AllowRepositoryControl = true);
        foreach ((string method, string path, _) in SecureServer.Endpoints)
        {
            using var request = new HttpRequestMessage(new HttpMethod(method), path);
            request.Headers.Add("X-Fail", "1");
            using HttpResponseMessage response = await server.Client.SendAsync(request);
            string text = await response.Content.ReadAsStringAsync();
            Assert.That(response.StatusCode, Is.EqualTo(HttpStatusCode.InternalServerError), path);
            string error = JsonDocument.Parse(text).RootElement.GetProperty("error").GetString()!;
            Assert.That(error, Does.StartWith("The server failed; its log has the reason under "));
            Assert.That(text, Does.Not.Contain("secret").And.Not.Contain("/srv").And.Not.Contain(" at "));
            Assert.That(response.Headers.GetValues("X-Content-Type-Options"), Is.EqualTo(new[] { "nosniff" }));
        }
    }

    [Test]
    public async Task Refusals_of_grpc_calls_are_statuses_of_grpc()
    {
        WriteKeys();
        await using SecureServer server = await SecureServer.StartAsync(options => options.ApiKeyFile = PathOf("keys"));
        using var content = new ByteArrayContent([]);
        content.Headers.ContentType = new MediaTypeHeaderValue("application/grpc");
        using HttpResponseMessage response = await server.Client.PostAsync("/inference.GRPCInferenceService/ModelInfer", content);
        Assert.That(response.StatusCode, Is.EqualTo(HttpStatusCode.OK));
        Assert.That(response.Headers.GetValues("grpc-status"), Is.EqualTo(new[] { "16" }));
    }

    [Test]
    public async Task Tokens_are_accepted_by_signature_audience_time_and_scope()
    {
        using var signer = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var stranger = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        File.WriteAllText(PathOf("key.pem"), signer.ExportSubjectPublicKeyInfoPem());
        await using SecureServer server = await SecureServer.StartAsync(options =>
        {
            options.JwtKeyFile = PathOf("key.pem");
            options.JwtAudience = "digits";
        });
        async Task<HttpStatusCode> Try(ECDsa key, string audience, string scope, int minutes) => await StatusAsync(
            server, "POST", "/v2/models/digits/infer", Token(key, audience, scope, DateTime.UtcNow.AddMinutes(minutes)));
        Assert.That(await Try(signer, "digits", "metrics infer", 5), Is.EqualTo(HttpStatusCode.OK));
        Assert.That(await Try(signer, "digits", "metrics", 5), Is.EqualTo(HttpStatusCode.Forbidden));
        Assert.That(await Try(signer, "others", "infer", 5), Is.EqualTo(HttpStatusCode.Unauthorized));
        Assert.That(await Try(signer, "digits", "infer", -5), Is.EqualTo(HttpStatusCode.Unauthorized));
        Assert.That(await Try(stranger, "digits", "infer", 5), Is.EqualTo(HttpStatusCode.Unauthorized));
    }

    [Test]
    public async Task A_bucket_that_is_empty_gives_429_with_a_time_and_leaves_probes_and_other_callers_alone()
    {
        (string Key, string[] Scopes)[] callers = WriteKeys();
        await using SecureServer server = await SecureServer.StartAsync(options =>
        {
            options.ApiKeyFile = PathOf("keys");
            (options.RequestsPerSecond, options.Burst) = (1, 3);
        });
        var statuses = new List<HttpStatusCode>();
        for (int i = 0; i < 8; i++)
        {
            using HttpResponseMessage response = await SendAsync(server, "GET", "/v2", callers[1].Key);
            statuses.Add(response.StatusCode);
            if (response.StatusCode == HttpStatusCode.TooManyRequests)
            {
                Assert.That(response.Headers.RetryAfter?.Delta, Is.GreaterThanOrEqualTo(TimeSpan.FromSeconds(1)));
            }
        }

        Assert.That(statuses.Take(3), Is.All.EqualTo(HttpStatusCode.OK));
        Assert.That(statuses, Does.Contain(HttpStatusCode.TooManyRequests));
        Assert.That(await StatusAsync(server, "GET", "/v2/health/live", callers[1].Key), Is.EqualTo(HttpStatusCode.OK));
        Assert.That(await StatusAsync(server, "GET", "/v2", callers[2].Key), Is.EqualTo(HttpStatusCode.OK));
    }

    [Test]
    public async Task Above_the_limit_of_requests_at_once_there_is_503_with_a_time()
    {
        await using SecureServer server = await SecureServer.StartAsync(options => options.MaxConcurrentRequests = 2);
        HttpResponseMessage[] responses = await Task.WhenAll(Enumerable.Range(0, 6).Select(async _ =>
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, "/v2");
            request.Headers.Add("X-Wait", "1");
            return await server.Client.SendAsync(request);
        }));
        Assert.That(responses.Count(response => response.StatusCode == HttpStatusCode.OK), Is.EqualTo(2));
        Assert.That(
            responses.Count(response =>
                response.StatusCode == HttpStatusCode.ServiceUnavailable && response.Headers.RetryAfter is not null),
            Is.EqualTo(4));
    }

    [Test]
    public async Task Oversized_bodies_and_headers_get_their_4xx()
    {
        await using SecureServer server = await SecureServer.StartAsync(options => options.MaxRequestBytes = 1000);
        using var body = new ByteArrayContent(new byte[1001]);
        using HttpResponseMessage response = await server.Client.PostAsync("/v2/models/digits/infer", body);
        Assert.That(response.StatusCode, Is.EqualTo(HttpStatusCode.RequestEntityTooLarge));
        Assert.That(await response.Content.ReadAsStringAsync(), Does.StartWith("{\"error\":"));
        using var request = new HttpRequestMessage(HttpMethod.Get, "/v2");
        request.Headers.Add("X-Long", new string('a', 40_000));
        using HttpResponseMessage second = await server.Client.SendAsync(request);
        Assert.That((int)second.StatusCode, Is.EqualTo(431));
    }

    [Test]
    public async Task Silent_slow_and_aborted_clients_are_closed_and_the_server_answers_afterwards()
    {
        await using SecureServer server = await SecureServer.StartAsync(options =>
        {
            options.HeaderTimeout = TimeSpan.FromSeconds(1);
            options.KeepAliveTimeout = TimeSpan.FromSeconds(1);
        });
        using Socket silent = await server.ConnectAsync();
        using Socket slowHeader = await server.ConnectAsync();
        await slowHeader.SendAsync(Encoding.ASCII.GetBytes("GET /v2 HTTP/1.1\r\nHost: localhost\r\n"));
        using Socket slowBody = await server.ConnectAsync();
        await slowBody.SendAsync(Upload(100_000));
        for (int i = 0; i < 50; i++)
        {
            using Socket aborted = await server.ConnectAsync();
            await aborted.SendAsync(Upload(999));
            aborted.LingerState = new LingerOption(true, 0);
        }

        Assert.That(ReadToEnd(silent), Is.Empty);
        Assert.That(ReadToEnd(slowHeader), Does.StartWith("HTTP/1.1 408"));
        Assert.That(ReadToEnd(slowBody), Does.StartWith("HTTP/1.1 408"));
        Assert.That(await StatusAsync(server, "GET", "/v2", ""), Is.EqualTo(HttpStatusCode.OK));
    }

    [Test]
    public async Task A_thousand_clients_at_once_are_all_answered()
    {
        await using SecureServer server = await SecureServer.StartAsync();
        HttpStatusCode[] statuses = await Task.WhenAll(
            Enumerable.Range(0, 1000).Select(_ => StatusAsync(server, "POST", "/v2/models/digits/infer", "")));
        Assert.That(statuses, Is.All.EqualTo(HttpStatusCode.OK));
    }

    [Test]
    public async Task Management_calls_are_audited_the_refused_ones_too()
    {
        (string Key, string[] Scopes)[] callers = WriteKeys();
        await using (SecureServer server = await SecureServer.StartAsync(options =>
        {
            options.ApiKeyFile = PathOf("keys");
            options.AllowRepositoryControl = true;
            options.AuditLogFile = PathOf("audit");
        }))
        {
            await StatusAsync(server, "POST", "/v2/repository/models/digits/load", callers[2].Key);
            await StatusAsync(server, "POST", "/v2/repository/models/digits/unload", callers[1].Key);
            await StatusAsync(server, "POST", "/v2/models/digits/infer", callers[1].Key);
        }

        JsonElement[] lines = [.. File.ReadAllLines(PathOf("audit")).Select(line => JsonDocument.Parse(line).RootElement)];
        Assert.That(lines.Select(line => line.GetProperty("status").GetInt32()), Is.EqualTo(new[] { 200, 403 }));
        Assert.That(lines.Select(line => line.GetProperty("caller").GetString()), Is.EqualTo(new[] { "key2", "key1" }));
        Assert.That(lines.Select(line => line.GetProperty("model").GetString()), Is.All.EqualTo("digits"));
    }

    [Test]
    public void Without_authentication_the_server_does_not_listen_beyond_this_machine()
    {
        Assert.That(
            async () => await SecureServer.StartAsync(urls: "http://0.0.0.0:0"),
            Throws.InstanceOf<InvalidOperationException>().With.Message.Contains("without authentication"));
        Assert.That(
            ((string[])["http://127.0.0.1:1", "http://[::1]:1", "http://localhost:1"]).All(ExposureCheck.IsLoopback), Is.True);
        string[] beyond = ["http://0.0.0.0:1", "http://[::]:1", "http://*:1", "http://host:1"];
        Assert.That(beyond.Any(ExposureCheck.IsLoopback), Is.False);
    }

    [Test]
    public void Options_that_cannot_work_stop_the_start_with_their_names()
    {
        Assert.That(
            async () => await SecureServer.StartAsync(options =>
            {
                options.MaxConnections = 0;
                options.JwtAuthority = "http://issuer";
            }),
            Throws.InstanceOf<OptionsValidationException>().With.Message.Contains("MaxConnections")
                .And.Message.Contains("JwtAudience").And.Message.Contains("https"));
    }

    [TestCase("a infer")]
    [TestCase("a infer sha256:12")]
    [TestCase("a root sha256:0000000000000000000000000000000000000000000000000000000000000000")]
    public void A_malformed_line_of_keys_is_told_with_its_number(string line) => Assert.That(
        () => ApiKeys.Parse(["# keys", line]), Throws.InstanceOf<InvalidDataException>().With.Message.Contains("line 2"));

    private static async Task<HttpStatusCode> StatusAsync(SecureServer server, string method, string path, string key)
    {
        using HttpResponseMessage response = await SendAsync(server, method, path, key);
        return response.StatusCode;
    }

    private static async Task<HttpResponseMessage> SendAsync(SecureServer server, string method, string path, string key)
    {
        using var request = new HttpRequestMessage(new HttpMethod(method), path);
        if (key.Length > 0)
        {
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", key);
        }

        return await server.Client.SendAsync(request);
    }

    private static string Token(ECDsa key, string audience, string scope, DateTime expires) =>
        new JsonWebTokenHandler().CreateToken(new SecurityTokenDescriptor
        {
            Audience = audience,
            Claims = new Dictionary<string, object> { ["sub"] = "a caller", ["scope"] = scope },
            NotBefore = expires.AddHours(-1),
            IssuedAt = expires.AddHours(-1),
            Expires = expires,
            SigningCredentials = new SigningCredentials(new ECDsaSecurityKey(key), SecurityAlgorithms.EcdsaSha256),
        });

    /// <summary>The beginning of an upload, with one byte of its body.</summary>
    private static byte[] Upload(int length) => Encoding.ASCII.GetBytes(
        $"POST /v2/models/a/infer HTTP/1.1\r\nHost: localhost\r\nContent-Length: {length}\r\n\r\nx");

    private static string ReadToEnd(Socket socket)
    {
        var text = new StringBuilder();
        var buffer = new byte[4096];
        try
        {
            while (socket.Receive(buffer) is > 0 and var count)
            {
                text.Append(Encoding.ASCII.GetString(buffer, 0, count));
            }
        }
        catch (SocketException exception) when (exception.SocketErrorCode == SocketError.ConnectionReset)
        {
        }

        return text.ToString();
    }

    private string PathOf(string name) => Path.Combine(_folder, name);

    /// <summary>A caller without a key first, then one for each set of scopes, named key1 and so on.</summary>
    private (string Key, string[] Scopes)[] WriteKeys()
    {
        var callers = new List<(string, string[])> { ("", []) };
        var lines = new List<string> { "# keys" };
        foreach (string[] scopes in ScopeSets)
        {
            (string key, string line) = ApiKeys.Create($"key{callers.Count}", scopes);
            callers.Add((key, scopes));
            lines.Add(line);
        }

        File.WriteAllLines(PathOf("keys"), lines);
        return [.. callers];
    }
}
