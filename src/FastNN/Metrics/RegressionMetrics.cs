namespace FastNN;

/// <summary>A metric of the differences between outputs and targets.</summary>
internal sealed class ErrorMetric(string name, Func<Value, Value> record, Func<MetricSums, double> compute) : Metric
{
    public override string Name => name;

    public override Value Record(MetricInputs inputs) => record(Error(Name, inputs));

    public override double Compute(MetricSums sums) => compute(sums);

    /// <summary>output - target, element by element.</summary>
    public static Value Error(string name, MetricInputs inputs) => inputs.Output.TensorType == inputs.Target.TensorType
        ? inputs.Output - inputs.Target
        : throw new ShapeException(
            $"{name}: expected targets of the output's type {inputs.Output.TensorType}, got {inputs.Target.TensorType}.");
}

/// <summary>The coefficient of determination. The columns are the errors, then the targets.</summary>
internal sealed class DeterminationMetric : Metric
{
    public override string Name => "R2";

    public override bool MoreIsBetter => true;

    public override Value Record(MetricInputs inputs)
    {
        Value error = ErrorMetric.Error(Name, inputs), target = inputs.Target;
        return error.Shape.Rank < 2 ? ShapeOperators.Stack(-1, error, target) : Operators.Concat(-1, error, target);
    }

    public override double Compute(MetricSums sums)
    {
        int outputs = sums.Columns / 2;
        double total = 0;
        for (int i = 0; i < outputs; i++)
        {
            // In double, where squares of floats are exact, so that a large mean of the targets takes no digits from their
            // variance.
            double mean = sums.Sum(outputs + i) / sums.Count;
            double deviations = sums.SumOfSquares(outputs + i) - (mean * sums.Sum(outputs + i)), errors = sums.SumOfSquares(i);
            total += deviations > 0 ? 1 - (errors / deviations) : errors == 0 ? 1 : 0;
        }

        return sums.Count == 0 ? double.NaN : total / outputs;
    }
}

/// <summary>The mean of what a function records; see <see cref="Metric.From"/>.</summary>
internal sealed class RecordedMetric(string name, Func<Value, Value, Value> record, bool moreIsBetter) : Metric
{
    public override string Name => name;

    public override bool MoreIsBetter => moreIsBetter;

    public override Value Record(MetricInputs inputs) =>
        record(inputs.Output, inputs.Target)
            ?? throw new InvalidOperationException($"{name}: expected the function to return a value, got null.");

    public override double Compute(MetricSums sums) => sums.Mean();
}
