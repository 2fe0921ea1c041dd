using System.Globalization;
using FastNN.Formats;
using FastNN.Kernels;

namespace FastNN;

public sealed partial class Trainer
{
    private Metric[] _fitMetrics = [];
    private Metric[] _evaluationMetrics = [];

    /// <summary>The metrics of the running or last <see cref="Fit"/>.</summary>
    public IReadOnlyList<Metric> Metrics => _fitMetrics;

    private static Metric[] CheckMetrics(IReadOnlyList<Metric>? metrics)
    {
        Metric[] all = [.. metrics ?? []];
        var names = new HashSet<string>(StringComparer.Ordinal);
        foreach (Metric metric in all)
        {
            ArgumentNullException.ThrowIfNull(metric, nameof(metrics));
            if (string.IsNullOrEmpty(metric.Name) || metric.Name.AsSpan().ContainsAny(",\"\r\n") || !names.Add(metric.Name))
            {
                throw new ArgumentException(
                    $"Trainer: expected metrics whose names are their own and hold no commas, quotes and line breaks, got '{metric.Name}'.", nameof(metrics));
            }
        }

        return all;
    }

    private Metric[] MetricsOf(GraphMode mode) => mode == GraphMode.Training ? _fitMetrics : _evaluationMetrics;

    /// <summary>
    /// Has metrics recorded. An evaluation may leave out some that an earlier one asked for; a training step records no more than
    /// is asked.
    /// </summary>
    private void UseMetrics(GraphMode mode, Metric[] metrics)
    {
        using DeviceUse use = _device.Life.Enter();
        Prepare();
        if (mode == GraphMode.Training ? !metrics.SequenceEqual(_fitMetrics) : !metrics.All(_evaluationMetrics.Contains))
        {
            _ = mode == GraphMode.Training ? _fitMetrics = metrics : _evaluationMetrics = metrics;
            _bytesPerExample = null;
            _step!.Rerecord(mode);
        }

        if (mode == GraphMode.Inference)
        {
            _step!.ResetMetrics(mode);
        }
    }

    private MetricValues ReadMetrics(GraphMode mode, Metric[] metrics)
    {
        using DeviceUse use = _device.Life.Enter();
        return metrics.Length == 0 ? MetricValues.Empty : new MetricValues(
            metrics.Select(
                metric => KeyValuePair.Create(metric.Name, _step!.ReadMetric(mode, Array.IndexOf(MetricsOf(mode), metric)))));
    }

    private ConfusionMatrix ReadConfusion(ConfusionMatrix matrix)
    {
        using DeviceUse use = _device.Life.Enter();
        return ConfusionMetric.Count(
            new MetricSums(_step!.ReadMetricSums(GraphMode.Inference, _evaluationMetrics.Length)), matrix);
    }

    /// <summary>At the beginning of an epoch, or in its middle where a run is resumed.</summary>
    private void BeginMetrics()
    {
        using DeviceUse use = _device.Life.Enter();
        _step!.ResetMetrics(GraphMode.Training);
        for (int i = 0; i < _fitMetrics.Length && _progress.Batch > 0; i++)
        {
            double[] sums = _progress.MetricSums.GetValueOrDefault(_fitMetrics[i].Name)
                ?? throw new InvalidOperationException(
                    $"Trainer.Fit: the checkpoint was saved in the middle of an epoch and holds no sums of metric '{_fitMetrics[i].Name}'; expected the metrics of that run.");
            int expected = _step.ReadMetricSums(GraphMode.Training, i).Length;
            if (sums.Length != expected)
            {
                throw new InvalidOperationException(
                    $"Trainer.Fit: expected {expected} sums of metric '{_fitMetrics[i].Name}', the checkpoint holds {sums.Length}.");
            }

            _step.WriteMetricSums(GraphMode.Training, i, sums);
        }
    }

    private void SaveMetrics(SafetensorsWriter writer)
    {
        for (int i = 0; i < _fitMetrics.Length && _progress.Batch > 0; i++)
        {
            writer.SetMetadata(
                $"metricSums/{_fitMetrics[i].Name}", string.Join(' ', _step!.ReadMetricSums(GraphMode.Training, i).Select(Text)));
        }

        IReadOnlyList<EpochResult> epochs = _progress.History.Epochs;
        foreach (string name in epochs.SelectMany(epoch => epoch.Metrics.Names).Distinct())
        {
            writer.SetMetadata($"metric/{name}", string.Join(' ', epochs.Select(epoch => Optional(epoch.Metrics, name))));
        }

        foreach (string name in epochs.SelectMany(epoch => epoch.ValidationMetrics.Names).Distinct())
        {
            writer.SetMetadata(
                $"validationMetric/{name}", string.Join(' ', epochs.Select(epoch => Optional(epoch.ValidationMetrics, name))));
        }

        static string Optional(MetricValues values, string name) =>
            values.TryGetValue(name, out double value) ? Text(value) : "-";
    }

    private sealed partial class Progress
    {
        /// <summary>What metrics had summed up when a checkpoint was saved in the middle of an epoch.</summary>
        public Dictionary<string, double[]> MetricSums { get; } = [];

        private static MetricValues MetricsOf(SafetensorsReader reader, string kind, int epoch, int epochs)
        {
            var values = new List<KeyValuePair<string, double>>();
            foreach ((string key, string text) in reader.Metadata.Where(
                pair => pair.Key.StartsWith(kind, StringComparison.Ordinal)))
            {
                string[] numbers = text.Split(' ');
                if (numbers.Length != epochs)
                {
                    throw new FileFormatException(
                        reader.FilePath, 0, $"{epochs} numbers for {key}, one for each epoch", $"{numbers.Length}");
                }

                if (numbers[epoch] != "-")
                {
                    values.Add(KeyValuePair.Create(key[kind.Length..], NumberOf(reader, key, numbers[epoch])));
                }
            }

            return values.Count == 0 ? MetricValues.Empty : new MetricValues(values);
        }

        private void LoadMetricSums(SafetensorsReader reader)
        {
            const string Kind = "metricSums/";
            foreach ((string key, string text) in reader.Metadata.Where(
                pair => pair.Key.StartsWith(Kind, StringComparison.Ordinal)))
            {
                MetricSums.Add(key[Kind.Length..], Array.ConvertAll(text.Split(' '), number => NumberOf(reader, key, number)));
            }
        }

        private static double NumberOf(SafetensorsReader reader, string key, string text) =>
            double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out double value)
                ? value
                : throw new FileFormatException(reader.FilePath, 0, $"a number for {key}", text);
    }
}
