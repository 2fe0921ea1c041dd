using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Http.Json;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;
using FastNN.Cli;
using FastNN.Cli.Serving;
using FastNN.Data;
using FastNN.Hosting.Wire;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace FastNN.Hosting.Tests.Serve;

/// <summary>The command as its user meets it.</summary>
public sealed class ServeCommandTests : ServeFixture
{
    private static readonly float[] X = [1, -1, 0.5f, 0.25f, 0, 2];

    private static RepositoryModelLoadRequest Load => new() { ModelName = "digits" };

    [Test]
    public async Task It_says_what_it_loads_and_where_it_listens_and_answers_there()
    {
        Directory.CreateDirectory(At("models/broken/1"));
        File.WriteAllText(At("models/broken/1/model.onnx"), "no model");
        await using ServedCommand server = await ServedCommand.StartAsync(Models, "--metrics");
        Assert.That(server.Output, Does.Contain("digits, version 1: fastnn, 53 parameters, loaded and warmed up in "));
        Assert.That(server.Output, Does.Contain("broken, version 1: cannot be loaded: the file is malformed"));
        Assert.That(server.Output, Does.Contain("1 model ready on CPU"));
        Assert.That(server.Output, Does.Contain("callers need no key"));
        using HttpClient rest = Client(server.Rest);
        using HttpResponseMessage answer = await InferAsync(rest, X);
        Assert.That(await OutputAsync(answer), Is.EqualTo(Expected(X)).Within(1e-6));
        Assert.That((await rest.GetAsync("/v2/health/live")).StatusCode, Is.EqualTo(HttpStatusCode.OK));
        HttpStatusCode ready = (await rest.GetAsync("/v2/health/ready")).StatusCode;
        Assert.That(ready, Is.EqualTo(HttpStatusCode.ServiceUnavailable), "one is broken");
        Assert.That(await rest.GetStringAsync("/metrics"), Does.Contain("dotnet_"));
        using HttpClient grpc = Client(server.Grpc);
        (int status, byte[] message) = await GrpcAsync(grpc, "ModelInfer", GrpcRequest(X));
        Assert.That(status, Is.Zero);
        byte[] raw = ModelInferResponse.Parser.ParseFrom(message).RawOutputContents[0].ToByteArray();
        Assert.That(MemoryMarshal.Cast<byte, float>(raw).ToArray(), Is.EqualTo(Expected(X)).Within(1e-6));
    }

    [Test]
    public async Task A_recipe_s_model_is_served_and_takes_raw_examples()
    {
        using var output = new StringWriter();
        Assert.That(Program.Run(["train", "breast-cancer-mlp", "--quick", "--out", At("run")], output, output), Is.Zero);
        Directory.CreateDirectory(At("models/cancer/1"));
        File.Copy(At("run/model.safetensors"), At("models/cancer/1/model.safetensors"));
        Dataset tumors = BreastCancer.Load();
        var rows = new float[30 * 40];
        for (int i = 0; i < 40; i++)
        {
            tumors.CopyFeatures(i, rows.AsSpan(30 * i, 30));
        }

        await using ServedCommand server = await ServedCommand.StartAsync(Models);
        using HttpClient rest = Client(server.Rest);
        using HttpResponseMessage answer = await rest.PostAsJsonAsync("/v2/models/cancer/infer", new
        {
            inputs = new[] { new { name = "input", datatype = "FP32", shape = new[] { 40, 30 }, data = rows } },
        });
        float[] benign = await OutputAsync(answer);
        int right = Enumerable.Range(0, 40).Count(i => benign[i] > 0.5f == (tumors[i].Label == 1));
        Assert.That(right, Is.GreaterThanOrEqualTo(36), "of raw examples");
    }

    [Test]
    public async Task Nothing_is_written_into_the_user_s_folder()
    {
        ServeSettings settings = Settings();
        await using WebApplication app = ServeApplication.Create(
            settings, new ServePorts(settings, null), new ServeLog(TextWriter.Null));
        string[] services = [.. app.Services.GetServices<IHostedService>().Select(service => service.GetType().FullName!)];
        Assert.That(services, Has.None.Contains("DataProtection").And.Some.Contains("FastNN"));
    }

