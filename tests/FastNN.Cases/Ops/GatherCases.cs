namespace FastNN.Testing;

/// <summary>Elements and slices by their indices.</summary>
internal sealed class GatherCases : IOpCases
{
    public static IEnumerable<OpCase> Cases
    {
        get
        {
            foreach ((int[] table, int[] index, int axis) in new (int[], int[], int)[]
            {
                ([1], [1], 0), ([7], [13], 0), ([3, 5], [3, 4], 1), ([13, 17], [31, 17], 0), ([2, 3, 6], [2, 3, 2], -1),
                ([5, 7, 9], [3, 7, 4], 0), ([5, 7, 9], [4, 11, 8], 1), ([33, 129], [33, 1], 1), ([17, 31], [5, 31], 0),
                ([3, 3, 33], [3, 700, 33], 1), ([3, 4], [3, 0], 1), ([300, 40], [300, 7], 1),
            })
            {
                yield return Gather(new Shape(table), new Shape(index), axis, table.Length % 2 == 0 ? DType.Int32 : DType.Int64);
            }

            foreach ((int[] table, int[] index, int axis) in new (int[], int[], int)[]
            {
                ([5, 4], [6], 0), ([7], [3], 0), ([7], [], 0), ([3, 13], [17], 1), ([2, 7, 33], [5], 1), ([2, 7, 32], [3, 2], 1),
                ([31, 129], [9], 0), ([3, 5, 7, 4], [6], -2), ([9, 1030], [700], 0), ([3, 5], [0], 0), ([5, 7, 3], [2, 2, 2], -1),
            })
            {
                yield return Select(new Shape(table), new Shape(index), axis, table.Length % 2 == 0 ? DType.Int64 : DType.Int32);
            }

            foreach (DType type in new[] { DType.Bool, DType.Float16, DType.Int32, DType.Int64 })
            {
                yield return Typed(type);
            }
        }
    }

    private static OpCase Gather(Shape table, Shape index, int axis, DType type) => new(
        $"{type}{index} of {table} along axis {axis}",
        [OpInput.Uniform("x", table), OpInput.Integers("index", index, 0, table[axis] - 1, type)],
        values => values[0].Gather(axis, values[1]),
        values => GatherReference.Pick(values[0], GatherReference.Elements(values[1], index, table, axis)))
    {
        Samples = 24,
        Tolerance = 2e-6 * Math.Max(2, Math.Sqrt(index[axis])),
        ReferenceBackward = (values, dY) =>
            [GatherReference.Add(dY, GatherReference.Elements(values[1], index, table, axis), new double[table.Count]), null],
    };

    private static OpCase Select(Shape table, Shape index, int axis, DType type) => new(
        $"slices {type}{index} of {table} along axis {axis}",
        [OpInput.Uniform("x", table), OpInput.Integers("index", index, 0, table[axis] - 1, type)],
        values => values[0].IndexSelect(axis, values[1]),
        values => GatherReference.Pick(values[0], GatherReference.Slices(values[1], index, table, axis)))
    {
        Samples = 24,
        Tolerance = 2e-6 * Math.Max(2, Math.Sqrt(index.Count)),
        ReferenceBackward = (values, dY) =>
            [GatherReference.Add(dY, GatherReference.Slices(values[1], index, table, axis), new double[table.Count]), null],
    };

    private static OpCase Typed(DType type)
    {
        Shape table = new(3, 5, 8), index = new(3, 4, 8), slices = new(7);
        return new OpCase(
            $"of {type}",
            [
                OpInput.Integers("x", table, 0, 1, type), OpInput.Integers("index", index, 0, 4, DType.Int32),
                OpInput.Integers("slices", slices, 0, 4, DType.Int64)],
            values => Operators.Concat(
                1, values[0].Gather(1, values[1]).Cast(DType.Float32),
                values[0].IndexSelect(1, values[2]).Cast(DType.Float32)).Flatten(),
            values =>
            {
                double[] gathered = GatherReference.Pick(values[0], GatherReference.Elements(values[1], index, table, 1));
                double[] selected = GatherReference.Pick(values[0], GatherReference.Slices(values[2], slices, table, 1));
                return [.. Enumerable.Range(0, 3).SelectMany(
                    i => gathered[(i * 32)..((i + 1) * 32)].Concat(selected[(i * 56)..((i + 1) * 56)]))];
            });
    }
}
