namespace FastNN;

/// <summary>A number of an epoch that a callback watches; default the validation loss.</summary>
public readonly record struct MonitoredValue
{
    private readonly Kind _kind;
    private readonly string? _metric;

    private MonitoredValue(Kind kind, string? metric = null) => (_kind, _metric) = (kind, metric);

    private enum Kind
    {
        ValidationLoss,
        ValidationAccuracy,
        Loss,
        Accuracy,
        ValidationMetric,
        Metric,
    }

    /// <summary>Validation loss; less is better.</summary>
    public static MonitoredValue ValidationLoss => default;

    /// <summary>Validation accuracy; more is better.</summary>
    public static MonitoredValue ValidationAccuracy => new(Kind.ValidationAccuracy);

    /// <summary>Training loss; less is better.</summary>
    public static MonitoredValue Loss => new(Kind.Loss);

    /// <summary>Training accuracy; more is better.</summary>
    public static MonitoredValue Accuracy => new(Kind.Accuracy);

    /// <summary>A metric of the run on the validation data; the metric says whether more is better.</summary>
    /// <param name="name">Its name, <see cref="FastNN.Metric.Name"/>.</param>
    public static MonitoredValue ValidationMetric(string name)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        return new(Kind.ValidationMetric, name);
    }

    /// <summary>A metric of the run on the training data; the metric says whether more is better.</summary>
    /// <param name="name">Its name, <see cref="FastNN.Metric.Name"/>.</param>
    public static MonitoredValue Metric(string name)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        return new(Kind.Metric, name);
    }

    /// <summary>As in <c>ValidationLoss</c> or <c>ValidationMetric R2</c>.</summary>
    public override string ToString() => _metric is null ? _kind.ToString() : $"{_kind} {_metric}";

    /// <summary>The watched number, with its sign turned where more is better, so that less always is.</summary>
    internal double Read(Trainer trainer, EpochResult result)
    {
        if (_metric is not null)
        {
            string name = _metric;
            Metric metric = trainer.Metrics.FirstOrDefault(metric => metric.Name == name) ?? throw new InvalidOperationException(
                $"There is no metric '{_metric}' to watch: give it to Fit's metrics{(trainer.Metrics.Count == 0 ? "" : $", which are {string.Join(", ", trainer.Metrics)}")}.");
            MetricValues values = _kind == Kind.Metric ? result.Metrics : result.ValidationMetrics;
            return values.TryGetValue(_metric, out double number)
                ? metric.MoreIsBetter
                ? -number
                : number
                : throw new InvalidOperationException(
                $"There is no {this} to watch: Fit was given no validation data; give it some, or watch MonitoredValue.Metric(\"{_metric}\").");
        }

        double? value = _kind switch
        {
            Kind.ValidationLoss => result.ValidationLoss,
            Kind.ValidationAccuracy => -result.ValidationAccuracy,
            Kind.Accuracy => -result.Accuracy,
            _ => result.Loss,
        };
        return value
            ?? throw new InvalidOperationException(
                $"Expected a {this} to monitor, got none; pass validation data to Fit, or use a loss with classes.");
    }
}
