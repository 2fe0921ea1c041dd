using FastNN.Data;

namespace FastNN.Explain;

/// <summary>
/// Finds a near example for which a model gives what is wanted (Wachter, Mittelstadt and Russell, "Counterfactual explanations
/// without opening the black box", 2017): what would have to be otherwise. It minimizes the squared distance of the output from
/// the goal, times a weight that grows until the goal is reached, plus the sum of the columns' changes, each measured in its
/// column's scale; by proximal gradient steps, which leave columns as they are where a change does not pay. Then the smallest
/// changes are taken back as long as the goal stays reached.
/// </summary>
public static class Counterfactuals
{
    private const int Rounds = 12;
    private const int Bisections = 24;

    /// <summary>Searches from one example.</summary>
    /// <param name="explainer">Explains the model; its input is a table's row.</param>
    /// <param name="x">The example.</param>
    /// <param name="goal">What the output should be.</param>
    /// <param name="options">Scales, ranges, fixed and integer columns, and how to search; null for the defaults.</param>
    /// <returns>The nearest one found, or null where the search reached the goal nowhere.</returns>
    /// <exception cref="ShapeException">A length does not fit.</exception>
    /// <exception cref="ArgumentException">The goal has an output that is not there, a column is out of range, or the example
    /// lies outside of the ranges.</exception>
    public static Counterfactual? Find(
        ModelExplainer explainer, ReadOnlySpan<float> x, CounterfactualGoal goal, CounterfactualOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(explainer);
        ArgumentNullException.ThrowIfNull(goal);
        options ??= new CounterfactualOptions();
        if (x.Length != explainer.InputShape.Count)
        {
            throw new ShapeException(
                $"Counterfactuals: expected one example of {explainer.InputShape.Count} values, got {x.Length}.");
        }

        goal.Require((int)explainer.OutputShape.Count);
        var search = new CounterfactualSearch(explainer, x.ToArray(), goal, options);
        float[]? found = search.Run(Rounds);
        return found is null ? null : search.Refine(found, Bisections);
    }

    /// <summary>
    /// The scale that the paper uses for each column: the median of the magnitudes of the differences from the median, or where
    /// more than half of the values are the same the standard deviation, or 1 where all are.
    /// </summary>
    /// <param name="data">A dataset.</param>
    /// <returns>A scale for each column.</returns>
    public static float[] MedianAbsoluteDeviations(Dataset data)
    {
        ArgumentNullException.ThrowIfNull(data);
        float[] x = data.Features(), column = new float[data.Count];
        var scales = new float[data.ExampleSize];
        for (int i = 0; i < scales.Length; i++)
        {
            for (int row = 0; row < column.Length; row++)
            {
                column[row] = x[(row * scales.Length) + i];
            }

            float median = Median(column), deviation = Median([.. column.Select(value => Math.Abs(value - median))]);
            double mean = column.Average(value => (double)value);
            float spread = (float)Math.Sqrt(column.Average(value => (value - mean) * (value - mean)));
            scales[i] = deviation > 0 ? deviation : spread > 0 ? spread : 1;
        }

        return scales;
    }

    private static float Median(float[] values)
    {
        float[] sorted = [.. values.Order()];
        return sorted.Length % 2 == 1
            ? sorted[sorted.Length / 2]
            : (sorted[(sorted.Length / 2) - 1] + sorted[sorted.Length / 2]) / 2;
    }
}

/// <summary>What the output of a counterfactual should be.</summary>
public sealed class CounterfactualGoal
{
    private readonly float _low;
    private readonly float _high;
    private readonly bool _isClass;

    private CounterfactualGoal(int output, float low, float high, bool isClass) =>
        (Output, _low, _high, _isClass) = (output, low, high, isClass);

    /// <summary>The output, or the class.</summary>
    public int Output { get; }