    [Test]
    public async Task Calls_of_unknown_models_are_counted_without_the_names_that_callers_chose()
    {
        await using ServedCommand server = await ServedCommand.StartAsync(Models, "--metrics");
        using HttpClient rest = Client(server.Rest), grpc = Client(server.Grpc);
        using HttpResponseMessage answer = await rest.PostAsync("/v2/models/other/infer", new StringContent("{}"));
        Assert.That(answer.StatusCode, Is.EqualTo(HttpStatusCode.NotFound));
        Assert.That((await GrpcAsync(grpc, "ModelInfer", new ModelInferRequest { ModelName = "other" })).Status, Is.EqualTo(5));
        string metrics = await rest.GetStringAsync("/metrics");
        Assert.That(metrics, Does.Contain("fastnn_request_failures_total{error_type=\"not_found\"} 2\n"));
        Assert.That(metrics, Does.Not.Contain("other"));
    }

    [Test]
    public async Task What_is_not_asked_for_is_not_there()
    {
        await using ServedCommand server = await ServedCommand.StartAsync(Models);
        using HttpClient rest = Client(server.Rest);
        foreach ((string method, string path, int status) in new[]
        {
            ("GET", "/metrics", 404), ("GET", "/", 404), ("GET", "/models/digits/1/model.safetensors", 404),
            ("POST", "/nothing/here", 404),
            ("GET", "/v2/nothing", 404), ("POST", "/v2/repository/models/digits/load", 403),
            ("POST", "/v2/repository/models/digits/unload", 403), ("POST", "/v2", 405),
        })
        {
            using HttpResponseMessage answer = await rest.SendAsync(new HttpRequestMessage(new HttpMethod(method), path));
            string text = await answer.Content.ReadAsStringAsync();
            Assert.That((int)answer.StatusCode, Is.EqualTo(status), path);
            Assert.That(JsonDocument.Parse(text).RootElement.GetProperty("error").GetString(), Is.Not.Empty);
            Assert.That(text, Does.Not.Contain(Folder).And.Not.Contain(" at FastNN").And.Not.Contain("Exception"));
            Assert.That(answer.Headers.Contains("Access-Control-Allow-Origin"), Is.False);
        }

        using HttpClient grpc = Client(server.Grpc);
        Assert.That((await GrpcAsync(grpc, "RepositoryModelLoad", Load)).Status, Is.EqualTo(7));
        Assert.That((await GrpcAsync(grpc, "SystemSharedMemoryStatus", null)).Status, Is.EqualTo(12));
        Assert.That((await GrpcAsync(grpc, "/some.Service/Call", null)).Status, Is.EqualTo(12));
        using HttpResponseMessage answered = await InferAsync(rest, X);
        Assert.That(answered.StatusCode, Is.EqualTo(HttpStatusCode.OK));
    }

    [Test]
    public async Task Keys_are_made_added_to_the_file_and_asked_for()
    {
        (int code, string output, string error) = ServedCommand.Run("--new-key", "ci:infer", "--api-keys", At("keys"));
        Assert.That((code, error), Is.EqualTo((0, "")));
        (_, string second, _) = ServedCommand.Run("--new-key", "grafana:metrics,manage", "--api-keys", At("keys"));
        string Key(string text) => text.Split('\n')[0]["key:  ".Length..].Trim();
        string[] lines = File.ReadAllLines(At("keys"));
        Assert.That(lines, Has.Length.EqualTo(2));
        Assert.That(lines[0], Does.StartWith("ci infer sha256:").And.Not.Contain(Key(output)));
        Assert.That(output, Does.Contain(lines[0]));
        (_, _, string twice) = ServedCommand.Run("--new-key", "ci:metrics", "--api-keys", At("keys"));
        Assert.That(twice, Does.Contain("'ci' stands twice"));
        Assert.That(File.ReadAllLines(At("keys")), Is.EqualTo(lines));
        await using ServedCommand server = await ServedCommand.StartAsync(Models, "--api-keys", At("keys"), "--metrics");
        Assert.That(server.Output, Does.Contain("callers need a key or token"));
        foreach ((string? key, int infer, int metrics) in
            new[] { (null, 401, 401), ("fnn_other", 401, 401), (Key(output), 200, 403), (Key(second), 403, 200) })
        {
            using HttpClient rest = Client(server.Rest, key);
            Assert.That((int)(await InferAsync(rest, X)).StatusCode, Is.EqualTo(infer), key);
            Assert.That((int)(await rest.GetAsync("/metrics")).StatusCode, Is.EqualTo(metrics), key);
            using HttpClient grpc = Client(server.Grpc, key);
            Assert.That(
                (await GrpcAsync(grpc, "ModelInfer", GrpcRequest(X))).Status,
                Is.EqualTo(infer switch { 200 => 0, 401 => 16, _ => 7 }), key);
        }
    }

