namespace FastNN.Testing;

internal sealed class TriluCases : IOpCases
{
    public static IEnumerable<OpCase> Cases
    {
        get
        {
            foreach ((int[] extents, int diagonal) in new (int[], int)[]
            {
                ([1, 1], 0), ([7, 7], 0), ([7, 13], 2), ([13, 7], -3), ([3, 17, 31], 1), ([2, 3, 33, 129], -7), ([5, 5], 9),
                ([5, 5], -9),
                ([3, 0], 0),
            })
            {
                yield return Case(new Shape(extents), diagonal, upper: true);
                yield return Case(new Shape(extents), diagonal, upper: false);
            }

            foreach (DType type in new[] { DType.Bool, DType.Float16, DType.Int32, DType.Int64 })
            {
                yield return new OpCase(
                    $"of {type}", [OpInput.Integers("x", new Shape(2, 5, 7), 0, 1, type)],
                    values => values[0].Triu(1).Cast(DType.Float32),
                    values => TriluReference.Keep(values[0], 5, 7, 1, upper: true));
            }
        }
    }

    private static OpCase Case(Shape x, int diagonal, bool upper)
    {
        (int rows, int columns) = (x[-2], x[-1]);
        return new OpCase(
            $"{(upper ? "upper" : "lower")} of {x} from {diagonal}", [OpInput.Uniform("x", x)],
            values => upper ? values[0].Triu(diagonal) : values[0].Tril(diagonal),
            values => TriluReference.Keep(values[0], rows, columns, diagonal, upper))
        {
            ReferenceBackward = (_, dY) => [TriluReference.Keep(dY, rows, columns, diagonal, upper)],
        };
    }
}
