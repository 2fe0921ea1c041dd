namespace FastNN.Testing;

/// <summary>A sparse matrix times a dense one, element by element, in double.</summary>
internal static class SparseReference
{
    public static double[] Forward(SparseMatrix pattern, double[] values, double[] x, int width)
    {
        var y = new double[pattern.Rows * width];
        ForEach(pattern, width, (value, row, column, n) => y[(row * width) + n] += values[value] * x[(column * width) + n]);
        return y;
    }

    public static double[][] Backward(SparseMatrix pattern, double[] values, double[] x, int width, double[] dY)
    {
        double[] dValues = new double[values.Length], dX = new double[x.Length];
        ForEach(pattern, width, (value, row, column, n) =>
        {
            dValues[value] += dY[(row * width) + n] * x[(column * width) + n];
            dX[(column * width) + n] += dY[(row * width) + n] * values[value];
        });
        return [dValues, dX];
    }

    private static void ForEach(SparseMatrix pattern, int width, Action<int, int, int, int> term)
    {
        int block = pattern.BlockRows;
        for (int row = 0; row < pattern.Rows; row++)
        {
            for (int at = pattern.RowStarts[row / block]; at < pattern.RowStarts[(row / block) + 1]; at++)
            {
                for (int n = 0; n < width; n++)
                {
                    term((at * block) + (row % block), row, pattern.ColumnIndices[at], n);
                }
            }
        }
    }
}