    [Test]
    public async Task It_is_asked_whether_it_is_ready_without_a_key()
    {
        WriteKeys("infer");
        string port;
        await using (ServedCommand server = await ServedCommand.StartAsync(Models, "--api-keys", At("keys")))
        {
            port = server.Rest.Port.ToString(CultureInfo.InvariantCulture);
            (int code, string output, string error) = ServedCommand.Run("--is-ready", "--port", port);
            Assert.That((code, output.Trim(), error), Is.EqualTo((0, "ready", "")));
            Directory.CreateDirectory(At("models/broken/1"));
            File.WriteAllText(At("models/broken/1/model.onnx"), "no model");
            Assert.That(
                () => ServedCommand.Run("--is-ready", "--port", port).Code, Is.EqualTo(1).After(10_000, 50),
                "the new model is found, and broken");
            Assert.That(ServedCommand.Run("--is-ready", "--port", port).Output, Does.Contain("health/ready answered 503"));
        }

        (int closed, string reason, _) = ServedCommand.Run("--is-ready", "--host", "*", "--port", port);
        Assert.That(closed, Is.EqualTo(1));
        Assert.That(reason, Does.StartWith($"not ready: http://127.0.0.1:{port}/v2/health/ready: "));
    }

    [Test]
    public async Task Management_over_both_protocols_is_audited_with_key_model_and_outcome()
    {
        string[] keys = WriteKeys("manage", "infer");
        await using (ServedCommand server = await ServedCommand.StartAsync(
            Models, "--api-keys", At("keys"), "--control", "--audit-log", At("audit")))
        {
            using HttpClient rest = Client(server.Rest, keys[0]), grpc = Client(server.Grpc, keys[0]);
            using HttpClient other = Client(server.Grpc, keys[1]);
            using var version = new StringContent("""{"parameters":{"version":"1"}}""");
            using HttpResponseMessage unloaded = await rest.PostAsync("/v2/repository/models/digits/unload", version);
            Assert.That(unloaded.StatusCode, Is.EqualTo(HttpStatusCode.OK));
            Assert.That((await GrpcAsync(grpc, "RepositoryModelLoad", Load)).Status, Is.Zero);
            var outside = new RepositoryModelUnloadRequest { ModelName = "../keys" };
            Assert.That((await GrpcAsync(grpc, "RepositoryModelUnload", outside)).Status, Is.EqualTo(5));
            Assert.That((await GrpcAsync(other, "RepositoryModelLoad", Load)).Status, Is.EqualTo(7));
            Assert.That((await GrpcAsync(other, "ModelInfer", GrpcRequest(X))).Status, Is.Zero);
        }

        string[] audit =
        [
            .. File.ReadAllLines(At("audit")).Select(line => JsonDocument.Parse(line).RootElement).Select(line => string.Join(
                ' ', new[] { "caller", "model", "version", "status", "grpc-status", "failure" }.Select(
                    name => line.TryGetProperty(name, out JsonElement value) ? value.ToString() : "-"))),
        ];
        Assert.That(audit, Is.EqualTo(new[]
        {
            "manage digits 1 200 - -", "manage digits - 200 0 -", "manage ../keys - 200 5 NotFound", "infer - - 200 7 -",
        }));
    }

    [Test]
    public async Task The_log_tells_of_inputs_what_was_asked_for_and_never_a_value()
    {
        float[] x = [123.456f, 1, 1, 1, 1, 1];
        foreach ((string mode, string expected) in
            new[] { ("off", ""), ("shapes", "input Float32 [1,6]"), ("redacted", "input Float32 [1,6] #") })
        {
            await using ServedCommand server = await ServedCommand.StartAsync(Models, "--log-inputs", mode);
            using HttpClient rest = Client(server.Rest), grpc = Client(server.Grpc);
            using HttpResponseMessage answer = await InferAsync(rest, x);
            Assert.That(await OutputAsync(answer), Is.EqualTo(Expected(x)).Within(1e-4));
            Assert.That((await GrpcAsync(grpc, "ModelInfer", GrpcRequest(x))).Status, Is.Zero);
            Assert.That((await GrpcAsync(grpc, "ModelInfer", GrpcRequest(X))).Status, Is.Zero);
            string[] lines = [.. server.Log.Split('\n').Where(line => line.Contains("Inference of model digits, version 1"))];
            Assert.That(lines, Has.Length.EqualTo(mode == "off" ? 0 : 3));
            Assert.That(lines, Is.All.Contains(expected));
            Assert.That(server.Log, Does.Not.Contain("123"));
            if (mode == "redacted")
            {
                string[] prints = [.. lines.Select(line => line.Trim()[^12..])];
                Assert.That(prints[0], Is.EqualTo(prints[1]));
                Assert.That(prints[0], Is.Not.EqualTo(prints[2]));
            }
        }
    }

