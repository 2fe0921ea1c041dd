using System.Globalization;
using System.Net;
using FastNN.Hosting;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace FastNN.ServerPeers;

/// <summary>
/// The servers under load, in processes of their own: <c>serve ROLE ...</c>. A server listens on three free ports of 127.0.0.1,
/// one of HTTP/1.1, one of HTTP/2 and one of <see cref="TcpEcho"/>, tells them in a line, and ends when its standard input does,
/// so that none outlives its parent.
/// </summary>
internal static class Serving
{
    /// <summary>What starts the line with the ports.</summary>
    public const string Ready = "ready ";

    /// <summary>The most bytes of a request to the guarded server.</summary>
    public const int GuardedRequestBytes = 1 << 20;

    /// <summary>How long a guarded server waits for headers, and for the next request.</summary>
    public static readonly TimeSpan GuardedPatience = TimeSpan.FromSeconds(5);

    public static async Task<int> RunAsync(string[] arguments)
    {
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders().SetMinimumLevel(LogLevel.Warning);
        builder.Logging.AddConsole(console => console.LogToStandardErrorThreshold = LogLevel.Trace);
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Listen(IPAddress.Loopback, 0, port => port.Protocols = HttpProtocols.Http1);
            kestrel.Listen(IPAddress.Loopback, 0, port => port.Protocols = HttpProtocols.Http2);
        });
        WebApplication? app = arguments switch
        {
            ["fastnn" or "guarded", var threads, .. { Length: > 0 } models] =>
                FastNN(builder, int.Parse(threads, CultureInfo.InvariantCulture), models, arguments[0] == "guarded"),
            ["echo", var answerBytes] => Echo(builder, int.Parse(answerBytes, CultureInfo.InvariantCulture)),
            ["onnxruntime", var threads, var model] =>
                PlainRuntime.Map(builder.Build(), model, int.Parse(threads, CultureInfo.InvariantCulture)),
            _ => null,
        };
        if (app is null)
        {
            await Console.Error.WriteLineAsync("serve: expected a role with its arguments; other modes start it");
            return 2;
        }

        await using (app)
        {
            await app.StartAsync();
            Console.WriteLine(Ready + string.Join(' ', app.Urls.Select(url => new Uri(url).Port).Append(TcpEcho.Start())));
            using Stream input = Console.OpenStandardInput();
            while (await input.ReadAsync(new byte[16]) > 0)
            {
            }

            await app.StopAsync();
        }

        return 0;
    }

    /// <summary>Sends a request's body back as it came.</summary>
    public static async Task EchoAsync(HttpContext http)
    {
        http.Response.ContentType = http.Request.ContentType;
        http.Response.ContentLength = http.Request.ContentLength;
        await http.Request.BodyReader.CopyToAsync(http.Response.BodyWriter);
    }

    /// <summary>Models as NAME=FILE, or NAME:MAX_BATCH=FILE.</summary>
    private static WebApplication FastNN(WebApplicationBuilder builder, int threads, string[] models, bool isGuarded)
    {
        FastNNBuilder services = builder.Services.AddFastNN(options =>
        {
            options.Threads = threads;
            options.WatchInterval = TimeSpan.FromMilliseconds(250);
        });
        foreach (string model in models)
        {
            string[] parts = model.Split('=', 2);
            string[] name = parts[0].Split(':');
            services.AddModel(name[0], options =>
            {
                options.FromFile(parts[1]);
                if (name.Length > 1)
                {
                    options.Batching = new BatchingOptions { MaxBatch = int.Parse(name[1], CultureInfo.InvariantCulture) };
                }
            });
        }

        if (isGuarded)
        {
            builder.Services.AddFastNNServer(server =>
            {
                server.MaxRequestBytes = GuardedRequestBytes;
                server.HeaderTimeout = server.KeepAliveTimeout = GuardedPatience;
            });
        }

        WebApplication app = builder.Build();
        if (isGuarded)
        {
            app.UseFastNNServer();
        }

        app.MapFastNN(options => options.MaxRequestBytes = isGuarded ? GuardedRequestBytes : options.MaxRequestBytes);
        app.MapPost("/echo", (RequestDelegate)EchoAsync);
        return app;
    }

    /// <summary>Kestrel alone, without routing: the echo, and a fixed answer to a body that is read and dropped.</summary>
    private static WebApplication Echo(WebApplicationBuilder builder, int answerBytes)
    {
        WebApplication app = builder.Build();
        var answer = new byte[answerBytes];
        app.Run(async http =>
        {
            if (http.Request.Path == "/echo")
            {
                await EchoAsync(http);
                return;
            }

            await http.Request.BodyReader.CopyToAsync(Stream.Null);
            http.Response.ContentType = "application/octet-stream";
            http.Response.ContentLength = answer.Length;
            await http.Response.BodyWriter.WriteAsync(answer);
        });
        return app;
    }
}
