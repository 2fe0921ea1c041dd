namespace FastNN.Cli.Serving;

/// <summary>
/// An option of `fastnn serve`: one name on the command line (with dashes before it), in a configuration file, and, in capitals
/// with underscores behind FASTNN_, in the environment.
/// </summary>
/// <param name="Name">Its name, without dashes before it.</param>
/// <param name="Value">What help calls its value; null for one that is there or not.</param>
/// <param name="Description">What help says.</param>
internal sealed record ServeOption(string Name, string? Value, string Description)
{
    /// <summary>The name of the folder of models in a configuration.</summary>
    public const string Folder = "models";

    public static IReadOnlyList<ServeOption> All { get; } =
    [
        new("host", "ADDRESS", "Where to listen: 127.0.0.1 by default; 0.0.0.0 or * for the network needs keys or tokens."),
        new("port", "P", "The port of REST; 8000 by default, 0 for a free one."),
        new("grpc-port", "P|off", "The port of gRPC; 8001 by default, 0 for a free one."),
        new("tls-certificate", "FILE", "A PEM file with the certificate and those that signed it; read again when it changes."),
        new("tls-key", "FILE", "A PEM file with the certificate's private key."),
        new("api-keys", "FILE", "A file of API keys: callers need one. --new-key makes keys."),
        new("jwt-authority", "URL", "The https address of an OpenID Connect issuer whose tokens are accepted."),
        new("jwt-key", "FILE", "A PEM file with the public key that signs tokens, in place of --jwt-authority."),
        new("jwt-audience", "NAME", "The audience that tokens are for; needed with either."),
        new("insecure", null, "Listen on the network although callers need no key or token."),
        new("allowed-hosts", "NAME,...", "Names under which the server answers; * for any.") { IsList = true },
        new("cors", "ORIGIN,...", "Origins whose pages may call the server from a browser; none by default.") { IsList = true },
        new("control", null, "Let callers load and unload models; with keys, those that have the scope manage.")
        {
            Aliases = ["--allow-repository-control"],
        },
        new("audit-log", "FILE", "Append a JSON line for each call that loads or unloads a model."),
        new("metrics", null, "Answer /metrics for Prometheus; with keys, those that have the scope metrics."),
        new("otlp", "URL", "Send metrics and traces to a collector: http://HOST:4317 for gRPC, port 4318 or a path for HTTP."),
        new("trace-operators", null, "Send the operators of networks with the traces of --otlp: many, and each batch is slower."),
        new("log-inputs", "off|shapes|redacted", "What the log tells of inputs: nothing by default, shapes, or fingerprints."),
        new("device", "cpu|cuda|best", "Where to compute: cpu by default."),
        new("threads", "N", "Processor threads; all by default."),
        new("max-batch", "N", "Examples that are computed together at most; 32 by default, 1 for none together."),
        new("max-delay", "TIME", "How long an idle model waits for callers that came together before; 1ms by default."),
        new("queue", "N", "Calls of a model that may wait; 1024 by default, further ones get 503."),
        new("time-out", "TIME", "How long inference may take before it gets 504; what cannot be done by then is refused at once.")
        {
            Aliases = ["--timeout"],
        },
        new("max-request-bytes", "SIZE", "The largest request; 64MiB by default."),
        new("memory-limit", "SIZE", "Memory of the process beyond which inference gets 503 until there is less."),
        new("max-connections", "N", "Connections at once; 4096 by default."),
        new("max-requests", "N", "Requests at once; 2048 by default, further ones get 503."),
        new("requests-per-second", "N", "Requests a second of one key or address; no limit by default, further ones get 429."),
        new("burst", "N", "Requests at once before --requests-per-second holds a caller back; 100 by default."),
        new("drain", "TIME", "How long requests may take to end when the server stops; 30s by default."),
        new("watch", "on|off", "Whether models are loaded anew when their files change; on by default."),
    ];

    /// <summary>As it stands on the command line.</summary>
    public string Switch => $"--{Name}";

    /// <summary>Whether it is there or not.</summary>
    public bool IsFlag => Value is null;

    /// <summary>Whether it may have several values, joined by commas or repeated.</summary>
    public bool IsList { get; init; }

    public string[] Aliases { get; init; } = [];

    /// <summary>As it is called in the environment.</summary>
    public string Variable => VariableOf(Name);

    public static string VariableOf(string name) => $"FASTNN_{name.ToUpperInvariant().Replace('-', '_')}";
}
