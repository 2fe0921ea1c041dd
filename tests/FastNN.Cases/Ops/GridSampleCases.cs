namespace FastNN.Testing;

internal sealed class GridSampleCases : IOpCases
{
    public static IEnumerable<OpCase> Cases =>
    [
        .. from padding in Enum.GetValues<GridPadding>()
           from nearest in new[] { false, true }
           from alignCorners in new[] { false, true }
           from sizes in new (int[] X, int[] Places)[]
           {
               ([2, 7, 5, 3], [3, 13]), ([1, 3, 9, 17], [1, 7]), ([3, 1, 1, 1], [2, 1]), ([2, 13, 7, 33], [17, 19]),
           }
           select Sample(new Shape(sizes.X), sizes.Places[0], sizes.Places[1], nearest, padding, alignCorners),
        Sample(new Shape(1, 5, 31, 13), 31, 1, false, GridPadding.Reflection, true),
        .. from alignCorners in new[] { false, true }
           from sizes in new (int Batch, int Rows, int Columns)[] { (1, 1, 1), (2, 3, 7), (3, 13, 1) }
           select Affine(sizes.Batch, sizes.Rows, sizes.Columns, alignCorners),
    ];

    private static OpCase Sample(Shape shape, int rows, int columns, bool nearest, GridPadding padding, bool alignCorners) => new(
        $"{(nearest ? "nearest" : "linear")} {padding}{(alignCorners ? " aligned" : "")} {shape} at {rows}x{columns}",
        [OpInput.Uniform("x", shape), OpInput.Uniform("grid", new Shape(shape[0], rows, columns, 2), -2.2, 2.2)],
        values => values[0].GridSample(
            values[1], nearest ? InterpolationMode.Nearest : InterpolationMode.Linear, padding, alignCorners),
        values => GridSampleReference.Forward(values[0], values[1], shape, rows * columns, nearest, padding, alignCorners))
    {
        Samples = 12,

        // A place moves by the rounding of its position, which has as many pixels as the image.
        Tolerance = 2e-5,
    };

    private static OpCase Affine(int batch, int rows, int columns, bool alignCorners) => new(
        $"affine {rows}x{columns} of {batch}{(alignCorners ? " aligned" : "")}", [OpInput.Uniform("theta", new Shape(batch, 2, 3))],
        values => values[0].AffineGrid((rows, columns), alignCorners),
        values => GridSampleReference.Affine(values[0], batch, rows, columns, alignCorners))
    {
        Tolerance = 1e-5,
    };
}
