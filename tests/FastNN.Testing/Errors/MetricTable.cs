using static FastNN.Testing.CallInput;

namespace FastNN.Testing;

/// <summary>
/// A right use of every metric that training records, which <see cref="CallTrial"/> makes wrong one argument at a time.
/// </summary>
internal static class MetricTable
{
    public static IReadOnlyList<CallRow> Rows { get; } =
    [
        .. new[]
        {
            Metric.Accuracy, Metric.Precision, Metric.Recall, Metric.F1, Metric.IoU, Metric.Dice, Metric.Perplexity,
        }.Select(metric => Row(metric, I(3), 4)),
        Row(Metric.MeanAbsoluteError, F(3, 4), null),
        Row(Metric.MeanSquaredError, F(3, 4), null),
        Row(Metric.RootMeanSquaredError, F(3, 4), null),
        Row(Metric.R2, F(3, 4), null),
        ObjectRow.Of(typeof(TopK), [2], [F(3, 4), I(3)], (metric, a) => Record((Metric)metric, a, 4)),
        ObjectRow.Of(typeof(RocAuc), [20], [F(3, 1), F(3, 1)], (metric, a) => Record((Metric)metric, a, 2)),
    ];

    private static CallRow Row(Metric metric, CallInput target, int? classes) =>
        CallRow.Of(metric.Name, [F(3, 4), target], a => Record(metric, a, classes));

    private static Value Record(Metric metric, object?[] a, int? classes) =>
        metric.Record(new MetricInputs((Value)a[0]!, (Value)a[1]!) { ClassCount = classes });
}
