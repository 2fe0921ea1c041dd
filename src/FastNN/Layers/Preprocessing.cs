namespace FastNN;

/// <summary>
/// What has to be done to raw inputs before a model takes them, kept in model files: (x - offset) * scale, with one number for all, one per place along the
/// last axis (a channel, a column), or one per element.
/// </summary>
public sealed class Preprocessing
{
    private readonly float[] _offset;
    private readonly float[] _scale;

    /// <summary>(x - offset) * scale.</summary>
    /// <param name="offset">What is taken away first.</param>
    /// <param name="scale">What it is multiplied with then; as many numbers.</param>
    /// <exception cref="ArgumentException">The lengths differ or are 0, or a number is not finite.</exception>
    public Preprocessing(ReadOnlySpan<float> offset, ReadOnlySpan<float> scale)
    {
        if (offset.Length != scale.Length || offset.IsEmpty)
        {
            throw new ArgumentException($"Preprocessing: expected as many offsets as scales and at least one, got {offset.Length} and {scale.Length}.");
        }

        (_offset, _scale) = (offset.ToArray(), scale.ToArray());
        if (!Array.TrueForAll(_offset, float.IsFinite) || !Array.TrueForAll(_scale, float.IsFinite))
        {
            throw new ArgumentException("Preprocessing: expected finite offsets and scales.");
        }
    }

    /// <summary>What is taken away first.</summary>
    public ReadOnlySpan<float> Offset => _offset;

    /// <summary>What it is multiplied with then.</summary>
    public ReadOnlySpan<float> Scale => _scale;

    /// <summary>x * scale, such as 1 / 255 for bytes.</summary>
    /// <param name="scale">The factor.</param>
    /// <returns>The preprocessing.</returns>
    public static Preprocessing Scaling(float scale) => new([0], [scale]);

    /// <summary>(x - mean) / deviation, as a standardizer fitted it.</summary>
    /// <param name="mean">Means.</param>
    /// <param name="deviation">Standard deviations, none of them 0.</param>
    /// <returns>The preprocessing.</returns>
    public static Preprocessing Standardizing(ReadOnlySpan<float> mean, ReadOnlySpan<float> deviation)
    {
        var scale = new float[deviation.Length];
        for (int i = 0; i < scale.Length; i++)
        {
            scale[i] = 1 / deviation[i];
        }

        return new Preprocessing(mean, scale);
    }

    /// <summary>Changes raw inputs in place.</summary>
    /// <param name="x">One or more examples, one after the other: a multiple of the number of offsets.</param>
    /// <exception cref="ShapeException">The length does not fit.</exception>
    public void Apply(Span<float> x)
    {
        int period = _offset.Length;
        if (x.Length % period != 0)
        {
            throw new ShapeException($"Preprocessing: expected a multiple of {period} values, got {x.Length}.");
        }

        for (int at = 0; at < x.Length; at += period)
        {
            Span<float> row = x.Slice(at, period);
            for (int i = 0; i < row.Length; i++)
            {
                row[i] = (row[i] - _offset[i]) * _scale[i];
            }
        }
    }
}
