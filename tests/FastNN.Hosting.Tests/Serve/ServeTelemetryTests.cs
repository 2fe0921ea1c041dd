using System.Collections.Concurrent;
using System.Net;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Logging;

namespace FastNN.Hosting.Tests.Serve;

/// <summary>What a collector of OpenTelemetry gets.</summary>
public sealed class ServeTelemetryTests : ServeFixture
{
    private readonly ConcurrentQueue<(string Path, byte[] Body)> _taken = new();

    [SetUp]
    public void Forget() => _taken.Clear();

    [Test]
    public async Task Metrics_and_traces_go_to_the_collector_at_the_end_at_the_latest([Values] bool isHttp)
    {
        await using WebApplication collector = await StartCollectorAsync(isHttp);
        string address = collector.Urls.Single() + (isHttp ? "/otlp" : "");
        string[] operators = isHttp ? ["--trace-operators"] : [];
        await using (ServedCommand server = await ServedCommand.StartAsync([Models, "--otlp", address, .. operators]))
        {
            using HttpClient rest = Client(server.Rest);
            using HttpResponseMessage answer = await InferAsync(rest, [1, 2, 3, 4, 5, 6]);
            Assert.That(answer.StatusCode, Is.EqualTo(HttpStatusCode.OK));
        }

        string metrics = isHttp ? "/otlp/v1/metrics" : "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export";
        string traces = isHttp ? "/otlp/v1/traces" : "/opentelemetry.proto.collector.trace.v1.TraceService/Export";
        Assert.That(_taken.Select(export => export.Path), Is.EquivalentTo(new[] { metrics, traces }));
        // Names stand in the messages as they are.
        Assert.That(TextOf(metrics), Does.Contain("fastnn.request.duration").And.Contain("digits"));
        Assert.That(TextOf(traces), Does.Contain("infer digits").And.Contain("queue").And.Contain("compute"));
        Assert.That(TextOf(traces).Contains("fastnn.operator.shapes", StringComparison.Ordinal), Is.EqualTo(isHttp));
    }

    private string TextOf(string path) => string.Concat(
        _taken.Where(export => export.Path == path).Select(export => Encoding.Latin1.GetString(export.Body)));

    /// <summary>Keeps what it gets, over gRPC or HTTP.</summary>
    private async Task<WebApplication> StartCollectorAsync(bool isHttp)
    {
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(
            IPAddress.Loopback, 0, listen => listen.Protocols = isHttp ? HttpProtocols.Http1 : HttpProtocols.Http2));
        WebApplication collector = builder.Build();
        collector.Run(async context =>
        {
            using var body = new MemoryStream();
            await context.Request.Body.CopyToAsync(body);
            _taken.Enqueue((context.Request.Path, body.ToArray()));
            if (!isHttp)
            {
                context.Response.ContentType = "application/grpc";
                await context.Response.Body.WriteAsync(new byte[5]);
                context.Response.AppendTrailer("grpc-status", "0");
            }
        });
        await collector.StartAsync();
        return collector;
    }
}
