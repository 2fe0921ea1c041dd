using System.Diagnostics.Metrics;
using System.Numerics;
using Microsoft.Extensions.Logging;

namespace FastNN.Hosting;

/// <summary>
/// Keeps what the instruments of one service, and those of the runtime, measured since it was made: for
/// <see cref="PrometheusText"/>. Thread-safe.
/// </summary>
internal sealed partial class MetricCollector : IDisposable
{
    private const string RuntimeMeter = "System.Runtime";

    private readonly Lock _gate = new();
    private readonly MeterListener _listener = new();
    private readonly List<MetricStore> _stores = [];
    private readonly ILogger<MetricCollector> _log;
    private long _collection;

    /// <param name="telemetry">Whose meter is heard; others of its name are those of other services in the process.</param>
    /// <param name="log">Is told of instruments that cannot be read.</param>
    public MetricCollector(ServingTelemetry telemetry, ILogger<MetricCollector> log)
    {
        _log = log;
        _listener.InstrumentPublished = (instrument, listener) =>
        {
            if (instrument.Meter == telemetry.Meter || (instrument.Meter.Name == RuntimeMeter && instrument.Meter.Scope is null))
            {
                var store = new MetricStore(instrument);
                lock (_gate)
                {
                    _stores.Add(store);
                }

                listener.EnableMeasurementEvents(instrument, store);
            }
        };
        Hear<byte>();
        Hear<short>();
        Hear<int>();
        Hear<long>();
        Hear<float>();
        Hear<double>();
        Hear<decimal>();
        _listener.Start();
    }

    /// <summary>Asks the instruments that are observed, and gives all instruments with their series, by name.</summary>
    public IReadOnlyList<(MetricStore Store, MetricSeries[] Series)> Collect()
    {
        lock (_gate)
        {
            _collection++;
            _stores.ForEach(store => store.Collection = _collection);
            try
            {
                _listener.RecordObservableInstruments();
            }
            catch (AggregateException e)
            {
                // The others were read; what could not be is absent from the answer.
                CannotObserve(_log, e);
            }

            return
            [
                .. _stores.OrderBy(store => store.Instrument.Name, StringComparer.Ordinal).Select(store => (store, store.Read())),
            ];
        }
    }

    public void Dispose() => _listener.Dispose();

    private void Hear<T>()
        where T : struct, INumber<T> =>
        _listener.SetMeasurementEventCallback<T>(static (_, value, tags, state) =>
            ((MetricStore)state!).Record(double.CreateSaturating(value), tags));

    [LoggerMessage(
        EventId = 1701, Level = LogLevel.Warning, Message = "Some metrics cannot be read and are missing from the answer.")]
    private static partial void CannotObserve(ILogger log, Exception exception);
}
