namespace FastNN;

/// <summary>
/// Planes, rows and columns, of a window or between windows: <c>Stride = 2</c> is two of each, <c>Stride = (1, 2, 2)</c> one
/// plane, two rows and two columns.
/// </summary>
/// <param name="Planes">Planes.</param>
/// <param name="Rows">Rows.</param>
/// <param name="Columns">Columns.</param>
public readonly record struct Size3D(int Planes, int Rows, int Columns)
{
    /// <summary>As many planes and rows as columns.</summary>
    /// <param name="all">Planes, rows and columns.</param>
    public static implicit operator Size3D(int all) => FromInt32(all);

    /// <summary>Planes, rows and columns.</summary>
    /// <param name="size">Planes, rows and columns.</param>
    public static implicit operator Size3D((int Planes, int Rows, int Columns) size) => FromValueTuple(size);

    /// <summary>As many planes and rows as columns.</summary>
    /// <param name="all">Planes, rows and columns.</param>
    /// <returns>The size.</returns>
    public static Size3D FromInt32(int all) => new(all, all, all);

    /// <summary>Planes, rows and columns.</summary>
    /// <param name="size">Planes, rows and columns.</param>
    /// <returns>The size.</returns>
    public static Size3D FromValueTuple((int Planes, int Rows, int Columns) size) => new(size.Planes, size.Rows, size.Columns);

    /// <summary>As in 3x3x3.</summary>
    public override string ToString() => $"{Planes}x{Rows}x{Columns}";
}
