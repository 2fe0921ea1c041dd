namespace FastNN;

/// <summary>
/// The share of rows whose target is among the k classes with the largest outputs. Of equal outputs the first counts as the
/// larger, so that of k = 1 it is the accuracy; a row with NaN counts as wrong. Rows of the loss's ignored class, or of no class
/// at all, do not count.
/// </summary>
/// <param name="k">At least 1.</param>
public sealed class TopK(int k) : Metric
{
    private readonly int _k = k >= 1 ? k : throw new ArgumentOutOfRangeException(nameof(k), k, "TopK: expected at least 1.");

    /// <inheritdoc/>
    public override string Name { get; } = string.Create(System.Globalization.CultureInfo.InvariantCulture, $"Top{k}");

    /// <inheritdoc/>
    public override bool MoreIsBetter => true;

    /// <inheritdoc/>
    public override Value Record(MetricInputs inputs)
    {
        ArgumentNullException.ThrowIfNull(inputs);
        Classes classes = Classes.Of(Name, inputs);
        Value output = inputs.Output;
        if (classes.IsBinary)
        {
            throw new ShapeException($"{Name}: expected an output of several classes along its last axis, got {output.Shape}.");
        }

        // How many stand before the target: those with a larger output, and the earlier ones of equal ones.
        Value indices = classes.Indices, actual = classes.Actual.WithColumn(), other = indices.NotEqual(actual);
        Value targets = ShapeOperators.Where(other, output.Graph.Constant(0), output).Sum([-1], keepDims: true);

        // NaN stands before every number.
        Value larger = !(output <= targets), equalBefore = output.Equal(targets) & (indices < actual);
        Value before = Classes.Select(larger | equalBefore, 1, 0).Sum([-1]);
        return classes.Count(Classes.Select(before < _k, 1, 0));
    }

    /// <inheritdoc/>
    public override double Compute(MetricSums sums)
    {
        ArgumentNullException.ThrowIfNull(sums);
        return Classes.Share(sums);
    }
}

/// <summary>The share of rows that name the right class.</summary>
internal sealed class AccuracyMetric : Metric
{
    public override string Name => "Accuracy";

    public override bool MoreIsBetter => true;

    public override Value Record(MetricInputs inputs)
    {
        Classes classes = Classes.Of(Name, inputs);
        return classes.Count(Classes.Select(classes.Predicted.NotEqual(classes.Actual), 0, 1));
    }

    public override double Compute(MetricSums sums) => Classes.Share(sums);
}

internal enum ClassAverage
{
    Precision,
    Recall,
    F1,
    IoU,
    Dice,
}

/// <summary>A mean over classes, from the counts of each pair of actual and predicted class: [1, C * C].</summary>
internal sealed class ClassAverageMetric(ClassAverage average) : Metric
{
    public override string Name => average.ToString();

    public override bool MoreIsBetter => true;

    public override Value Record(MetricInputs inputs)
    {
        Classes classes = Classes.Of(Name, inputs);
        return classes.Pairs(classes.Predicted);
    }

    public override double Compute(MetricSums sums)
    {
        int classes = Classes.OfPairs(sums);
        double total = 0;
        int present = 0;
        for (int i = 0; i < classes; i++)
        {
            double hits = sums.Sum((i * classes) + i), actual = 0, predicted = 0;
            for (int j = 0; j < classes; j++)
            {
                actual += sums.Sum((i * classes) + j);
                predicted += sums.Sum((j * classes) + i);
            }

            present += actual + predicted > 0 ? 1 : 0;
            double precision = predicted > 0 ? hits / predicted : 0, recall = actual > 0 ? hits / actual : 0;
            total += average switch
            {
                ClassAverage.Precision => precision,
                ClassAverage.Recall => recall,
                ClassAverage.IoU => hits > 0 ? hits / (actual + predicted - hits) : 0,
                ClassAverage.Dice => hits > 0 ? 2 * hits / (actual + predicted) : 0,
                _ => precision + recall > 0 ? 2 * precision * recall / (precision + recall) : 0,
            };
        }

        return average is ClassAverage.IoU or ClassAverage.Dice ? total / present : total / classes;
    }

}

/// <summary>
/// The counts of each pair of actual and predicted class, [1, C * C], from which <see cref="Trainer.Evaluate"/> makes its
/// <see cref="ConfusionMatrix"/>. A row of the output with NaN names the place of the first one.
/// </summary>
internal sealed class ConfusionMetric : Metric
{
    // One-hot rows of more classes would be more to compute than the output is to copy.
    private const int MaxClasses = 256;

    public static readonly ConfusionMetric Instance = new();

    public override string Name => "Confusion";

    /// <summary>Whether the pairs are counted on the device: few classes, and a target for each row of the output.</summary>
    public static bool Suits(Value output, Value target, int? classes) =>
        classes is > 0 and <= MaxClasses
        && output.Shape.Rank > 1
        && target.Shape == (target.Type == DType.Int32 ? output.Shape[..^1] : output.Shape);

    public override Value Record(MetricInputs inputs)
    {
        Classes classes = Classes.Of(Name, inputs);
        return classes.Pairs(classes.PredictedWithNaN(inputs));
    }

    public override double Compute(MetricSums sums) => Count(sums, new ConfusionMatrix(Classes.OfPairs(sums))).Accuracy;

    /// <summary>Adds the pairs to a matrix.</summary>
    public static ConfusionMatrix Count(MetricSums sums, ConfusionMatrix matrix)
    {
        for (int i = 0; i < matrix.Classes * matrix.Classes; i++)
        {
            matrix.Add(i / matrix.Classes, i % matrix.Classes, (long)sums.Sum(i));
        }

        return matrix;
    }
}

