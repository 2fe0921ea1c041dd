using System.Net;
using FastNN.Cpu;
using FastNN.Hosting;
using FastNN.Hosting.Security;

namespace FastNN.Cli.Serving;

/// <summary>What `fastnn serve` does, checked.</summary>
internal sealed record ServeSettings
{
    private static readonly TimeSpan Never = Timeout.InfiniteTimeSpan;

    /// <summary>The folder of models.</summary>
    public required string Folder { get; init; }

    public required IPAddress Host { get; init; }

    /// <summary>The port of REST; 0 for a free one.</summary>
    public required int Port { get; init; }

    /// <summary>The port of gRPC; 0 for a free one, null for no gRPC.</summary>
    public required int? GrpcPort { get; init; }

    /// <summary>The files of TLS; null for none.</summary>
    public required (string Certificate, string Key)? Tls { get; init; }

    /// <summary>Sets keys, tokens and limits.</summary>
    public required Action<FastNNServerOptions> Server { get; init; }

    /// <summary>Sets where and how models compute.</summary>
    public required Action<FastNNOptions> Models { get; init; }

    public required bool Control { get; init; }

    public required bool Metrics { get; init; }

    /// <summary>The collector of metrics and traces; null for none.</summary>
    public required Uri? Otlp { get; init; }

    /// <summary>Whether traces have the operators of networks.</summary>
    public required bool TraceOperators { get; init; }

    /// <summary>How long inference may take.</summary>
    public required TimeSpan TimeOut { get; init; }

    public required int MaxRequestBytes { get; init; }

    /// <summary>How long requests may take to end when the server stops.</summary>
    public required TimeSpan Drain { get; init; }

    /// <summary>Whether callers need no key or token.</summary>
    public required bool IsOpen { get; init; }

    public static ServeSettings Read(ServeValues values)
    {
        string folder = values.Text(ServeOption.Folder) ?? throw Failure.OfUsage(
            "MODELS_FOLDER: expected a folder of models, got none; `fastnn serve models` serves models/NAME/VERSION/model.onnx");
        IPAddress host = ReadHost(values);
        Action<FastNNServerOptions> server = ReadServer(values, out bool isOpen);
        bool isInsecure = values.Flag("insecure");
        if (isOpen && !isInsecure && !IPAddress.IsLoopback(host))
        {
            throw Failure.OfUsage(
                $"{values.Where("host")}: at {host} the network could call the server without a key or token; give it --api-keys "
                + "or --jwt-authority, or --insecure where everybody may call it");
        }

        if (!Directory.Exists(folder))
        {
            throw new CliException($"{folder}: there is no such folder");
        }

        long bytes = values.Size("max-request-bytes", 1024, 64L << 20);
        return new ServeSettings
        {
            Folder = Path.GetFullPath(folder),
            Host = host,
            Port = ReadPort(values),
            GrpcPort = values.Text("grpc-port") == "off" ? null : values.Whole("grpc-port", 0, 65_535, 8001),
            Tls = ReadTls(values),
            Server = options =>
            {
                server(options);
                (options.AllowUnauthenticated, options.MaxRequestBytes) = (isInsecure, bytes);
            },
            Models = ReadModels(values, folder),
            Control = values.Flag("control"),
            Metrics = values.Flag("metrics"),
            Otlp = ReadAddress(values, "otlp"),
            TraceOperators = values.Flag("trace-operators"),
            TimeOut = values.Time("time-out", TimeSpan.FromMilliseconds(1), TimeSpan.FromHours(1)) ?? Never,
            MaxRequestBytes = bytes <= int.MaxValue
                ? (int)bytes
                : throw values.Wrong("max-request-bytes", "a size of less than 2GiB"),
            Drain = values.Time("drain", TimeSpan.Zero, TimeSpan.FromHours(1)) ?? TimeSpan.FromSeconds(30),
            IsOpen = isOpen,
        };
    }

    /// <summary>Where to listen.</summary>
    internal static IPAddress ReadHost(ServeValues values) => values.Text("host") switch
    {
        null or "localhost" => IPAddress.Loopback,
        "*" => IPAddress.Any,
        var text when IPAddress.TryParse(text.Trim('[', ']'), out IPAddress? address) => address,
        _ => throw values.Wrong("host", "an IP address to listen at, such as 127.0.0.1 or 0.0.0.0, localhost, or * for all"),
    };

    /// <summary>The port of REST.</summary>
    internal static int ReadPort(ServeValues values) => values.Whole("port", 0, 65_535, 8000);

    private static (string Certificate, string Key)? ReadTls(ServeValues values)
    {
        string? certificate = values.ExistingFile("tls-certificate"), key = values.ExistingFile("tls-key");
        return (certificate, key) switch
        {
            (null, null) => null,
            (not null, not null) => (certificate, key),
            _ => throw Failure.OfUsage("--tls-certificate and --tls-key: expected both or neither, got one"),
        };
    }

