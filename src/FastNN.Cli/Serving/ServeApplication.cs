using FastNN.Hosting;
using FastNN.Hosting.Security;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using OpenTelemetry.Exporter;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;

namespace FastNN.Cli.Serving;

/// <summary>
/// Makes the web application. It begins empty: no settings are read from files or variables that the command does not name.
/// </summary>
internal static class ServeApplication
{
    /// <summary>By convention, where collectors take OpenTelemetry's protocol over HTTP.</summary>
    private const int OtlpHttpPort = 4318;

    public static WebApplication Create(ServeSettings settings, ServePorts ports, ServeLog log)
    {
        WebApplicationBuilder builder = WebApplication.CreateEmptyBuilder(
            new WebApplicationOptions { ApplicationName = "fastnn" });
        builder.WebHost.UseKestrelCore().ConfigureKestrel(ports.Listen);
        builder.Logging.AddProvider(log)
            .AddFilter("Microsoft", LogLevel.Warning)
            // Told by the command itself, or by the answer to the caller who caused it.
            .AddFilter("Microsoft.Extensions.Hosting", LogLevel.Critical)
            .AddFilter("Microsoft.Hosting", LogLevel.Critical)
            .AddFilter("Grpc", LogLevel.Warning)
            .AddFilter("OpenTelemetry", LogLevel.Warning)
            .SetMinimumLevel(LogLevel.Information);
        builder.Services.AddRouting();
        builder.Services.AddSingleton<IHostLifetime, NoLifetime>();
        builder.Services.Configure<HostOptions>(host => host.ShutdownTimeout = settings.Drain);
        builder.Services.AddFastNN(settings.Models);
        builder.Services.AddHealthChecks().AddFastNN();
        builder.Services.AddFastNNServer(settings.Server);
        RemoveCookieKeys(builder.Services);
        if (settings.Otlp is { } collector)
        {
            AddTelemetry(builder.Services, collector, settings.TraceOperators);
        }

        WebApplication app = builder.Build();
        try
        {
            Map(app, settings);
            return app;
        }
        catch
        {
            ((IDisposable)app).Dispose();
            throw;
        }
    }

    /// <summary>
    /// Authentication brings keys that encrypt cookies, which would be made at the start and written to the user's folder. This
    /// server has no cookies.
    /// </summary>
    private static void RemoveCookieKeys(IServiceCollection services)
    {
        ServiceDescriptor[] makers = [.. services.Where(service => service.ServiceType == typeof(IHostedService)
            && service.ImplementationType?.FullName?.StartsWith("Microsoft.AspNetCore.DataProtection.", StringComparison.Ordinal)
                == true)];
        foreach (ServiceDescriptor maker in makers)
        {
            services.Remove(maker);
        }
    }

    private static void Map(WebApplication app, ServeSettings settings)
    {
        app.UseFastNNServer();
        app.MapFastNN(options =>
        {
            options.RepositoryControl = settings.Control;
            options.Grpc = settings.GrpcPort is not null;
            options.MaxRequestBytes = options.MaxTensorBytes = settings.MaxRequestBytes;
            options.Timeout = settings.TimeOut;
        });
        if (settings.Metrics)
        {
            app.MapFastNNMetrics();
        }

        app.MapFastNNStatus();
        app.MapFallback("{**path}", static context => Refusal.WriteAsync(
            context, StatusCodes.Status404NotFound, "There is nothing at this address; /v2 tells about the server."));
    }

    private static void AddTelemetry(IServiceCollection services, Uri collector, bool traceOperators)
    {
        // Calls of gRPC have paths of their own; services that stand in for a collector often have one in their address.
        bool isHttp = collector.Port == OtlpHttpPort || collector.AbsolutePath != "/";
        services.AddOpenTelemetry()
            .ConfigureResource(resource => resource.AddService("fastnn"))
            .WithMetrics(metrics => metrics
                .AddMeter(FastNNDiagnostics.MeterName, "System.Runtime", "Microsoft.AspNetCore.Server.Kestrel")
                .AddOtlpExporter(options => Set(options, "v1/metrics")))
            .WithTracing(traces => traces
                // The web server's own activity is the parent: where nobody records it, what is inside is not recorded either.
                .AddSource("Microsoft.AspNetCore", FastNNDiagnostics.ActivitySourceName)
                .AddSource(traceOperators ? [FastNNDiagnostics.OperatorActivitySourceName] : [])
                .AddOtlpExporter(options => Set(options, "v1/traces")));

        void Set(OtlpExporterOptions options, string path)
        {
            options.Protocol = isHttp ? OtlpExportProtocol.HttpProtobuf : OtlpExportProtocol.Grpc;
            options.Endpoint = isHttp ? new Uri($"{collector.ToString().TrimEnd('/')}/{path}") : collector;
        }
    }

    /// <summary>Signals are the tool's own matter, which stops the application.</summary>
    private sealed class NoLifetime : IHostLifetime
    {
        public Task WaitForStartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }
}
