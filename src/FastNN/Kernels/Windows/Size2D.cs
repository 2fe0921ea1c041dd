namespace FastNN;

/// <summary>
/// Rows and columns, of a window or between windows: <c>Stride = 2</c> is two of each, <c>Stride = (2, 1)</c> two rows and one
/// column.
/// </summary>
/// <param name="Rows">Rows.</param>
/// <param name="Columns">Columns.</param>
public readonly record struct Size2D(int Rows, int Columns)
{
    /// <summary>As many rows as columns.</summary>
    /// <param name="both">Rows and columns.</param>
    public static implicit operator Size2D(int both) => FromInt32(both);

    /// <summary>Rows and columns.</summary>
    /// <param name="size">Rows and columns.</param>
    public static implicit operator Size2D((int Rows, int Columns) size) => FromValueTuple(size);

    /// <summary>As many rows as columns.</summary>
    /// <param name="both">Rows and columns.</param>
    /// <returns>The size.</returns>
    public static Size2D FromInt32(int both) => new(both, both);

    /// <summary>Rows and columns.</summary>
    /// <param name="size">Rows and columns.</param>
    /// <returns>The size.</returns>
    public static Size2D FromValueTuple((int Rows, int Columns) size) => new(size.Rows, size.Columns);

    /// <summary>As in 3x3.</summary>
    public override string ToString() => $"{Rows}x{Columns}";
}
