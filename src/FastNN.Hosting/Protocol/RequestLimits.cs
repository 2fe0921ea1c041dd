namespace FastNN.Hosting.Protocol;

/// <summary>
/// A request that is larger than the service allows; an answer of its own (413, or RESOURCE_EXHAUSTED) tells so.
/// </summary>
internal sealed class RequestTooLargeException(string message) : Exception(message);

/// <summary>What a request can have at most, apart from its bytes.</summary>
internal static class RequestLimits
{
    /// <summary>Extents of a tensor; far more than any operator has.</summary>
    public const int MaxRank = 32;

    /// <summary>Bytes of a request's id, which the answer repeats.</summary>
    public const int MaxIdBytes = 1024;
}
