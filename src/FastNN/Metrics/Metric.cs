namespace FastNN;

/// <summary>
/// A number that tells how good a model is, computed on the device from its outputs and targets while it trains or is evaluated.
/// A metric records into the graph what it needs of every example, as columns of numbers; their sums and sums of squares over an
/// epoch are kept in double on the device, and come back once, at its end. So a last batch that is smaller counts by its
/// examples.
/// </summary>
/// <example>
/// <code>
/// public sealed class Bias : Metric
/// {
///     public override string Name => "Bias";
///
///     public override Value Record(MetricInputs inputs) => inputs.Output - inputs.Target;
///
///     public override double Compute(MetricSums sums) => sums.Mean();
/// }
///
/// trainer.Fit(train, metrics: [new Bias(), Metric.R2, new TopK(5)]);
/// </code>
/// </example>
public abstract class Metric
{
    /// <summary>
    /// The share of outputs that name the right class, as the loss takes them for classes (<see cref="Loss.ClassCount"/>).
    /// </summary>
    public static Metric Accuracy { get; } = new AccuracyMetric();

    /// <summary>
    /// The mean over classes of the share of examples taken for a class that belong to it; 0 for a class that is never predicted.
    /// </summary>
    public static Metric Precision { get; } = new ClassAverageMetric(ClassAverage.Precision);

    /// <summary>
    /// The mean over classes of the share of a class's examples that are taken for it; 0 for a class without examples.
    /// </summary>
    public static Metric Recall { get; } = new ClassAverageMetric(ClassAverage.Recall);

    /// <summary>The mean over classes of the harmonic mean of precision and recall (scikit-learn's macro F1).</summary>
    public static Metric F1 { get; } = new ClassAverageMetric(ClassAverage.F1);

    /// <summary>
    /// Intersection over union, as for segmentation: the mean over classes of the places that are right over those that belong to
    /// the class or are taken for it. A class that neither occurs nor is predicted does not count; NaN where none does.
    /// </summary>
    public static Metric IoU { get; } = new ClassAverageMetric(ClassAverage.IoU);

    /// <summary>
    /// The Dice coefficient: the mean over classes of twice the places that are right over those that belong to the class plus
    /// those that are taken for it, of the classes that <see cref="IoU"/> counts.
    /// </summary>
    public static Metric Dice { get; } = new ClassAverageMetric(ClassAverage.Dice);

    /// <summary>The mean of |output - target| over all elements.</summary>
    public static Metric MeanAbsoluteError { get; } = new ErrorMetric(
        "MeanAbsoluteError", error => error.Abs(), sums => sums.Mean());

    /// <summary>The mean of (output - target)^2 over all elements.</summary>
    public static Metric MeanSquaredError { get; } = new ErrorMetric(
        "MeanSquaredError", error => error, sums => sums.MeanOfSquares());

    /// <summary>The square root of the mean of (output - target)^2 over all elements.</summary>
    public static Metric RootMeanSquaredError { get; } =
        new ErrorMetric("RootMeanSquaredError", error => error, sums => Math.Sqrt(sums.MeanOfSquares()));

    /// <summary>
    /// The coefficient of determination, 1 - (sum of squared errors) / (sum of squared deviations of the targets from their
    /// mean), averaged over the outputs (scikit-learn's r2_score): 1 is perfect, 0 is as good as the mean. Where targets are all
    /// alike it is 1 if there is no error, else 0.
    /// </summary>
    public static Metric R2 { get; } = new DeterminationMetric();

    /// <summary>
    /// How many classes a model hesitates between: e to the mean cross-entropy of logits and class indices, places of the ignored
    /// class left out.
    /// </summary>
    public static Metric Perplexity { get; } = new PerplexityMetric();

