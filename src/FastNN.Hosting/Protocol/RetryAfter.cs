using System.Globalization;

namespace FastNN.Hosting.Protocol;

/// <summary>When a refused caller may try again: the header of HTTP, and trailers of gRPC.</summary>
internal static class RetryAfter
{
    /// <summary>The trailer for people and programs, in seconds as the header of HTTP.</summary>
    public const string Trailer = "retry-after";

    /// <summary>The trailer that gRPC's own clients wait by where they retry at all.</summary>
    public const string PushbackTrailer = "grpc-retry-pushback-ms";

    private static readonly TimeSpan _default = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan _most = TimeSpan.FromHours(1);

    /// <summary>Whole seconds, 1 where the model does not know; null where trying again does not help.</summary>
    public static int? Of(InferenceException failure) => failure.Failure
        is InferenceFailure.QueueFull or InferenceFailure.NotReady or InferenceFailure.ShuttingDown
            ? (int)Math.Clamp(Math.Ceiling((failure.RetryAfter ?? _default).TotalSeconds), 1, _most.TotalSeconds)
            : null;

    /// <summary>What gRPC's callers are told of it; nothing where trying again does not help.</summary>
    public static IEnumerable<(string Name, string Value)> Trailers(Exception failure) =>
        failure is InferenceException refused && Of(refused) is { } seconds
            ?
            [
                (Trailer, seconds.ToString(CultureInfo.InvariantCulture)),
                (PushbackTrailer, Milliseconds(refused).ToString(CultureInfo.InvariantCulture)),
            ]
            : [];

    private static int Milliseconds(InferenceException failure) =>
        (int)Math.Clamp(Math.Ceiling((failure.RetryAfter ?? _default).TotalMilliseconds), 1, _most.TotalMilliseconds);
}
