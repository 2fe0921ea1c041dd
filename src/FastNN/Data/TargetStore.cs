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

/// <summary>The targets of a dataset; views share the arrays and differ in <see cref="Kind"/>.</summary>
internal sealed record TargetStore(TargetKind Kind, int[]? Labels, float[]? Values, int[] Shape, int Classes)
{
    /// <summary>The floats of one target; 0 for class indices.</summary>
    public int Size { get; } = Kind == TargetKind.Labels ? 0 : SizeOf(Shape);

    public void CopyRow(int row, Span<float> destination)
    {
        switch (Kind)
        {
            case TargetKind.OneHot:
                destination[..Size].Clear();
                destination[Labels![row]] = 1;
                break;
            case TargetKind.Binary:
                destination[0] = Labels![row];
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
            size = checked(size * length);
        return size;
    }
}