/// <summary>Classes of a batch, as floats: what outputs and targets name, and which rows count.</summary>
internal sealed class Classes
{
    private Classes(Value indices, Value predicted, Value actual, Value weight, int total, bool isBinary) =>
        (Indices, Predicted, Actual, Weight, Total, IsBinary) = (indices, predicted, actual, weight, total, isBinary);

    /// <summary>[C]: 0, 1, ...</summary>
    public Value Indices { get; }

    /// <summary>The class that each row of the output names; C where it holds NaN.</summary>
    public Value Predicted { get; }

    public Value Actual { get; }

    /// <summary>1 for rows that count, else 0.</summary>
    public Value Weight { get; }

    public int Total { get; }

    /// <summary>Whether a row is one number against a threshold.</summary>
    public bool IsBinary { get; }

    public static Classes Of(string name, MetricInputs inputs)
    {
        (Value output, Value target) = (inputs.Output, inputs.Target);
        if (inputs.ClassCount is not { } total)
        {
            throw new ShapeException(
                $"{name}: expected an output that names classes, got {output.Shape}, which the loss takes for numbers.");
        }

        Graph graph = output.Graph;
        int columns = output.Shape.Rank > 1 ? output.Shape[-1] : 1;
        bool isBinary = columns == 1;
        if (output.Type != DType.Float32 || (!isBinary && columns != total))
        {
            throw new ShapeException(
                $"{name}: expected a Float32 output of 1 column or of {total}, one for each class, got {output.TensorType}.");
        }

        if (target.Type == DType.Float32 && !isBinary && (target.Shape.Rank == 0 || target.Shape[-1] != total))
        {
            throw new ShapeException(
                $"{name}: expected targets with {total} columns as the output has, or class indices, got {target.TensorType}.");
        }

        Value indices = graph.Constant([.. Enumerable.Range(0, total).Select(i => (float)i)], [total]);
        Value predicted = Name(output, inputs.Threshold, indices, isBinary);
        Value actual = target.Type == DType.Float32 ? Name(target, 0.5f, indices, isBinary) : target.Cast(DType.Float32);
        if (actual.Shape != predicted.Shape)
        {
            actual = actual.Shape.Rank == predicted.Shape.Rank + 1 && actual.Shape[-1] == 1 ? actual.Reshape(predicted.Shape)
                : throw new ShapeException(
                    $"{name}: expected a target for each row of the output {output.Shape}, got {target.Shape}.");
        }

        Value inside = Select((actual >= 0f) & (actual < total), 1, 0);
        Value weight = inputs.IgnoredClass is { } ignored && target.Type != DType.Float32
            ? inside * Select(actual.NotEqual(ignored), 1, 0)
            : inside;
        return new Classes(indices, predicted, actual, weight, total, isBinary);
    }

    /// <summary>The class that each row names, where NaN is larger than every number: the place of the first one.</summary>
    public Value PredictedWithNaN(MetricInputs inputs)
    {
        Value x = inputs.Output;
        return IsBinary ? Predicted : FirstOf(x.NotEqual(Largest(x)) & x.Equal(x), Indices);
    }

    /// <summary>[1, C * C]: how many rows that count are of a class and named another.</summary>
    public Value Pairs(Value predicted)
    {
        Value pairs = Rows(OneHot(Actual) * Weight.WithColumn()).MatMul(Rows(OneHot(predicted)), transposeA: true);
        while (pairs.Shape.Rank > 2)
        {
            pairs = pairs.Sum([0]);
        }

        return pairs.Reshape([1, Total * Total]);

        // One example has no axis of rows.
        static Value Rows(Value x) => x.Shape.Rank > 1 ? x : x.Reshape([1, .. x.Shape]);
    }

    /// <summary>How many classes there are where columns are their pairs.</summary>
    public static int OfPairs(MetricSums sums) => (int)Math.Sqrt(sums.Columns);

    /// <summary>[..., 2]: right, and whether it counts.</summary>
    public Value Count(Value right) => ShapeOperators.Stack(-1, right * Weight, Weight);

    /// <summary>[..., C]: 1 at the class, else 0.</summary>
    public Value OneHot(Value classes) => Select(Indices.NotEqual(classes.WithColumn()), 0, 1);

    /// <summary>Right ones among those that count; 0 of nothing is 0.</summary>
    public static double Share(MetricSums sums) => sums.Sum(1) == 0 ? 0 : sums.Sum(0) / sums.Sum(1);

    public static Value Select(Value condition, float yes, float no) =>
        ShapeOperators.Where(condition, condition.Graph.Constant(yes), condition.Graph.Constant(no));

    private static Value Name(Value x, float threshold, Value indices, bool isBinary)
    {
        if (isBinary)
        {
            Value second = Select(!(x <= threshold), 1, 0);
            return x.Shape.Rank > 1 ? second.Sum([-1]) : second;
        }

        return FirstOf(x.NotEqual(Largest(x)), indices);
    }

    private static Value Largest(Value x) => x.Max([-1], keepDims: true);

    // Where there is none, the number of classes, which no class has.
    private static Value FirstOf(Value other, Value indices) =>
        ShapeOperators.Where(other, other.Graph.Constant(indices.Shape[0]), indices).Min([-1]);
}

internal static class ColumnExtensions
{
    /// <summary>One more axis at the end, of extent 1.</summary>
    public static Value WithColumn(this Value x) => x.Reshape([.. x.Shape, 1]);
}
