namespace FastNN.Data;

/// <summary>How the targets of a dataset are handed out.</summary>
internal enum TargetKind
{
    /// <summary>A class index per example.</summary>
    Labels,

    /// <summary>The class index as a vector with a single 1.</summary>
    OneHot,

    /// <summary>The class index 0 or 1 as one float.</summary>
    Binary,

    /// <summary>A vector of floats per example.</summary>
    Values,
}

/// <summary>
/// The targets of a dataset; views share the arrays and differ in <see cref="Kind"/>. Without arrays the targets come from the
/// store of the features.
/// </summary>
internal sealed record TargetStore(TargetKind Kind, int[]? Labels, float[]? Values, int[] Shape, int Classes)
{
    /// <summary>The floats of one target; 0 for class indices.</summary>
    public int Size { get; } = Kind == TargetKind.Labels ? 0 : SizeOf(Shape);

    /// <summary>The class index of a row, or -1 where there are no classes.</summary>
    /// <param name="row">The row of the arrays.</param>
    /// <param name="source">What the store of the features gave for the target.</param>
    /// <exception cref="InvalidDatasetException">The index is out of range: the array was changed, or the source gave something
    /// else.</exception>
    public int Label(int row, ReadOnlySpan<float> source)
    {
        if (Kind == TargetKind.Values)
        {
            return -1;
        }

        if (Labels is null)
        {
            float given = source[0];
            return given >= 0 && given < Classes && given == MathF.Floor(given)
                ? (int)given
                : throw new InvalidDatasetException(
                    $"example {row}: expected a class index from 0 to {Classes - 1}, the source gave {given}");
        }

        int label = Labels[row];
        return (uint)label < (uint)Classes
            ? label
            : throw new InvalidDatasetException(
                $"example {row}: expected a class index from 0 to {Classes - 1}, got {label}; the array of labels was changed after the dataset was made");
    }

    /// <summary>Writes the target vector of a row, whose class index is <paramref name="label"/>.</summary>
    public void CopyRow(int row, int label, ReadOnlySpan<float> source, Span<float> destination)
    {
        switch (Kind)
        {
            case TargetKind.Labels:
                break;
            case TargetKind.OneHot:
                destination[..Size].Clear();
                destination[label] = 1;
                break;
            case TargetKind.Binary:
                destination[0] = label;
                break;
            case TargetKind.Values when Values is null:
                source[..Size].CopyTo(destination);
                break;
            default:
                Values.AsSpan(row * Size, Size).CopyTo(destination);
                break;
        }
    }

    private static int SizeOf(int[] shape)
    {
        int size = 1;
        foreach (int length in shape)
        {
            size = checked(size * length);
        }

        return size;
    }
}
