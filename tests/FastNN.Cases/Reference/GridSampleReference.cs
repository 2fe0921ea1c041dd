namespace FastNN.Testing;

/// <summary>
/// Grid sampling by definition, in double: every pixel weighs by a hat around the place, or only the nearest counts.
/// </summary>
internal static class GridSampleReference
{
    public static double[] Forward(
        double[] x, double[] grid, Shape shape, int places, bool nearest, GridPadding padding, bool alignCorners)
    {
        (int batch, int height, int width, int channels) = (shape[0], shape[1], shape[2], shape[3]);
        var y = new double[batch * places * channels];
        for (int i = 0; i < y.Length; i++)
        {
            int channel = i % channels, place = i / channels, n = place / places;
            double column = Position(grid[2 * place], width, padding, alignCorners);
            double row = Position(grid[(2 * place) + 1], height, padding, alignCorners);
            for (int h = 0; h < height; h++)
            {
                for (int w = 0; w < width; w++)
                {
                    double weight = nearest
                        ? (h == Math.Round(row) && w == Math.Round(column) ? 1 : 0)
                        : Math.Max(0, 1 - Math.Abs(row - h)) * Math.Max(0, 1 - Math.Abs(column - w));
                    y[i] += weight * x[(((((n * height) + h) * width) + w) * channels) + channel];
                }
            }
        }

        return y;
    }

    /// <summary>theta [N, 2, 3] times (x, y, 1) of every place.</summary>
    public static double[] Affine(double[] theta, int batch, int rows, int columns, bool alignCorners)
    {
        var grid = new List<double>();
        for (int i = 0; i < batch * rows * columns * 2; i++)
        {
            int n = i / 2 / columns / rows, row = (n * 2) + (i % 2);
            double x = Center(i / 2 % columns, columns), y = Center(i / 2 / columns % rows, rows);
            grid.Add((theta[row * 3] * x) + (theta[(row * 3) + 1] * y) + theta[(row * 3) + 2]);
        }

        return [.. grid];

        double Center(int at, int size) =>
            size == 1 ? 0 : alignCorners ? -1 + (2.0 * at / (size - 1)) : -1 + ((at + 0.5) * 2 / size);
    }

    private static double Position(double grid, int size, GridPadding padding, bool alignCorners)
    {
        double at = alignCorners ? (grid + 1) / 2 * (size - 1) : ((grid + 1) / 2 * size) - 0.5;
        double low = alignCorners ? 0 : -0.5, high = alignCorners ? size - 1 : size - 0.5;
        while (padding == GridPadding.Reflection && low < high && (at < low || at > high))
        {
            at = at < low ? (2 * low) - at : (2 * high) - at;
        }

        return padding == GridPadding.Zeros ? at : Math.Clamp(at, 0, size - 1);
    }
}
