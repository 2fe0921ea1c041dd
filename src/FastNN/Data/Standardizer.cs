namespace FastNN.Data;

/// <summary>
/// Takes each feature to mean 0 and standard deviation 1: fitted on the training examples, applied to all others with the same
/// numbers, as scikit-learn's StandardScaler does (population deviation; a constant feature is only shifted).
/// </summary>
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
        int size = train.ExampleSize;
        var row = new float[size];
        var mean = new double[size];
        var squares = new double[size];
        for (int example = 0; example < train.Count; example++)
        {
            train.CopyFeatures(example, row);
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
            float deviation = (float)Math.Sqrt(squares[i] / train.Count);
            deviations[i] = deviation > 0 && float.IsFinite(1 / deviation) ? deviation : 1;
        }

        return new Standardizer(means, deviations);
    }

    /// <summary>A view of a dataset whose features are standardised when they are read.</summary>
    /// <exception cref="ArgumentException">The dataset has another number of features.</exception>
    public Dataset Apply(Dataset data)
    {
        ArgumentNullException.ThrowIfNull(data);
        if (data.ExampleSize != _mean.Length)
            throw new ArgumentException($"fitted on {_mean.Length} features, the dataset has {data.ExampleSize}", nameof(data));
        return data.WithFeatures(features => new StandardizedStore(features, _mean, _factor));
    }

    /// <summary>Standardises one example.</summary>
    /// <param name="features">As many floats as the standardizer has features; changed in place.</param>
    public void Apply(Span<float> features)
    {
        if (features.Length != _mean.Length)
            throw new ArgumentException($"fitted on {_mean.Length} features, got {features.Length}", nameof(features));
        for (int i = 0; i < features.Length; i++)
            features[i] = (features[i] - _mean[i]) * _factor[i];
    }
}
