using FastNN.Ops;

namespace FastNN.Testing;

/// <summary>Filters of one, two and three axes at once, and more of them than one launch takes (64).</summary>
internal sealed class TransposeFiltersCases : IOpCases
{
    public static IEnumerable<OpCase> Cases =>
    [
        Case("a 1x1", new Shape(1, 1, 1, 1)),
        Case("a long one", new Shape(5, 7, 13)),
        Case("wide ones", new Shape(3, 3, 17, 33), new Shape(1, 1, 129, 31)),
        Case("of one, two and three axes", new Shape(3, 4, 7), new Shape(3, 2, 5, 31), new Shape(1, 2, 3, 3, 17)),
        Case("more than a launch takes", [.. Enumerable.Range(0, 67).Select(i => new Shape(3, 1 + (i % 3), 1 + (i % 5)))]),
    ];

    private static OpCase Case(string name, params Shape[] filters) => new(
        name, [.. filters.Select((filter, i) => OpInput.Uniform($"filter {i}", filter))],
        values => Operators.Concat(
            0, [.. values[0].Graph.AddNode(new TransposeFiltersOp(), values).Select(y => y.Reshape([(int)y.Shape.Count]))]),
        values => [.. values.SelectMany((x, i) => Transposed(x, filters[i][-1]))])
    {
        Samples = 3,
        ReferenceBackward = (values, dY) =>
        {
            int from = 0;
            return [.. values.Select((x, i) => Transposed(dY[from..(from += x.Length)], x.Length / filters[i][-1]))];
        },
    };

    /// <summary>[rows, columns] as [columns, rows].</summary>
    private static double[] Transposed(double[] x, int columns)
    {
        int rows = x.Length / columns;
        return [.. Enumerable.Range(0, x.Length).Select(i => x[(i % rows * columns) + (i / rows)])];
    }
}