    [Test]
    public void A_port_that_is_taken_is_told()
    {
        using var taken = new TcpListener(IPAddress.Loopback, 0);
        taken.Start();
        int port = ((IPEndPoint)taken.LocalEndpoint).Port;
        (int code, _, string error) = ServedCommand.Run(Models, "--port", $"{port}", "--grpc-port", "off", "--threads", "1");
        Assert.That(code, Is.EqualTo(1));
        Assert.That(error, Does.StartWith($"fastnn: cannot listen at 127.0.0.1, --port {port}: "));
    }

    [Test]
    public void A_folder_that_is_missing_is_told()
    {
        (int code, _, string error) = ServedCommand.Run(At("nowhere"));
        Assert.That((code, error.Trim()), Is.EqualTo((1, $"fastnn: {At("nowhere")}: there is no such folder")));
    }

    [Test]
    [Platform(Exclude = "Win")]
    public async Task SIGTERM_lets_a_request_end_and_the_server_with_0()
    {
        // What runs the tests may ignore signals, and a child would inherit that.
        var start = new ProcessStartInfo("env") { RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (string argument in (string[])
        [
            "--default-signal=TERM", Environment.GetEnvironmentVariable("DOTNET_HOST_PATH") ?? "dotnet",
            typeof(Program).Assembly.Location, "serve", Models, "--port", "0", "--grpc-port", "off", "--threads", "1",
        ])
        {
            start.ArgumentList.Add(argument);
        }

        using Process tool = Process.Start(start)!;
        Task<string> error = tool.StandardError.ReadToEndAsync();
        string address = await ReadToAsync(tool, "REST at ");
        using var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { ReceiveTimeout = 30_000 };
        var rest = new Uri(address.Trim()["REST at ".Length..]);
        await socket.ConnectAsync(rest.Host, rest.Port);
        const string Body = """{"inputs":[{"name":"input","shape":[1,6],"datatype":"FP32","data":[1,2,3,4,5,6]}]}""";
        await socket.SendAsync(Encoding.ASCII.GetBytes(
            $"POST /v2/models/digits/infer HTTP/1.1\r\nHost: localhost\r\nContent-Length: {Body.Length}\r\n\r\n{Body[..20]}"));
        // The request is under way when the server has read its header, which nothing tells; a second one behind it was.
        using (HttpClient client = Client(rest))
        {
            Assert.That((await client.GetAsync("/v2/health/live")).StatusCode, Is.EqualTo(HttpStatusCode.OK));
            await Task.Delay(200);
        }

        using (Process kill = Process.Start("kill", ["-s", "TERM", $"{tool.Id}"]))
        {
            await kill.WaitForExitAsync();
        }

        await ReadToAsync(tool, "stopping: ");
        await socket.SendAsync(Encoding.ASCII.GetBytes(Body[20..]));
        var answer = new byte[4096];
        int length = socket.Receive(answer);
        Assert.That(Encoding.ASCII.GetString(answer, 0, length), Does.StartWith("HTTP/1.1 200 OK"));
        using var longest = new CancellationTokenSource(TimeSpan.FromSeconds(40));
        await tool.WaitForExitAsync(longest.Token);
        Assert.That(tool.ExitCode, Is.Zero, await error);
    }

    private static async Task<string> ReadToAsync(Process tool, string text)
    {
        while (await tool.StandardOutput.ReadLineAsync() is { } line)
        {
            if (line.Contains(text, StringComparison.Ordinal))
            {
                return line;
            }
        }

        throw new AssertionException($"the server ended before it said '{text}'");
    }
}
