using FastNN.Hosting.Tests.Models;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Routing;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;

namespace FastNN.Hosting.Tests.Rest;

/// <summary>The code and the tables of docs/serving-rest.md.</summary>
public sealed class RestPageTests
{
    [Test]
    public void Every_block_stands_in_this_file() => Assert.That(PageCode.Missing("serving-rest.md", count: 2), Is.Empty);

    [Test]
    public void Every_option_is_in_the_table()
    {
        string page = PageCode.Text("serving-rest.md");
        Assert.That(
            typeof(FastNNEndpointOptions).GetProperties().Select(property => $"| `{property.Name}` |")
                .Where(row => !page.Contains(row, StringComparison.Ordinal)),
            Is.Empty);
    }

    [Test]
    public async Task The_options_do_what_the_page_says()
    {
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
        builder.Services.AddSingleton<IModelCatalog>(RestServer.Models()).AddFastNNGrpc();
        await using WebApplication app = builder.Build();
        MapWithOptions(app);
        var guarded = ((IEndpointRouteBuilder)app).DataSources.SelectMany(source => source.Endpoints).OfType<RouteEndpoint>()
            .Where(endpoint => endpoint.Metadata.GetMetadata<IAuthorizeData>() is { Policy: "operators" })
            .Select(endpoint => endpoint.RoutePattern.RawText?.TrimStart('/'))
            .ToArray();
        Assert.That(guarded, Is.EquivalentTo(new[]
        {
            "models-of-mine/v2/repository/models/{name}/load",
            "models-of-mine/v2/repository/models/{name}/unload",
            "models-of-mine/v2/repository/models/{name}/versions/{version}/load",
            "models-of-mine/v2/repository/models/{name}/versions/{version}/unload",
            "inference.GRPCInferenceService/RepositoryModelLoad",
            "inference.GRPCInferenceService/RepositoryModelUnload",
        }));
    }

    private static void MapWithOptions(WebApplication app)
    {
        app.MapFastNN(options =>
        {
            options.Prefix = "/models-of-mine";          // before /v2, REST alone
            options.RepositoryControl = true;            // callers may load and unload
            options.MaxRequestBytes = 8 << 20;
            options.Timeout = TimeSpan.FromSeconds(2);
            options.Configure = (kind, endpoint) =>
            {
                if (kind is FastNNEndpoint.RepositoryControl)
                {
                    endpoint.RequireAuthorization("operators");
                }
            };
        });
    }

    /// <summary>Compiled and not run: its ports may be taken. <see cref="WebServer"/> is the same on free ones.</summary>
    internal static async Task ServeAsync()
    {
        WebApplicationBuilder builder = WebApplication.CreateBuilder();
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.ListenLocalhost(8000, port => port.Protocols = HttpProtocols.Http1);
            kestrel.ListenLocalhost(8001, port => port.Protocols = HttpProtocols.Http2);    // gRPC without TLS
        });
        builder.Services.AddFastNN(options => options.FromFolder("models"));
        WebApplication app = builder.Build();
        app.MapFastNN();
        await app.RunAsync();
    }
}