    private static Uri? ReadAddress(ServeValues values, string name) => values.Text(name) is not { } text
        ? null
        : Uri.TryCreate(text, UriKind.Absolute, out Uri? address) && address.Scheme is "http" or "https"
            ? address
            : throw values.Wrong(name, "an http or https address");

    private static Action<FastNNServerOptions> ReadServer(ServeValues values, out bool isOpen)
    {
        string? keys = values.ExistingFile("api-keys"), jwtKey = values.ExistingFile("jwt-key"), audit = values.Text("audit-log");
        Uri? authority = ReadAddress(values, "jwt-authority");
        string? audience = values.Text("jwt-audience");
        if (authority is not null && jwtKey is not null)
        {
            throw Failure.OfUsage(
                "--jwt-authority and --jwt-key: expected one, got both; an authority publishes its keys itself");
        }

        if (authority is { Scheme: not "https" })
        {
            throw values.Wrong("jwt-authority", "an https address");
        }

        bool hasTokens = authority is not null || jwtKey is not null;
        if (hasTokens != (audience is not null))
        {
            throw Failure.OfUsage(hasTokens
                ? "--jwt-audience: expected the audience of tokens, got none; tokens for other services would be accepted"
                : "--jwt-audience: expected --jwt-authority or --jwt-key beside it, got neither");
        }

        isOpen = keys is null && !hasTokens;
        InputLogging inputs = values.Choice("log-inputs", "off", "off", "shapes", "redacted") switch
        {
            "shapes" => InputLogging.Shapes,
            "redacted" => InputLogging.Redacted,
            _ => InputLogging.Off,
        };
        IReadOnlyList<string> hosts = values.List("allowed-hosts"), origins = values.List("cors");
        if (hosts.FirstOrDefault(name => !FastNNServerOptionsValidator.IsHost(name)) is { } host)
        {
            throw Failure.OfUsage(
                $"{values.Where("allowed-hosts")}: '{host}' is not a host's name such as example.com or *.example.com");
        }

        if (origins.FirstOrDefault(name => !FastNNServerOptionsValidator.IsOrigin(name)) is { } origin)
        {
            throw Failure.OfUsage(
                $"{values.Where("cors")}: '{origin}' is not an origin such as https://example.com, without a path");
        }

        int rate = values.Whole("requests-per-second", 0, int.MaxValue, 0), burst = values.Whole("burst", 1, int.MaxValue, 100);
        int connections = values.Whole("max-connections", 1, int.MaxValue, 4096);
        int requests = values.Whole("max-requests", 1, int.MaxValue, 2048);
        long memory = values.Size("memory-limit", 1, 0);
        bool control = values.Flag("control");
        return options =>
        {
            (options.ApiKeyFile, options.JwtKeyFile, options.AuditLogFile) = (keys, jwtKey, audit);
            (options.JwtAuthority, options.JwtAudience) = (authority?.ToString(), audience);
            (options.RequestsPerSecond, options.Burst, options.MaxConnections) = (rate, burst, connections);
            (options.MaxConcurrentRequests, options.MaxMemoryBytes) = (requests, memory);
            (options.LogInputs, options.AllowRepositoryControl) = (inputs, control);
            foreach (string name in hosts)
            {
                options.AllowedHosts.Add(name);
            }

            foreach (string name in origins)
            {
                options.CorsOrigins.Add(name);
            }
        };
    }

    private static Action<FastNNOptions> ReadModels(ServeValues values, string folder)
    {
        string device = values.Choice("device", "cpu", "cpu", "cuda", "best");
        int threads = values.Text("threads") is null ? 0 : values.Whole("threads", 1, CpuDevice.MaxThreads, 0);
        int batch = values.Whole("max-batch", 1, 65_536, 32), queue = values.Whole("queue", 1, int.MaxValue, 1024);
        TimeSpan delay = values.Time("max-delay", TimeSpan.Zero, TimeSpan.FromSeconds(1)) ?? new BatchingOptions().MaxDelay;
        TimeSpan drain = values.Time("drain", TimeSpan.Zero, TimeSpan.FromHours(1)) ?? TimeSpan.FromSeconds(30);
        bool watch = values.Switch("watch", byDefault: true);
        return options =>
        {
            (options.Folder, options.Device) = (Path.GetFullPath(folder), device);
            (options.Threads, options.WatchFiles) = (threads, watch);
            options.DrainTimeout = drain > TimeSpan.Zero ? drain : TimeSpan.FromMilliseconds(1);
            (options.Batching.MaxBatch, options.Batching.MaxDelay, options.Batching.QueueLength) = (batch, delay, queue);
        };
    }
}
