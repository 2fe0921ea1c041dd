namespace FastNN.Testing;

internal sealed class ArgExtremeCases : IOpCases
{
    private static readonly (int[] Shape, int Axis)[] Patterns =
    [
        ([1], 0), ([7], 0), ([5, 7], 1), ([5, 7], 0), ([13, 1], 1), ([1, 13], 0), ([3, 5, 7], 1), ([2, 3, 4, 5], -2),
        ([33, 129], -1), ([129, 33], 0), ([17, 31, 3], 1),
        ([3, 2049], 1), ([2049, 67], 0), ([70_001], 0), ([70, 515], 0), ([3, 300, 9], 1), ([2, 40, 300], 1),
        ([75, 7, 33], 1), ([300, 2, 2], 1), ([31, 4, 31], 1), ([9, 1, 5], 1), ([5, 1023, 2], 1),
    ];

    public static IEnumerable<OpCase> Cases =>
    [
        .. from largest in new[] { true, false } from pattern in Patterns from ties in new[] { false, true }
           select Case(largest, new Shape(pattern.Shape), pattern.Axis, ties, keepDims: false),
        Case(true, new Shape(3, 5, 7), 1, ties: true, keepDims: true),
        Case(false, new Shape(3, 5, 7), 2, ties: true, keepDims: true),
    ];

    private static OpCase Case(bool largest, Shape shape, int axis, bool ties, bool keepDims)
    {
        OpInput x = ties
            ? new OpInput("x", shape, (random, count) => [.. Enumerable.Range(0, count).Select(_ => (double)random.Next(-2, 3))])
            : OpInput.Distinct("x", shape);
        return new OpCase(
            $"{(largest ? "largest" : "smallest")} {shape} along {axis}{(ties ? " with ties" : "")}{(keepDims ? " kept" : "")}",
            [x.Constant()],
            values => (largest ? values[0].ArgMax(axis, keepDims) : values[0].ArgMin(axis, keepDims)).Cast(DType.Float32),
            values => ArgExtremeReference.Forward(values[0], shape, shape.NormalizeAxis(axis), largest));
    }
}