    /// <summary>
    /// A metric that is the mean of a number of each example or element: <c>Metric.From("Bias", (output, target) => output -
    /// target)</c>.
    /// </summary>
    /// <param name="name">Its name in reports.</param>
    /// <param name="record">Records the numbers, of any shape.</param>
    /// <param name="moreIsBetter">Whether a model is the better the larger it is; default false.</param>
    /// <returns>The metric.</returns>
    public static Metric From(string name, Func<Value, Value, Value> record, bool moreIsBetter = false)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        ArgumentNullException.ThrowIfNull(record);
        return new RecordedMetric(name, record, moreIsBetter);
    }

    /// <summary>Its name in reports, logs and checkpoints; without commas, quotes and line breaks.</summary>
    public abstract string Name { get; }

    /// <summary>Whether a model is the better the larger it is, as for accuracy; default false, as for errors.</summary>
    public virtual bool MoreIsBetter => false;

    /// <summary>Records what is summed over the examples.</summary>
    /// <param name="inputs">The model's output and the targets of a batch, and what they mean.</param>
    /// <returns>
    /// Float32: [rows, ..., columns] whose last extent is a number and whose rows are added up, [rows] as one column, or [] as
    /// one number per batch.
    /// </returns>
    /// <exception cref="ShapeException">The metric does not fit such outputs and targets.</exception>
    public abstract Value Record(MetricInputs inputs);

    /// <summary>Computes the metric.</summary>
    /// <param name="sums">What <see cref="Record"/> recorded, summed over all batches.</param>
    /// <returns>The number; NaN where it is not defined.</returns>
    public abstract double Compute(MetricSums sums);

    /// <inheritdoc/>
    public override string ToString() => Name;
}

/// <summary>What a metric records from.</summary>
/// <param name="output">The model's output, batch axis first.</param>
/// <param name="target">The targets.</param>
public sealed class MetricInputs(Value output, Value target)
{
    /// <summary>The model's output, batch axis first.</summary>
    public Value Output { get; } = output ?? throw new ArgumentNullException(nameof(output));

    /// <summary>The targets: Int32 class indices, or numbers of the output's shape.</summary>
    public Value Target { get; } = target ?? throw new ArgumentNullException(nameof(target));

    /// <summary>
    /// How many classes a row of the output tells apart (<see cref="Loss.ClassCount"/>), or null where it names none.
    /// </summary>
    public int? ClassCount { get; init; }

    /// <summary>Where a single output stands for two classes: above this it is the second.</summary>
    public float Threshold { get; init; } = 0.5f;

    /// <summary>A class index whose places do not count, or null.</summary>
    public int? IgnoredClass { get; init; }
}

/// <summary>The sums of a metric's columns over all batches of an epoch or evaluation.</summary>
public sealed class MetricSums
{
    private readonly double[] _sums;

    /// <param name="sums">Rows, then sum and sum of squares of each column.</param>
    internal MetricSums(double[] sums) => _sums = sums;

    /// <summary>Rows that were added up.</summary>
    public long Count => (long)_sums[0];

    /// <summary>Columns.</summary>
    public int Columns => _sums.Length / 2;

    /// <summary>The sum of a column.</summary>
    /// <param name="column">Counts from 0; default the first.</param>
    public double Sum(int column = 0) => _sums[1 + (2 * Checked(column))];

    /// <summary>The sum of a column's squares.</summary>
    /// <param name="column">Counts from 0; default the first.</param>
    public double SumOfSquares(int column = 0) => _sums[2 + (2 * Checked(column))];

    /// <summary>The mean over all rows and columns; NaN without rows.</summary>
    public double Mean() => Enumerable.Range(0, Columns).Sum(Sum) / Count / Columns;

    /// <summary>The mean of the squares over all rows and columns; NaN without rows.</summary>
    public double MeanOfSquares() => Enumerable.Range(0, Columns).Sum(SumOfSquares) / Count / Columns;

    private int Checked(int column) => (uint)column < (uint)Columns
        ? column
        : throw new ArgumentOutOfRangeException(
            nameof(column), column, $"MetricSums: expected a column from 0 to {Columns - 1}.");
}
