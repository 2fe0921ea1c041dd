using System.Diagnostics;

namespace FastNN.Hosting.Tests.Telemetry;

/// <summary>Listens to FastNN's activities, those of operators as well, until it is disposed, and has those that ended.</summary>
internal sealed class HeardActivities : IDisposable
{
    private readonly ActivityListener _listener;

    public HeardActivities()
    {
        _listener = new ActivityListener
        {
            ShouldListenTo = source => source.Name
                is FastNNDiagnostics.ActivitySourceName or FastNNDiagnostics.OperatorActivitySourceName,
            Sample = (ref _) => ActivitySamplingResult.AllDataAndRecorded,
            ActivityStopped = Ended.Add,
        };
        ActivitySource.AddActivityListener(_listener);
    }

    public List<Activity> Ended { get; } = [];

    public void Dispose() => _listener.Dispose();
}
