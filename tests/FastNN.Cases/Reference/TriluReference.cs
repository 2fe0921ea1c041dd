namespace FastNN.Testing;

/// <summary>Triangles of matrices, in double; the gradient is the same of the upstream one.</summary>
internal static class TriluReference
{
    public static double[] Keep(double[] x, int rows, int columns, int diagonal, bool upper) => [.. x.Select((value, i) =>
    {
        (int row, int column) = (i / columns % rows, i % columns);
        return (upper ? column - row >= diagonal : column - row <= diagonal) ? value : 0;
    })];
}
