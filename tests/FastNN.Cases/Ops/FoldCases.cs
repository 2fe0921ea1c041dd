namespace FastNN.Testing;

internal sealed class FoldCases : IOpCases
{
    private static readonly Window[] Windows =
    [
        new([1, 1, 1, 1], 1, 1, 0, 1),
        new([2, 5, 7, 3], (3, 2), 1, 0, 1),
        new([2, 7, 5, 4], 3, 1, 1, 1),
        new([1, 13, 9, 17], (2, 3), (3, 2), (1, 0), 1),
        new([2, 8, 8, 3], 2, 2, 0, 1),
        new([1, 9, 11, 33], 3, 2, (2, 1), (2, 3)),
        new([3, 7, 7, 8], (2, 3), (1, 4), (0, 2), (3, 1)),
    ];

    public static IEnumerable<OpCase> Cases { get; } = Windows.SelectMany(window => new[] { Unfold(window), Fold(window) });

    private static OpCase Unfold(Window w) => new(
        $"unfold {w}", [OpInput.Uniform("x", new Shape(w.X))],
        values => values[0].Unfold(w.Kernel, w.Stride, (w.Padding.Rows, w.Padding.Columns), w.Dilation),
        values => Gather(w, values[0]))
    {
        Samples = 12,
        ReferenceBackward = (_, dY) => [Scatter(w, dY)],
    };

    private static OpCase Fold(Window w) => new(
        $"fold {w}", [OpInput.Uniform("x", new Shape(w.X[0], w.Rows * w.Columns, w.Kernel.Rows * w.Kernel.Columns * w.X[3]))],
        values => values[0].Fold((w.X[1], w.X[2]), w.Kernel, w.Stride, (w.Padding.Rows, w.Padding.Columns), w.Dilation),
        values => Scatter(w, values[0]))
    {
        Samples = 12,
        ReferenceBackward = (_, dY) => [Gather(w, dY)],
    };

    private static double[] Gather(Window w, double[] images)
    {
        var columns = new double[w.Count];
        w.Visit((image, column) => columns[column] = images[image]);
        return columns;
    }

    private static double[] Scatter(Window w, double[] columns)
    {
        var images = new double[w.X.Aggregate(1, (a, b) => a * b)];
        w.Visit((image, column) => images[image] += columns[column]);
        return images;
    }

    private sealed record Window(int[] X, Size2D Kernel, Size2D Stride, Size2D Padding, Size2D Dilation)
    {
        public int Rows => ((X[1] + (2 * Padding.Rows) - ((Kernel.Rows - 1) * Dilation.Rows) - 1) / Stride.Rows) + 1;

        public int Columns =>
            ((X[2] + (2 * Padding.Columns) - ((Kernel.Columns - 1) * Dilation.Columns) - 1) / Stride.Columns) + 1;

        public int Count => X[0] * Rows * Columns * Kernel.Rows * Kernel.Columns * X[3];

        /// <summary>Each element of the columns that has one in the images.</summary>
        public void Visit(Action<int, int> pair)
        {
            for (int column = 0; column < Count; column++)
            {
                int c = column % X[3], tap = column / X[3] % (Kernel.Rows * Kernel.Columns);
                int window = column / X[3] / (Kernel.Rows * Kernel.Columns);
                int row = window / Columns % Rows, n = window / Columns / Rows;
                int h = (row * Stride.Rows) - Padding.Rows + (tap / Kernel.Columns * Dilation.Rows);
                int w = (window % Columns * Stride.Columns) - Padding.Columns + (tap % Kernel.Columns * Dilation.Columns);
                if (h >= 0 && h < X[1] && w >= 0 && w < X[2])
                {
                    pair((((((n * X[1]) + h) * X[2]) + w) * X[3]) + c, column);
                }
            }
        }

        public override string ToString() =>
            $"{new Shape(X)} by {Kernel}, stride {Stride}, padding {Padding}, dilation {Dilation}";
    }
}
