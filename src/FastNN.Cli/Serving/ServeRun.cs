using System.Globalization;
using System.Net;
using System.Net.Security;
using FastNN.Cli.Commands;
using FastNN.Hosting;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace FastNN.Cli.Serving;

/// <summary>Runs the server until it is interrupted, and lets it end in order.</summary>
internal static class ServeRun
{
    public static int Run(ServeSettings settings, CommandContext context) => RunAsync(settings, context).GetAwaiter().GetResult();

    private static async Task<int> RunAsync(ServeSettings settings, CommandContext context)
    {
        var log = new ServeLog(context.Error);
        ServerCertificate? certificate = settings.Tls is { } tls
            ? new ServerCertificate(tls.Certificate, tls.Key, TimeProvider.System)
            : null;
        var ports = new ServePorts(settings, certificate);
        await using WebApplication app = Create(settings, ports, log);
        if (certificate is not null)
        {
            certificate.Logger = app.Services.GetRequiredService<ILoggerFactory>().CreateLogger("FastNN.Serve");
        }

        ModelCatalog catalog = app.Services.GetRequiredService<ModelCatalog>();
        log.Progress = (model, version, milliseconds) => Say(context, Describe(catalog, model, version, milliseconds));
        Say(context, $"loading models of {settings.Folder}");
        try
        {
            await app.StartAsync(context.Cancellation);
        }
        catch (IOException exception)
        {
            throw new CliException(
                $"cannot listen at {settings.Host}, --port {settings.Port}{GrpcPort(settings)}: {exception.Message}");
        }

        log.Progress = null;
        Announce(settings, context, ports, app);
        await EndOf(context.Cancellation);
        Say(context, string.Create(
            CultureInfo.InvariantCulture,
            $"stopping: no further requests, up to {settings.Drain.TotalSeconds:0.#} s for those under way"));
        await app.StopAsync(CancellationToken.None);
        Say(context, "stopped");
        return 0;
    }

    private static WebApplication Create(ServeSettings settings, ServePorts ports, ServeLog log)
    {
        try
        {
            return ServeApplication.Create(settings, ports, log);
        }
        catch (InvalidDataException exception)
        {
            throw Failure.OfUsage($"--api-keys: {exception.Message}");
        }
        catch (OptionsValidationException exception)
        {
            throw Failure.OfUsage(exception.Message);
        }
    }

    private static string Describe(ModelCatalog catalog, string model, string version, long? milliseconds)
    {
        string name = $"  {model}, version {version}: ";
        if (milliseconds is null || !catalog.TryGet(model, version, out IModel? found))
        {
            string reason = catalog.List().FirstOrDefault(one => one.Name == model && one.Version == version)?.Reason ?? "";
            return $"{name}cannot be loaded: {reason}";
        }

        long parameters = (found as ServedModel)?.Current?.Engine.ParameterCount ?? 0;
        return string.Create(
            CultureInfo.InvariantCulture,
            $"{name}{found.Platform}, {parameters:N0} parameters, loaded and warmed up in {milliseconds} ms");
    }

    private static void Announce(ServeSettings settings, CommandContext context, ServePorts ports, WebApplication app)
    {
        IReadOnlyList<ModelStatus> models = app.Services.GetRequiredService<IModelCatalog>().List();
        string device = app.Services.GetRequiredService<ServedDevice>().Current?.Description ?? "no device yet";
        int ready = models.Count(model => model.State == ModelState.Ready);
        Say(context, string.Create(
            CultureInfo.InvariantCulture, $"{ready} {(ready == 1 ? "model" : "models")} ready on {device}"));
        if (models.Count == 0)
        {
            Say(
                context,
                $"there is no model in {settings.Folder}: expected NAME/VERSION/model.onnx or NAME/VERSION/model.safetensors");
        }

        Say(context, $"REST at {ports.Rest}{(settings.Metrics ? $", metrics at {ports.Rest}/metrics" : "")}");
        if (ports.Grpc is { } grpc)
        {
            Say(context, $"gRPC at {grpc}");
        }

        Say(context, settings.IsOpen ? "callers need no key; Ctrl-C stops" : "callers need a key or token; Ctrl-C stops");
    }

    private static async Task EndOf(CancellationToken cancellation)
    {
        try
        {
            await Task.Delay(Timeout.Infinite, cancellation);
        }
        catch (OperationCanceledException)
        {
            // Ctrl-C or a signal: the wanted end.
        }
    }

    private static string GrpcPort(ServeSettings settings) =>
        settings.GrpcPort is { } port ? string.Create(CultureInfo.InvariantCulture, $" and --grpc-port {port}") : "";

    private static void Say(CommandContext context, string line)
    {
        context.Output.WriteLine(line);
        context.Output.Flush();
    }
}

/// <summary>
/// Where the server listens: REST by HTTP/1.1 and, with TLS, HTTP/2; gRPC by HTTP/2 alone, which needs no TLS then.
/// </summary>
internal sealed class ServePorts(ServeSettings settings, ServerCertificate? certificate)
{
    private ListenOptions? _rest;
    private ListenOptions? _grpc;

    /// <summary>The address of REST, when the server has started.</summary>
    public string Rest => AddressOf(_rest!);

    /// <summary>The address of gRPC; null for none.</summary>
    public string? Grpc => _grpc is null ? null : AddressOf(_grpc);

    public void Listen(KestrelServerOptions kestrel)
    {
        kestrel.Listen(settings.Host, settings.Port, listen =>
        {
            _rest = listen;
            listen.Protocols = certificate is null ? HttpProtocols.Http1 : HttpProtocols.Http1AndHttp2;
            Secure(listen);
        });
        if (settings.GrpcPort is { } port)
        {
            kestrel.Listen(settings.Host, port, listen =>
            {
                _grpc = listen;
                listen.Protocols = HttpProtocols.Http2;
                Secure(listen);
            });
        }
    }

    private void Secure(ListenOptions listen)
    {
        if (certificate is not null)
        {
            listen.UseHttps(new TlsHandshakeCallbackOptions
            {
                OnConnection = _ => ValueTask.FromResult(
                    new SslServerAuthenticationOptions { ServerCertificateContext = certificate.Current }),
            });
        }
    }

    private string AddressOf(ListenOptions listen)
    {
        IPEndPoint end = listen.IPEndPoint!;
        return $"{(certificate is null ? "http" : "https")}://{end}";
    }
}
