namespace FastNN.Testing;

/// <summary>Repetition: of axes of extent 1, of the whole, of single elements.</summary>
internal sealed class ExpandCases : IOpCases
{
    public static IEnumerable<OpCase> Cases
    {
        get
        {
            foreach ((int[] from, int[] to) in new (int[], int[])[]
            {
                ([], [7]), ([1], [129]), ([1, 1], [3, 5]), ([13, 1], [13, 17]), ([1, 17], [33, 17]), ([31], [7, 31]),
                ([4, 1], [3, 4, 5]),
                ([3, 1, 7], [3, 13, 7]), ([2, 1, 3, 1], [2, 5, 3, 8]), ([1, 3, 1, 8], [2, 3, 17, 8]), ([64, 1], [64, 128]),
                ([1, 1, 64], [20, 3, 64]), ([2, 1, 16], [2, 37, 16]), ([1, 5, 1], [9, 5, 4]), ([5, 1], [5, 0]),
                ([1, 2, 1, 2, 1, 2, 1, 2], [2, 2, 3, 2, 2, 2, 2, 2]),
            })
            {
                yield return Expand(new Shape(from), new Shape(to));
            }

            foreach ((int[] extents, int[] repeats) in new (int[], int[])[]
            {
                ([3, 4], [2, 3]), ([7], [3]), ([5], [2, 3]), ([3, 5], [4]), ([2, 3, 7], [1, 3, 1]), ([13, 31], [1, 2]),
                ([2, 3, 2, 3], [2, 1, 3, 2]), ([1, 2, 1, 2, 1, 2, 1, 3], [1, 2, 3, 1, 1, 2, 2, 1]),
                ([2, 2, 2, 2, 2], [2, 2, 2, 2, 2]),
            })
            {
                yield return Tile(new Shape(extents), repeats);
            }

            foreach ((int[] extents, int repeats, int axis) in new (int[], int, int)[]
            {
                ([7], 3, 0), ([3, 5], 2, 0), ([3, 5], 4, -1), ([2, 13, 3], 3, 1),
            })
            {
                yield return Interleave(new Shape(extents), repeats, axis);
            }

            yield return Grid(5, 3, 7);
        }
    }

    private static OpCase Expand(Shape x, Shape y) => RearrangeCases.Picked(
        $"expand {x} to {y}", x, y, value => value.Expand(y.ToArray()),
        place => [.. Enumerable.Range(0, x.Rank).Select(axis => x[axis] == 1 ? 0 : place[axis + y.Rank - x.Rank])]);

    private static OpCase Tile(Shape x, int[] repeats)
    {
        int rank = Math.Max(x.Rank, repeats.Length);
        int[] extents = [.. Enumerable.Repeat(1, rank - x.Rank), .. x];
        int[] all = [.. Enumerable.Repeat(1, rank - repeats.Length), .. repeats];
        var y = new Shape([.. extents.Zip(all, (extent, repeat) => extent * repeat)]);
        return RearrangeCases.Picked(
            $"tile {x} by {new Shape(repeats)}", x, y, value => value.Tile(repeats),
            place => [.. Enumerable.Range(0, x.Rank).Select(axis => place[axis + rank - x.Rank] % x[axis])]);
    }

    private static OpCase Interleave(Shape x, int repeats, int axis)
    {
        int at = x.NormalizeAxis(axis);
        int[] extents = x.ToArray();
        extents[at] *= repeats;
        return RearrangeCases.Picked(
            $"repeat each of {x} {repeats} times along axis {axis}", x, new Shape(extents),
            value => value.RepeatInterleave(repeats, axis),
            place => [.. place.Select((index, i) => i == at ? index / repeats : index)]);
    }

    /// <summary>The product of all coordinates.</summary>
    private static OpCase Grid(params int[] lengths)
    {
        var y = new Shape(lengths);
        return new OpCase(
            $"grid {y}", [.. lengths.Select((length, i) => OpInput.Uniform($"x{i}", new Shape(length)))],
            values => ShapeOperators.Meshgrid(values).Aggregate((a, b) => a * b),
            values => [.. Enumerable.Range(0, (int)y.Count).Select(
                i => RearrangeReference.Place(y, i).Select((index, axis) => values[axis][index]).Aggregate((a, b) => a * b))])
        {
            Tolerance = 2e-5,
        };
    }
}
