namespace FastNN.Testing;

/// <summary>
/// Values and places of sorted rows and columns: lengths beside those at which kernels change their ways, all of them and the
/// first few, with and without ties.
/// </summary>
internal sealed class SortCases : IOpCases
{
    private static readonly (int[] Shape, int Axis, int? Kept)[] Patterns =
    [
        ([1], 0, null), ([7], 0, null), ([13, 3], 1, null), ([5, 17], 1, 3), ([33, 31], 1, null), ([9, 32], 1, 1),
        ([3, 33], 1, null), ([5, 7], 0, null), ([129, 3], 0, 5), ([2, 13, 5], 1, null), ([3, 129], 1, 129),
        ([2, 257], -1, null), ([2, 513], 1, 40),
        ([3, 1025], 1, null), ([2, 2048], 1, null), ([2, 2049], 1, null), ([3, 5000], 1, 7), ([1, 9001], 1, null),
        ([2, 4100], 1, 4099), ([3, 2049], 1, 33), ([2, 4799], 1, 200), ([2, 4800], 1, 200),
    ];

    public static IEnumerable<OpCase> Cases =>
    [
        .. from pattern in Patterns
           from falls in new[] { false, true }
           select Values(new Shape(pattern.Shape), pattern.Axis, pattern.Kept, falls),
        .. from pattern in Patterns
           from ties in new[] { false, true }
           select Places(new Shape(pattern.Shape), pattern.Axis, pattern.Kept, ties, ties),
    ];

    private static OpCase Values(Shape shape, int axis, int? kept, bool descending)
    {
        int at = shape.NormalizeAxis(axis);
        return new OpCase(
            Name("values", shape, axis, kept, descending), [OpInput.Distinct("x", shape)],
            values => Sort(values[0], axis, kept, descending).Values,
            values => Array.ConvertAll(Order(values[0]), i => values[0][i]))
        {
            Samples = shape.Count > 1000 ? 0 : 24,
            ReferenceBackward = (values, dY) =>
            {
                var dX = new double[values[0].Length];
                int[] order = Order(values[0]);
                for (int i = 0; i < order.Length; i++)
                {
                    dX[order[i]] = dY[i];
                }

                return [dX];
            },
        };

        int[] Order(double[] x) => SortReference.Order(x, shape, at, kept ?? shape[at], descending);
    }

    private static OpCase Places(Shape shape, int axis, int? kept, bool descending, bool ties)
    {
        int at = shape.NormalizeAxis(axis), inner = (int)shape.Product(at + 1, shape.Rank);
        OpInput x = ties
            ? new OpInput("x", shape, (random, count) => [.. Enumerable.Range(0, count).Select(_ => random.Next(-2, 3) * 0.5)])
            : OpInput.Distinct("x", shape);
        return new OpCase(
            Name(ties ? "places with ties" : "places", shape, axis, kept, descending), [x.Constant()],
            values => Sort(values[0], axis, kept, descending).Indices.Cast(DType.Float32),
            values => Array.ConvertAll(
                SortReference.Order(values[0], shape, at, kept ?? shape[at], descending), i => (double)(i / inner % shape[at])));
    }

    private static (Value Values, Value Indices) Sort(Value x, int axis, int? kept, bool descending) =>
        kept is { } k ? x.TopK(k, axis, descending) : x.Sort(axis, descending);

    private static string Name(string what, Shape shape, int axis, int? kept, bool descending) =>
        $"{what} {shape} along {axis}{(kept is null ? "" : $" first {kept}")}{(descending ? " descending" : "")}";
}
