namespace FastNN.Hosting;

/// <summary>
/// The names under which a service tells what it does: for <c>AddMeter</c> and <c>AddSource</c> of OpenTelemetry, for
/// <c>dotnet-counters</c>, or for a listener of one's own. Nothing is measured while nobody listens.
/// </summary>
public static class FastNNDiagnostics
{
    /// <summary>The name of the <see cref="System.Diagnostics.Metrics.Meter"/>.</summary>
    public const string MeterName = "FastNN";

    /// <summary>
    /// The name of the <see cref="System.Diagnostics.ActivitySource"/> of requests, with their queue and compute time.
    /// </summary>
    public const string ActivitySourceName = "FastNN";

    /// <summary>
    /// The name of the source of one activity per operator of a network on a CPU, below that of the computation. Apart from
    /// <see cref="ActivitySourceName"/>, because a large network has hundreds of them for every request.
    /// </summary>
    public const string OperatorActivitySourceName = "FastNN.Operators";
}
