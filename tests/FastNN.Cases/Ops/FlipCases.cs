namespace FastNN.Testing;

/// <summary>Axes that are reversed and rolled, and diagonals.</summary>
internal sealed class FlipCases : IOpCases
{
    public static IEnumerable<OpCase> Cases
    {
        get
        {
            foreach ((int[] extents, int[] axes) in new (int[], int[])[]
            {
                ([1], [0]), ([7], [0]), ([3, 4], [1]), ([13, 17], [0]), ([13, 17], [0, 1]), ([2, 5, 7, 3], [1, 2]),
                ([2, 31, 33], [-1, 0]),
                ([3, 129], [-2]), ([2, 3, 2, 3, 2], [0, 2, 4]),
            })
            {
                yield return Flip(new Shape(extents), axes);
            }

            foreach ((int[] extents, int[] shifts, int[] axes) in new (int[], int[], int[])[]
            {
                ([7], [3], [0]), ([7], [-1], [0]), ([7], [7], [0]), ([3, 13], [5], [1]), ([13, 3], [-20], [0]),
                ([2, 8, 8, 3], [3, -3], [1, 2]),
                ([5, 7, 9], [1, 2, 3], [0, 1, 2]), ([33, 17], [0, 4], [0, -1]), ([1, 5], [3], [0]),
            })
            {
                yield return Roll(new Shape(extents), shifts, axes);
            }

            foreach ((int[] extents, int offset, int axis1, int axis2) in new (int[], int, int, int)[]
            {
                ([1, 1], 0, 0, 1), ([7, 7], 0, 0, 1), ([7, 13], 3, 0, 1), ([13, 7], -5, 0, 1), ([7, 7], 9, 0, 1),
                ([3, 5, 7], 1, 1, 2),
                ([5, 3, 5], 0, 0, -1), ([5, 3, 4], -1, 2, 0), ([2, 33, 3, 31], 2, -1, 1),
            })
            {
                yield return Diagonal(new Shape(extents), offset, axis1, axis2);
            }

            foreach (DType type in new[] { DType.Bool, DType.Float16, DType.Int32, DType.Int64 })
            {
                yield return Typed(type);
            }
        }
    }

    private static OpCase Flip(Shape x, int[] axes)
    {
        int[] turned = Array.ConvertAll(axes, x.NormalizeAxis);
        return RearrangeCases.Picked(
            $"flip {x} along [{string.Join(", ", axes)}]", x, x, value => value.Flip(axes),
            place => [.. place.Select((index, axis) => turned.Contains(axis) ? x[axis] - 1 - index : index)]);
    }

    private static OpCase Roll(Shape x, int[] shifts, int[] axes)
    {
        int[] rolled = Array.ConvertAll(axes, x.NormalizeAxis);
        return RearrangeCases.Picked(
            $"roll {x} by [{string.Join(", ", shifts)}] along [{string.Join(", ", axes)}]", x, x,
            value => axes.Length == 1 ? value.Roll(shifts[0], axes[0]) : value.Roll(shifts, axes),
            place =>
            {
                int[] source = [.. place];
                for (int i = 0; i < rolled.Length; i++)
                {
                    int extent = x[rolled[i]];
                    source[rolled[i]] = (((place[rolled[i]] - shifts[i]) % extent) + extent) % extent;
                }

                return source;
            });
    }

    private static OpCase Diagonal(Shape x, int offset, int axis1, int axis2)
    {
        (int row, int column) = (x.NormalizeAxis(axis1), x.NormalizeAxis(axis2));
        int[] others = [.. Enumerable.Range(0, x.Rank).Where(axis => axis != row && axis != column)];
        int length = Enumerable.Range(0, x[row]).Count(i => i + offset >= 0 && i + offset < x[column]);
        return RearrangeCases.Picked(
            $"diagonal {offset} of {x} over axes {axis1} and {axis2}", x, new Shape([.. others.Select(axis => x[axis]), length]),
            value => value.Diagonal(offset, axis1, axis2),
            place =>
            {
                var source = new int[x.Rank];
                for (int i = 0; i < others.Length; i++)
                {
                    source[others[i]] = place[i];
                }

                source[row] = place[^1] + Math.Max(0, -offset);
                source[column] = place[^1] + Math.Max(0, offset);
                return source;
            });
    }

    private static OpCase Typed(DType type)
    {
        Shape x = new(3, 5, 5), diagonal = new(3, 5);
        return new OpCase(
            $"of {type}", [OpInput.Integers("x", x, 0, 1, type)],
            values => Operators.Concat(
                0, values[0].Flip(1, 2).Cast(DType.Float32).Reshape(new Shape(75)),
                values[0].Roll(2, 1).Cast(DType.Float32).Reshape(new Shape(75)),
                values[0].Diagonal(0, 1, 2).Cast(DType.Float32).Reshape(new Shape(15))),
            values =>
            [
                .. RearrangeReference.Pick(values[0], x, x, place => [place[0], 4 - place[1], 4 - place[2]]),
                .. RearrangeReference.Pick(values[0], x, x, place => [place[0], (place[1] + 3) % 5, place[2]]),
                .. RearrangeReference.Pick(values[0], x, diagonal, place => [place[0], place[1], place[1]]),
            ]);
    }
}
