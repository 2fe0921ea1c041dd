using System.Collections.Concurrent;
using System.Diagnostics;
using System.Diagnostics.Metrics;
using System.Reflection;
using FastNN.Cuda;
using Microsoft.Extensions.DependencyInjection;

namespace FastNN.Hosting;

/// <summary>
/// The meter "FastNN" of one service with all its instruments, and the sources of its activities. Names and units follow the
/// conventions of OpenTelemetry. Thread-safe.
/// </summary>
/// <remarks>
/// The engine takes a <see cref="ModelTelemetry"/> for each version of a model and calls it; what can be asked at any time 
/// (states, queue lengths, memory) is read only when somebody collects.
/// </remarks>
internal sealed class ServingTelemetry
{
    internal const string ModelName = "fastnn.model.name";
    internal const string ModelVersion = "fastnn.model.version";
    internal const string ErrorType = "error.type";

    private readonly IServiceProvider _services;
    private readonly ConcurrentDictionary<(string Name, string Version), ModelTelemetry> _models = new();
    private readonly ServingResources _resources;

    /// <param name="meters">Makes the meter, and disposes it with the service.</param>
    /// <param name="services">Has the catalog, which is asked for when somebody collects: it is made from this object.</param>
    /// <param name="resources">What the service holds.</param>
    public ServingTelemetry(IMeterFactory meters, IServiceProvider services, ServingResources resources)
    {
        (_services, _resources) = (services, resources);
        Meter = meters.Create(new MeterOptions(FastNNDiagnostics.MeterName) { Version = Version });
        Requests = Meter.CreateCounter<long>("fastnn.requests", "{request}", "Calls that ended, with or without an answer.");
        Failures = Meter.CreateCounter<long>("fastnn.request.failures", "{request}", "Calls without an answer, by reason.");
        RequestDuration = Meter.CreateHistogram(
            "fastnn.request.duration", "s", "Time from a call's begin to its end.", advice: Buckets.Seconds);
        QueueDuration = Meter.CreateHistogram(
            "fastnn.queue.duration", "s", "Time that answered calls waited to be computed.", advice: Buckets.Seconds);
        ComputeDuration = Meter.CreateHistogram(
            "fastnn.compute.duration", "s", "Time in which batches were computed.", advice: Buckets.Seconds);
        BatchSize = Meter.CreateHistogram(
            "fastnn.batch.size", "{row}", "Examples that were computed together.", advice: Buckets.Rows);
        LoadDuration = Meter.CreateHistogram(
            "fastnn.model.load.duration", "s", "Time in which a model was read and warmed up.", advice: Buckets.LoadSeconds);
        Loads = Meter.CreateCounter<long>(
            "fastnn.model.loads", "{load}", "Models that were loaded or reloaded, failed attempts included.");
        Meter.CreateObservableUpDownCounter(
            "fastnn.active_requests", () => _models.Values.Select(model => new Measurement<long>(model.Active, model.Tags)),
            "{request}", "Calls under way, those that wait included.");
        Meter.CreateObservableUpDownCounter(
            "fastnn.queue.length",
            () => _models.Values.Select(model => new Measurement<long>(model.Waiting?.Invoke() ?? 0, model.Tags)), "{request}",
            "Calls that wait to be computed.");
        Meter.CreateObservableUpDownCounter("fastnn.models", CountStates, "{model}", "Versions of models, by state.");
        Meter.CreateObservableGauge("fastnn.model.ready", Ready, null, "Whether a version of a model is warm: 1 or 0.");
        Meter.CreateObservableUpDownCounter(
            "fastnn.memory.usage", () => HostUse(_resources), "By",
            "Memory of the process: managed objects (managed), and tensors that are kept for the next calls (buffers).");
        Meter.CreateObservableUpDownCounter(
            "fastnn.buffers.rented", () => _resources.RentedBuffers, "{buffer}", "Tensors that calls hold.");
        Meter.CreateObservableUpDownCounter(
            "fastnn.device.memory.usage", DeviceUse, "By",
            "Memory of a device that models hold (used) or that is kept for the next (cached).");
        Meter.CreateObservableGauge(
            "fastnn.gpu.memory.free", () => _resources.FreeOnGpus.Select(free => new Measurement<long>(free)), "By",
            "Memory of the GPU that no process holds.");
        ObserveGpus("fastnn.gpu.utilization", "1", gpu => gpu.Utilization, "Share of time in which the GPU computed.");
        ObserveGpus("fastnn.gpu.temperature", "Cel", gpu => gpu.Temperature, "Temperature of the GPU.");
        ObserveGpus("fastnn.gpu.power", "W", gpu => gpu.Power, "Power that the GPU draws.");
        Meter.CreateObservableGauge(
            "fastnn.drift", () => _models.Values.SelectMany(model => model.Drift?.Invoke()?.Measure() ?? []), null,
            "How far the inputs of the last window are from those of training, as a population stability index by feature.");
        Meter.CreateObservableGauge(
            "fastnn.build.info", () => new Measurement<int>(1, new KeyValuePair<string, object?>("version", Version),
                new KeyValuePair<string, object?>("runtime", Environment.Version.ToString())), null,
            "The version that runs; always 1.");
    }

