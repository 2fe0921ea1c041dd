namespace FastNN.Data;

/// <summary>
/// Takes each feature, or each target, to mean 0 and standard deviation 1: fitted on the training examples, applied to all others
/// with the same numbers, as scikit-learn's StandardScaler does (population deviation; a constant feature is only shifted).
/// </summary>
/// <example>
/// <code>
/// Standardizer x = Standardizer.Fit(train), y = Standardizer.FitTargets(train);
/// trainer.Fit(y.ApplyToTargets(x.Apply(train)));
/// model.Save("prices.safetensors", new() { Preprocessing = Preprocessing.Standardizing(x.Mean, x.StandardDeviation) });
/// float[] prices = predictor.Predict(table);     // of the loaded model: raw numbers in
/// y.Invert(prices);
/// </code>
/// </example>
public sealed class Standardizer
{
    private readonly float[] _mean;
    private readonly float[] _deviation;
    private readonly float[] _factor;

    /// <summary>A standardizer of known numbers, such as those saved with a model.</summary>
    /// <param name="mean">The mean of each feature.</param>
    /// <param name="standardDeviation">The deviation of each feature; positive.</param>
    /// <exception cref="ArgumentException">The lengths differ, or a number is not finite or a deviation not positive.</exception>
    public Standardizer(ReadOnlySpan<float> mean, ReadOnlySpan<float> standardDeviation)
    {
        if (mean.Length != standardDeviation.Length)
            throw new ArgumentException($"{mean.Length} means and {standardDeviation.Length} deviations");
        _mean = mean.ToArray();
        _deviation = standardDeviation.ToArray();
        _factor = new float[mean.Length];
        for (int i = 0; i < _factor.Length; i++)
        {
            _factor[i] = 1 / _deviation[i];
            if (!float.IsFinite(_mean[i]) || !(_deviation[i] > 0) || !float.IsFinite(_factor[i]) || _factor[i] == 0)
                throw new ArgumentException($"feature {i} has mean {_mean[i]} and deviation {_deviation[i]}");
        }
    }

    /// <summary>The mean of each feature.</summary>
    public ReadOnlySpan<float> Mean => _mean;

    /// <summary>The standard deviation of each feature; 1 for a feature that was constant.</summary>
    public ReadOnlySpan<float> StandardDeviation => _deviation;

    /// <summary>Measures mean and deviation over all examples, in double (Welford's recurrence).</summary>
    /// <param name="train">The examples; never the ones that are tested on.</param>
    public static Standardizer Fit(Dataset train)
    {
        ArgumentNullException.ThrowIfNull(train);
        return Fit(train.Count, train.ExampleSize, train.CopyFeatures);
    }

    /// <summary>Measures mean and deviation of the targets over all examples, for regression on numbers of any size.</summary>
    /// <param name="train">The examples; never the ones that are tested on. Their targets are floats, not classes.</param>
    /// <returns>A standardizer with as many means as a target has numbers, for <see cref="ApplyToTargets"/> and
    /// <see cref="Invert"/>.</returns>
    /// <exception cref="ArgumentException">The targets are classes.</exception>
    public static Standardizer FitTargets(Dataset train)
    {
        ArgumentNullException.ThrowIfNull(train);
        RequireFloatTargets(train, nameof(train));
        return Fit(train.Count, train.TargetSize, train.CopyTarget);
    }

    private static void RequireFloatTargets(Dataset data, string parameter)
    {
        if (data.HasLabels || data.Classes > 0)
        {
            throw new ArgumentException(
                $"Standardizer: expected float targets to standardize, got {data.Classes} classes.", parameter);
        }
    }

    private static Standardizer Fit(int count, int size, CopyExample copy)
    {
        var row = new float[size];
        var mean = new double[size];
        var squares = new double[size];
        for (int example = 0; example < count; example++)
        {
            copy(example, row);
            for (int i = 0; i < size; i++)
            {
                double delta = row[i] - mean[i];
                mean[i] += delta / (example + 1);
                squares[i] += delta * (row[i] - mean[i]);
            }
        }

        var means = new float[size];
        var deviations = new float[size];
        for (int i = 0; i < size; i++)
        {
            means[i] = (float)mean[i];
            float deviation = (float)Math.Sqrt(squares[i] / count);
            deviations[i] = deviation > 0 && float.IsFinite(1 / deviation) ? deviation : 1;
        }

        return new Standardizer(means, deviations);
    }

    /// <summary>A view of a dataset whose features are standardized when they are read.</summary>
    /// <exception cref="ArgumentException">The dataset has another number of features.</exception>
    public Dataset Apply(Dataset data)
    {
        ArgumentNullException.ThrowIfNull(data);
        if (data.ExampleSize != _mean.Length)
            throw new ArgumentException($"fitted on {_mean.Length} features, the dataset has {data.ExampleSize}", nameof(data));
        return data.WithFeatures(features => new StandardizedStore(features, _mean, _factor));
    }

    /// <summary>Standardizes one example.</summary>
    /// <param name="features">As many floats as the standardizer has features; changed in place.</param>
    /// <exception cref="ArgumentException">There are more or fewer.</exception>
    public void Apply(Span<float> features)
    {
        if (features.Length != _mean.Length)
        {
            throw new ArgumentException(
                $"Standardizer: expected {_mean.Length} numbers, as it was fitted on, got {features.Length}.", nameof(features));
        }

        Apply(features, _mean, _factor);
    }

    /// <summary>A dataset whose targets are standardized, by numbers that <see cref="FitTargets"/> measured.</summary>
    /// <param name="data">The examples.</param>
    /// <returns>The same examples with other targets; arrays of targets are copied.</returns>
    /// <exception cref="ArgumentException">The targets are classes, or have another size.</exception>
    public Dataset ApplyToTargets(Dataset data)
    {
        ArgumentNullException.ThrowIfNull(data);
        RequireFloatTargets(data, nameof(data));
        return data.TargetSize == _mean.Length
            ? data.WithTargets(_mean, _factor)
            : throw new ArgumentException(
                $"Standardizer: expected targets of {_mean.Length} numbers, as it was fitted on, got {data.TargetSize}.",
                nameof(data));
    }

    /// <summary>Takes standardized numbers back to their units: predictions, where the targets were standardized.</summary>
    /// <param name="values">One or more examples, one after the other; changed in place.</param>
    /// <exception cref="ArgumentException">Their number is not a multiple of the standardizer's.</exception>
    public void Invert(Span<float> values)
    {
        if (values.Length % _mean.Length != 0)
        {
            throw new ArgumentException(
                $"Standardizer: expected a multiple of {_mean.Length} numbers, as it was fitted on, got {values.Length}.",
                nameof(values));
        }

        for (int i = 0; i < values.Length; i++)
        {
            int column = i % _mean.Length;
            values[i] = (values[i] * _deviation[column]) + _mean[column];
        }
    }

    internal static void Apply(Span<float> row, float[] mean, float[] factor)
    {
        for (int i = 0; i < row.Length; i++)
        {
            row[i] = (row[i] - mean[i]) * factor[i];
        }
    }

    private delegate void CopyExample(int example, Span<float> destination);
}
