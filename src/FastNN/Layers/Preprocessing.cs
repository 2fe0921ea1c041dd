namespace FastNN;

/// <summary>
/// What has to be done to raw inputs before a model takes them: (x - offset) * scale, with one number for all, one per place
/// along the last axis (a channel, a column), or one per element. Model files keep it, and predictors and sessions of a
/// <see cref="Model"/> that has one apply it, on the device, unless told otherwise. Trainers do not: they train and evaluate on
/// data that went through it already.
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
            throw new ArgumentException(
                $"Preprocessing: expected as many offsets as scales and at least one, got {offset.Length} and {scale.Length}.");
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

    /// <summary>Records it: the same arithmetic as <see cref="Apply"/>, to the bit.</summary>
    /// <exception cref="ShapeException">The numbers fit neither the last axis nor a whole example.</exception>
    internal Value Record(Value x)
    {
        Shape example = x.Shape.DropFirst();
        if (x.Type != DType.Float32)
        {
            throw new InvalidOperationException(
                $"Preprocessing: expected a Float32 input, got {x.Type}; set Model.Preprocessing to null.");
        }

        Shape numbers = _offset.Length == 1 ? new Shape(1)
            : example.Rank > 0 && example[-1] == _offset.Length ? new Shape(_offset.Length)
            : !example.IsSymbolic && example.Count == _offset.Length ? example
            : throw new ShapeException(
                $"Preprocessing: expected 1 offset, one per place of the last axis or one per element for inputs of shape {example}, got {_offset.Length}.");
        if (Array.Exists(_offset, offset => offset != 0))
        {
            x -= _offset.Length == 1 ? x.Graph.Constant(_offset[0]) : x.Graph.Constant(_offset, numbers);
        }

        return x * (_scale.Length == 1 ? x.Graph.Constant(_scale[0]) : x.Graph.Constant(_scale, numbers));
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
