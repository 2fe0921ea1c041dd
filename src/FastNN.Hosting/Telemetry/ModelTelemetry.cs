using System.Diagnostics;

namespace FastNN.Hosting;

/// <summary>
/// What one version of a model counts. Thread-safe; nothing is allocated per call unless somebody listens to activities, and the
/// attributes are made once.
/// </summary>
internal sealed class ModelTelemetry
{
    private readonly ServingTelemetry _owner;
    private readonly KeyValuePair<string, object?>[][] _failureTags;
    private readonly string _activityName;
    private long _active;

    internal ModelTelemetry(ServingTelemetry owner, string name, string version)
    {
        _owner = owner;
        Name = name;
        Version = version;
        Tags = [new(ServingTelemetry.ModelName, name), new(ServingTelemetry.ModelVersion, version)];
        _failureTags =
        [
            .. FailureNames.All.Select(
                failure => (KeyValuePair<string, object?>[])[.. Tags, new(ServingTelemetry.ErrorType, failure)]),
        ];
        _activityName = $"infer {name}";
    }

    public string Name { get; }

    public string Version { get; }

    /// <summary>Calls under way.</summary>
    public long Active => Volatile.Read(ref _active);

    /// <summary>How many calls wait, as the queue knows it; set when the model is loaded.</summary>
    public Func<int>? Waiting { get; set; }

    /// <summary>What compares inputs with those of training, where these are known; set when the model is loaded.</summary>
    public Func<DriftMonitor?>? Drift { get; set; }

    /// <summary>The model's name and version as attributes.</summary>
    internal KeyValuePair<string, object?>[] Tags { get; }

    /// <summary>A call begins: before it is queued.</summary>
    public CallTrace CallStarted()
    {
        Interlocked.Increment(ref _active);
        Activity? activity = null;
        if (ServingTelemetry.Source.HasListeners())
        {
            // The call ends on another thread: what it does meanwhile is told by its context, and not by Activity.Current.
            Activity? caller = Activity.Current;
            activity = ServingTelemetry.Source.StartActivity(
                _activityName, ActivityKind.Internal, default(ActivityContext), Tags);
            Activity.Current = caller;
        }

        return new CallTrace(_owner.RequestDuration.Enabled ? Stopwatch.GetTimestamp() : 0, activity, IsUnderWay: true);
    }

    /// <summary>A call is over: answered, refused, failed or cancelled.</summary>
    /// <param name="trace">What <see cref="CallStarted"/> gave.</param>
    /// <param name="call">The call, whose times are set if it was answered.</param>
    /// <param name="failure">Why there is no answer; null if there is one.</param>
    /// <param name="batch">What <see cref="BatchStarted"/> gave for the batch that the call was part of.</param>
    public void CallEnded(in CallTrace trace, ModelCall call, Exception? failure, BatchTrace? batch = null)
    {
        if (!trace.IsUnderWay)
        {
            return;
        }

        Interlocked.Decrement(ref _active);
        KeyValuePair<string, object?>[] tags = failure is null ? Tags : TagsOf(failure);
        _owner.Requests.Add(1, Tags);
        if (trace.Start != 0)
        {
            _owner.RequestDuration.Record(Stopwatch.GetElapsedTime(trace.Start).TotalSeconds, tags);
        }

        if (failure is null)
        {
            _owner.QueueDuration.Record(call.QueueTime.TotalSeconds, Tags);
        }
        else
        {
            _owner.Failures.Add(1, tags);
        }

        if (trace.Activity is { } activity)
        {
            End(activity, call, failure, batch);
        }
    }

    /// <summary>A batch is about to be computed on this thread.</summary>
    /// <returns>What its operators are collected in, if somebody listens to them; else null.</returns>
    public BatchTrace? BatchStarted(Session? session = null) => BatchTrace.Start(Tags, session);

    /// <summary>A batch was computed.</summary>
    /// <param name="rows">How many examples it had.</param>
    /// <param name="compute">How long it took.</param>
    /// <param name="batch">What <see cref="BatchStarted"/> gave.</param>
    public void BatchRun(int rows, TimeSpan compute, BatchTrace? batch = null)
    {
        batch?.Stop();
        _owner.BatchSize.Record(rows, Tags);
        _owner.ComputeDuration.Record(compute.TotalSeconds, Tags);
    }

    private static void End(Activity activity, ModelCall call, Exception? failure, BatchTrace? batch)
    {
        Activity? current = Activity.Current;
        if (failure is null)
        {
            DateTime start = activity.StartTimeUtc, compute = start + call.QueueTime;
            activity.SetTag("fastnn.batch.size", call.BatchSize);
            Add("queue", activity, start, compute)?.Dispose();
            using Activity? computing = Add("compute", activity, compute, compute + call.ComputeTime);
            computing?.SetTag("fastnn.batch.size", call.BatchSize);
            batch?.AddTo(computing ?? activity);
        }
        else
        {
            activity.SetTag(ServingTelemetry.ErrorType, FailureNames.Of(failure));
            // The message of an inference exception is made for callers; others may tell of files.
            activity.SetStatus(ActivityStatusCode.Error, (failure as InferenceException)?.Message);
        }

        activity.Stop();
        Activity.Current = current;
    }

    private static Activity? Add(string name, Activity parent, DateTime start, DateTime end) =>
        ServingTelemetry.Source.StartActivity(name, ActivityKind.Internal, parent.Context, startTime: start)?.SetEndTime(end);

    private KeyValuePair<string, object?>[] TagsOf(Exception failure)
    {
        string name = FailureNames.Of(failure);
        for (int i = 0; i < _failureTags.Length; i++)
        {
            if (ReferenceEquals(_failureTags[i][^1].Value, name))
            {
                return _failureTags[i];
            }
        }

        throw new InvalidOperationException($"Telemetry: failure '{name}' is not among the known ones.");
    }
}
