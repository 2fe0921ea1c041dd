using Microsoft.AspNetCore.Builder;

namespace FastNN.Hosting;

/// <summary>
/// What an endpoint of FastNN is for, as its metadata tells and <see cref="FastNNEndpointOptions.Configure"/> gets it.
/// </summary>
public enum FastNNEndpoint
{
    /// <summary>Whether the server and its models live and are ready.</summary>
    Health,

    /// <summary>What the server and its models are: names, versions, inputs, outputs, configuration.</summary>
    Metadata,

    /// <summary>Running a model.</summary>
    Inference,

    /// <summary>How often models ran and how long it took.</summary>
    Statistics,

    /// <summary>Which models there are and in what state.</summary>
    RepositoryIndex,

    /// <summary>Loading and unloading models.</summary>
    RepositoryControl,

    /// <summary>The OpenAPI document and the page that shows it.</summary>
    Documentation,
}

/// <summary>What <c>MapFastNN</c> maps, and how much a request can have.</summary>
public sealed class FastNNEndpointOptions
{
    /// <summary>What stands before <c>/v2</c> in every path of REST, as in <c>/models-of-mine</c>. Default none.</summary>
    public string Prefix { get; set; } = "";

    /// <summary>
    /// Whether the protocol is mapped over gRPC as well, with its health service and reflection. Default true. Its paths have no
    /// <see cref="Prefix"/>, so one call of <c>MapFastNN</c> can map it.
    /// </summary>
    public bool Grpc { get; set; } = true;

    /// <summary>Whether callers can load and unload models. Default false: such requests get 403
    /// (PERMISSION_DENIED).</summary>
    public bool RepositoryControl { get; set; }

    /// <summary>Whether the statistics of models are mapped. Default true.</summary>
    public bool Statistics { get; set; } = true;

    /// <summary>
    /// Whether <c>v2/openapi.json</c>, the page <c>v2/docs</c> and reflection over gRPC are mapped. Default true.
    /// </summary>
    public bool Documentation { get; set; } = true;

    /// <summary>The most bytes of a request's body, compressed or not; a larger one gets 413 (RESOURCE_EXHAUSTED).
    /// Default 64 MiB. It stands in place of the server's own limit.</summary>
    public long MaxRequestBytes { get; set; } = 64L << 20;

    /// <summary>The most bytes of one input's elements; a larger one gets 413. Default 64 MiB.</summary>
    public long MaxTensorBytes { get; set; } = 64L << 20;

    /// <summary>How long an inference request may take from its first byte to the model's answer; then it gets 504. A request's
    /// own <c>timeout</c> can only be shorter. Default <see cref="Timeout.InfiniteTimeSpan"/>.</summary>
    public TimeSpan Timeout { get; set; } = System.Threading.Timeout.InfiniteTimeSpan;

    /// <summary>
    /// Is called for every endpoint of REST, and for those of each kind over gRPC, to add authorization, rate limits and the like
    /// by what they are for.
    /// </summary>
    public Action<FastNNEndpoint, IEndpointConventionBuilder>? Configure { get; set; }

    /// <summary>Refuses settings that cannot be meant.</summary>
    internal void Validate()
    {
        ArgumentNullException.ThrowIfNull(Prefix);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(MaxRequestBytes);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(MaxTensorBytes);
        if (Timeout <= TimeSpan.Zero && Timeout != System.Threading.Timeout.InfiniteTimeSpan)
        {
            throw new ArgumentOutOfRangeException(
                nameof(Timeout), Timeout, "expected a positive time, or Timeout.InfiniteTimeSpan for none");
        }
    }
}