    /// <summary>The package's version; before the sources, which are made with it.</summary>
    internal static string Version { get; } = typeof(ServingTelemetry).Assembly
        .GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion.Split('+')[0] ?? "0.0.0";

    /// <summary>Requests, queue and compute.</summary>
    internal static ActivitySource Source { get; } = new(FastNNDiagnostics.ActivitySourceName, Version);

    /// <summary>Operators.</summary>
    internal static ActivitySource Operators { get; } = new(FastNNDiagnostics.OperatorActivitySourceName, Version);

    /// <summary>The meter, by which a listener tells this service from others in the process.</summary>
    internal Meter Meter { get; }

    internal Counter<long> Requests { get; }

    internal Counter<long> Failures { get; }

    internal Histogram<double> RequestDuration { get; }

    internal Histogram<double> QueueDuration { get; }

    internal Histogram<double> ComputeDuration { get; }

    internal Histogram<int> BatchSize { get; }

    private Counter<long> Loads { get; }

    private Histogram<double> LoadDuration { get; }

    /// <summary>The counts of one version of a model, which outlive a reload: take it once and keep it.</summary>
    public ModelTelemetry Of(string name, string version) =>
        _models.GetOrAdd((name, version), static (key, owner) => new ModelTelemetry(owner, key.Name, key.Version), this);

    /// <summary>
    /// Counts a call of a model that is unknown or not ready. It has no model's name: callers choose what they ask for.
    /// </summary>
    public void CallRefused(InferenceFailure failure)
    {
        Requests.Add(1);
        Failures.Add(1, new KeyValuePair<string, object?>(ErrorType, FailureNames.Of(failure)));
    }

    /// <summary>A model was loaded or reloaded, or could not be.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="version">Its version.</param>
    /// <param name="duration">How long it took, the warm-up included.</param>
    /// <param name="failure">Why it failed; null if it did not.</param>
    public void ModelLoaded(string name, string version, TimeSpan duration, Exception? failure = null)
    {
        KeyValuePair<string, object?>[] tags = failure is null
            ? Of(name, version).Tags
            : [.. Of(name, version).Tags, new(ErrorType, NameOf(failure))];
        Loads.Add(1, tags);
        LoadDuration.Record(duration.TotalSeconds, tags);
    }

    /// <summary>Shows a device's memory until <see cref="Forget"/>.</summary>
    public void Watch(Device device) => _resources.Watch(device);

    /// <summary>No longer shows a device, which is about to be disposed.</summary>
    public void Forget(Device device) => _resources.Forget(device);

    private static string? NameOf(Exception failure) =>
        failure is InferenceException inference ? FailureNames.Of(inference.Failure) : failure.GetType().FullName;

    private IReadOnlyList<ModelStatus> States => _services.GetService<IModelCatalog>()?.List() ?? [];

    private IEnumerable<Measurement<long>> CountStates()
    {
        IReadOnlyList<ModelStatus> states = States;
        return Enum.GetValues<ModelState>().Select(state => new Measurement<long>(
            states.Count(status => status.State == state),
            new KeyValuePair<string, object?>("fastnn.model.state", FailureNames.Of(state))));
    }

    private IEnumerable<Measurement<int>> Ready() => States.Where(status => status.State != ModelState.Unloaded)
        .Select(status => new Measurement<int>(
            status.State == ModelState.Ready ? 1 : 0,
            new KeyValuePair<string, object?>(ModelName, status.Name),
            new KeyValuePair<string, object?>(ModelVersion, status.Version)));

    private void ObserveGpus(string name, string unit, Func<GpuState, double?> read, string description) =>
        Meter.CreateObservableGauge(
            name, () => _resources.Gpus.Select(read).OfType<double>().Select(value => new Measurement<double>(value)), unit,
            description);

    private static Measurement<long>[] HostUse(ServingResources resources) =>
    [
        new(ServingResources.Managed, new KeyValuePair<string, object?>("fastnn.memory.kind", "managed")),
        new(resources.Buffers, new KeyValuePair<string, object?>("fastnn.memory.kind", "buffers")),
    ];

    private IEnumerable<Measurement<long>> DeviceUse()
    {
        foreach ((string name, DeviceMemory memory) in _resources.Devices)
        {
            KeyValuePair<string, object?> kind = new("fastnn.device.kind", name);
            yield return new Measurement<long>(memory.LiveBytes, kind, new("fastnn.memory.state", "used"));
            if (name != "cpu")
            {
                yield return new Measurement<long>(memory.CachedBytes, kind, new("fastnn.memory.state", "cached"));
            }
        }
    }
}
