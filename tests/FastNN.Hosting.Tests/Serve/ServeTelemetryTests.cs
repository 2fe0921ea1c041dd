using System.Collections.Concurrent;
using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Logging;

namespace FastNN.Hosting.Tests.Serve;

/// <summary>What a collector of OpenTelemetry gets.</summary>
public sealed class ServeTelemetryTests : ServeFixture
{
    [Test]
    public async Task Metrics_go_to_the_collector_at_the_end_at_the_latest()
    {
        var paths = new ConcurrentQueue<string>();
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(
            IPAddress.Loopback, 0, listen => listen.Protocols = HttpProtocols.Http2));
        await using WebApplication collector = builder.Build();
        collector.Run(async context =>
        {
            await context.Request.Body.CopyToAsync(Stream.Null);
            paths.Enqueue(context.Request.Path);
            context.Response.ContentType = "application/grpc";
            await context.Response.Body.WriteAsync(new byte[5]);
            context.Response.AppendTrailer("grpc-status", "0");
        });
        await collector.StartAsync();
        await using (ServedCommand server = await ServedCommand.StartAsync(Models, "--otlp", collector.Urls.Single()))
        {
            using HttpClient rest = Client(server.Rest);
            using HttpResponseMessage answer = await InferAsync(rest, [1, 2, 3, 4, 5, 6]);
            Assert.That(answer.StatusCode, Is.EqualTo(HttpStatusCode.OK));
        }

        Assert.That(paths, Does.Contain("/opentelemetry.proto.collector.metrics.v1.MetricsService/Export"));
    }
}
