namespace FastNN.Hosting.Rest;

/// <summary>A request that HTTP itself has an answer for; its message is for the caller.</summary>
internal sealed class RestException(int statusCode, string message) : Exception(message)
{
    /// <summary>The answer's status.</summary>
    public int StatusCode { get; } = statusCode;
}
