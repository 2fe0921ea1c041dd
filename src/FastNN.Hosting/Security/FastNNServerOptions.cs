namespace FastNN.Hosting;

/// <summary>
/// What a server asks of its callers and how much it takes from them; the defaults are safe on an open network.
/// </summary>
public sealed class FastNNServerOptions
{
    /// <summary>The file of API keys: a line <c>NAME SCOPES sha256:HEX</c> each. Null, the default, for none.</summary>
    public string? ApiKeyFile { get; set; }

    /// <summary>The address of an OpenID Connect issuer whose tokens are accepted. Null, the default, for none.</summary>
    public string? JwtAuthority { get; set; }

    /// <summary>A PEM file with the public key (RSA or EC) that signs tokens, in place of an authority.</summary>
    public string? JwtKeyFile { get; set; }

    /// <summary>What a token's <c>aud</c> must be; required for tokens.</summary>
    public string? JwtAudience { get; set; }

    /// <summary>Whether the server may listen beyond this machine although it asks for no key or token. Default false.</summary>
    public bool AllowUnauthenticated { get; set; }

    /// <summary>Whether models can be loaded and unloaded by calls; they also need the scope manage. Default false.</summary>
    public bool AllowRepositoryControl { get; set; }

    /// <summary>The file that gets one JSON line for each management call. Null, the default, for none.</summary>
    public string? AuditLogFile { get; set; }

    /// <summary>What the log is told of what goes into models. Default nothing; the values themselves in no case.</summary>
    public InputLogging LogInputs { get; set; }

    /// <summary>
    /// Names under which the server answers, as in the header Host, without ports; <c>*.example.com</c> for all below one,
    /// <c>*</c> for any. Empty, the default, for any name where callers need a key or token or come over the network, and for
    /// names of this machine alone otherwise: a page in a browser beside the server can make a name of its own lead here. Probes
    /// are exempt.
    /// </summary>
    public IList<string> AllowedHosts { get; } = [];

    /// <summary>
    /// Origins, such as <c>https://example.com</c>, whose pages may call the server from a browser; <c>*</c> for any. Empty, the
    /// default, for none but the server's own pages.
    /// </summary>
    public IList<string> CorsOrigins { get; } = [];

    /// <summary>
    /// Bytes of memory of the process, beyond which inference is refused with 503 until there are fewer. 0, the default, for no
    /// limit.
    /// </summary>
    public long MaxMemoryBytes { get; set; }

    /// <summary>Bytes of a request's body at most. Default 64 MiB.</summary>
    public long MaxRequestBytes { get; set; } = 64L << 20;

    /// <summary>Bytes of a request's headers at most. Default 32 KiB.</summary>
    public int MaxHeaderBytes { get; set; } = 32 << 10;

    /// <summary>Connections at once at most; further ones are closed. Default 4096.</summary>
    public int MaxConnections { get; set; } = 4096;

    /// <summary>Requests at once at most; further ones get 503. Default 2048.</summary>
    public int MaxConcurrentRequests { get; set; } = 2048;

    /// <summary>Requests a second for each key, or for each address without one; 0, the default, for no limit.</summary>
    public int RequestsPerSecond { get; set; }

    /// <summary>Requests that a key may send at once before <see cref="RequestsPerSecond"/> holds it back. Default 100.</summary>
    public int Burst { get; set; } = 100;

    /// <summary>How long a client may take for its headers. Default 10 s.</summary>
    public TimeSpan HeaderTimeout { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>How long a connection may be silent between requests, or before its first. Default 60 s.</summary>
    public TimeSpan KeepAliveTimeout { get; set; } = TimeSpan.FromSeconds(60);

    /// <summary>
    /// Bytes a second that a client must send of its body and read of its answer, after 5 s of grace. Default 1024.
    /// </summary>
    public int MinBytesPerSecond { get; set; } = 1024;

    /// <summary>Whether callers need a key or a token.</summary>
    internal bool AsksForAuthentication => ApiKeyFile is not null || JwtAuthority is not null || JwtKeyFile is not null;
}

/// <summary>What the log is told of what goes into models.</summary>
public enum InputLogging
{
    /// <summary>Nothing.</summary>
    Off,

    /// <summary>Names, types and extents.</summary>
    Shapes,

    /// <summary>
    /// The same and a fingerprint, by which equal inputs of one process are known; the values cannot be told from it.
    /// </summary>
    Redacted,
}
