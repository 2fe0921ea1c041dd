using FastNN.Ops;

namespace FastNN.Testing;

internal sealed class WhereCases : IOpCases
{
    public static IEnumerable<OpCase> Cases => Floats.Concat(
        from type in new[] { DType.UInt8, DType.Float16, DType.Int32, DType.Int64, DType.Bool }
        select Typed(type, [13, 1], [13, 7], [7]));

    private static IEnumerable<OpCase> Floats =>
        from row in new (int[] Condition, int[] A, int[] B)[]
        {
            ([], [], []), ([1], [1], [1]), ([7], [7], [7]), ([17, 31], [17, 31], [17, 31]), ([129, 33], [129, 33], []),
            ([129, 33], [], [129, 33]),
            ([33], [13, 33], [33]), ([13, 1], [13, 33], [13, 33]), ([3, 7, 5], [7, 1], [3, 1, 5]), ([1, 7, 1], [3, 1, 5], [1]),
            ([70001], [70001], [1]),
            ([2, 1, 3, 1], [1, 5, 1, 7], [2, 5, 3, 7]),
        }
        select Case(new Shape(row.Condition), new Shape(row.A), new Shape(row.B));

    private static OpCase Typed(DType type, params int[][] extents)
    {
        Shape[] shapes = Array.ConvertAll(extents, extent => new Shape(extent));
        Shape y = Broadcasting.Of("Where", shapes);
        return new OpCase(
            $"of {type}",
            [OpInput.Bits("condition", shapes[0]), OpInput.Bits("a", shapes[1], type), OpInput.Bits("b", shapes[2], type)],
            values => ShapeOperators.Where(values[0], values[1], values[2]).Cast(DType.Float32),
            values => WhereReference.Forward(y, shapes, values));
    }

    private static OpCase Case(params Shape[] shapes)
    {
        Shape y = Broadcasting.Of("Where", shapes);
        return new OpCase(
            string.Join(" ", shapes),
            [OpInput.Bits("condition", shapes[0]), OpInput.Uniform("a", shapes[1]), OpInput.Uniform("b", shapes[2])],
            values => ShapeOperators.Where(values[0], values[1], values[2]), values => WhereReference.Forward(y, shapes, values))
        {
            Samples = y.Count > 10_000 ? 4 : 24,
            Tolerance = 2e-6 * Math.Max(1, Math.Sqrt(y.Count / (double)Math.Min(shapes[1].Count, shapes[2].Count))),
            ReferenceBackward = (values, dY) => WhereReference.Backward(y, shapes, values, dY),
        };
    }
}
