namespace FastNN.Hosting;

/// <summary>What the service over gRPC allows; <c>MapFastNN</c> sets it from <see cref="FastNNEndpointOptions"/>.</summary>
internal sealed class GrpcServingOptions
{
    private int _mapped;

    /// <summary>The most bytes of a request, as it came and when it is decompressed.</summary>
    public int MaxRequestBytes { get; set; } = 64 << 20;

    /// <summary>The most bytes of one tensor's elements.</summary>
    public long MaxTensorBytes { get; set; } = 64 << 20;

    /// <summary>How long a request may take at most; the caller may allow less.</summary>
    public TimeSpan Timeout { get; set; } = System.Threading.Timeout.InfiniteTimeSpan;

    /// <summary>Whether callers may load and unload models.</summary>
    public bool RepositoryControl { get; set; }

    /// <summary>Whether callers may read statistics.</summary>
    public bool Statistics { get; set; } = true;

    /// <summary>Whether the service describes itself to tools by reflection.</summary>
    public bool Reflection { get; set; } = true;

    /// <summary>Takes over what the two forms of the protocol have in common.</summary>
    /// <exception cref="InvalidOperationException">The service is mapped already, and its paths have no prefix.</exception>
    public void Set(FastNNEndpointOptions options)
    {
        if (Interlocked.Exchange(ref _mapped, 1) != 0)
        {
            throw new InvalidOperationException(
                "MapFastNN: the service over gRPC is mapped already, and its paths have no prefix; set Grpc to false in further calls");
        }

        MaxRequestBytes = (int)Math.Min(options.MaxRequestBytes, int.MaxValue);
        MaxTensorBytes = options.MaxTensorBytes;
        Timeout = options.Timeout;
        RepositoryControl = options.RepositoryControl;
        Statistics = options.Statistics;
        Reflection = options.Documentation;
    }
}