    /// <summary>The output of a class is the largest.</summary>
    /// <param name="target">The class.</param>
    /// <param name="margin">By how much it is larger than each other; default 0.</param>
    /// <returns>The goal.</returns>
    public static CounterfactualGoal Class(int target, float margin = 0)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(target);
        return new(target, Requirements.NotNegative(margin, nameof(margin)), float.PositiveInfinity, isClass: true);
    }

    /// <summary>An output is at least so large.</summary>
    /// <param name="value">How large.</param>
    /// <param name="output">Which output; default the first.</param>
    /// <returns>The goal.</returns>
    public static CounterfactualGoal AtLeast(float value, int output = 0) => Between(value, float.PositiveInfinity, output);

    /// <summary>An output is at most so large.</summary>
    /// <param name="value">How large.</param>
    /// <param name="output">Which output; default the first.</param>
    /// <returns>The goal.</returns>
    public static CounterfactualGoal AtMost(float value, int output = 0) => Between(float.NegativeInfinity, value, output);

    /// <summary>An output lies between two numbers.</summary>
    /// <param name="low">The lower.</param>
    /// <param name="high">The higher.</param>
    /// <param name="output">Which output; default the first.</param>
    /// <returns>The goal.</returns>
    /// <exception cref="ArgumentException">There is nothing between them.</exception>
    public static CounterfactualGoal Between(float low, float high, int output = 0)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(output);
        return low <= high
            ? new(output, low, high, isClass: false)
            : throw new ArgumentException($"CounterfactualGoal: expected low <= high, got {low} and {high}.", nameof(low));
    }

    internal void Require(int outputs)
    {
        if (Output >= outputs || (_isClass && outputs < 2))
        {
            throw new ArgumentException(
                $"CounterfactualGoal: expected {(_isClass ? "a class among two outputs or more" : "an output")}, got {Output} of {outputs}.");
        }
    }

    /// <summary>Whether outputs are as wanted.</summary>
    internal bool IsReached(ReadOnlySpan<float> outputs)
    {
        float difference = Value(outputs, out int other);
        return difference >= _low && difference <= _high && (other < 0 || difference > 0);
    }

    /// <summary>How far outputs are from the goal, and by how much that changes with each of them.</summary>
    /// <param name="outputs">The outputs of an example.</param>
    /// <param name="weights">Receives the derivatives of what is returned.</param>
    internal float Miss(ReadOnlySpan<float> outputs, Span<float> weights)
    {
        weights.Clear();
        float value = Value(outputs, out int other);
        if (IsReached(outputs))
        {
            return 0;
        }

        // A tie between classes reaches nothing and is missed by nothing; something must pull.
        bool isLow = value < _low || other >= 0;
        float sign = isLow ? -1 : 1;
        weights[Output] = sign;
        if (other >= 0)
        {
            weights[other] = -sign;
        }

        return Math.Max(isLow ? _low - value : value - _high, 1e-3f);
    }

    private float Value(ReadOnlySpan<float> outputs, out int other)
    {
        other = -1;
        if (!_isClass)
        {
            return outputs[Output];
        }

        for (int i = 0; i < outputs.Length; i++)
        {
            if (i != Output && (other < 0 || outputs[i] > outputs[other]))
            {
                other = i;
            }
        }

        return outputs[Output] - outputs[other];
    }
}

/// <summary>How counterfactuals are searched for.</summary>
public sealed record CounterfactualOptions
{
    /// <summary>
    /// What a change of each column is measured in, all positive; default null for 1, as for standardized columns.
    /// <see cref="Counterfactuals.MedianAbsoluteDeviations"/> gives them for raw ones.
    /// </summary>
    public IReadOnlyList<float>? Scales { get; init; }

    /// <summary>The lowest value of each column; default null for none.</summary>
    public IReadOnlyList<float>? Lowest { get; init; }

    /// <summary>The highest value of each column; default null for none.</summary>
    public IReadOnlyList<float>? Highest { get; init; }

    /// <summary>Columns that stay as they are; default none.</summary>
    public IReadOnlyList<int> Fixed { get; init => field = value ?? throw new ArgumentNullException(nameof(Fixed)); } = [];

    /// <summary>Columns that hold whole numbers; default none.</summary>
    public IReadOnlyList<int> Integers { get; init => field = value ?? throw new ArgumentNullException(nameof(Integers)); } = [];

    /// <summary>Searches, the first from the example itself and the others from random places near it; default 4.</summary>
    /// <exception cref="ArgumentOutOfRangeException">It is not positive.</exception>
    public int Restarts { get; init => field = Requirements.AtLeast(value, 1, nameof(Restarts)); } = 4;

    /// <summary>Steps of each search for each weight of the goal; default 100.</summary>
    /// <exception cref="ArgumentOutOfRangeException">It is not positive.</exception>
    public int Steps { get; init => field = Requirements.AtLeast(value, 1, nameof(Steps)); } = 100;

    /// <summary>The size of a step, in scales; default 0.05.</summary>
    /// <exception cref="ArgumentOutOfRangeException">It is not positive and finite.</exception>
    public float StepSize { get; init => field = Requirements.Positive(value, nameof(StepSize)); } = 0.05f;

    /// <summary>What the random places are drawn from; default 0.</summary>
    public ulong Seed { get; init; }
}

/// <summary>An example for which the model gives what is wanted.</summary>
public sealed class Counterfactual
{
    internal Counterfactual(float[] values, float[] outputs, IReadOnlyList<CounterfactualChange> changes, double distance) =>
        (Values, Outputs, Changes, Distance) = (values, outputs, changes, distance);

    /// <summary>The example.</summary>
    public IReadOnlyList<float> Values { get; }

    /// <summary>What the model gives for it.</summary>
    public IReadOnlyList<float> Outputs { get; }

    /// <summary>What is otherwise, the largest change first.</summary>
    public IReadOnlyList<CounterfactualChange> Changes { get; }

    /// <summary>The sum of the changes' magnitudes, each in its column's scale.</summary>
    public double Distance { get; }
}

/// <summary>A column that is otherwise.</summary>
/// <param name="Column">The column.</param>
/// <param name="From">Its value in the example.</param>
/// <param name="To">Its value in the counterfactual.</param>
public readonly record struct CounterfactualChange(int Column, float From, float To);
