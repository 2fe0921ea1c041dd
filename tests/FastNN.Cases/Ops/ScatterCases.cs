namespace FastNN.Testing;

/// <summary>Elements put and added where indices say, and 1 at each index.</summary>
internal sealed class ScatterCases : IOpCases
{
    public static IEnumerable<OpCase> Cases
    {
        get
        {
            foreach ((int[] table, int[] index, int[] source, int axis) in new (int[], int[], int[], int)[]
            {
                ([1], [1], [1], 0), ([7], [13], [13], 0), ([3, 5], [3, 4], [3, 4], 1), ([13, 17], [31, 17], [31, 17], 0),
                ([2, 3, 6], [2, 3, 2], [2, 3, 3], -1), ([5, 7, 9], [3, 7, 4], [4, 8, 5], 0),
                ([5, 7, 9], [4, 11, 8], [5, 11, 9], 1),
                ([33, 129], [33, 1], [33, 1], 1), ([3, 3, 33], [3, 700, 33], [3, 700, 33], 1), ([3, 4], [3, 0], [3, 2], 1),
            })
            {
                yield return Case(new Shape(table), new Shape(index), new Shape(source), axis, adds: false);
                yield return Case(new Shape(table), new Shape(index), new Shape(source), axis, adds: true);
            }

            foreach (DType type in new[] { DType.Bool, DType.Float16, DType.Int32, DType.Int64 })
            {
                yield return Typed(type);
            }

            foreach ((int[] index, int classes) in new (int[], int)[] { ([], 3), ([7], 5), ([13], 1), ([3, 31], 129), ([0], 4) })
            {
                yield return OneHot(new Shape(index), classes, DType.Int32);
                yield return OneHot(new Shape(index), classes, DType.Int64);
            }
        }
    }

    private static OpCase Case(Shape table, Shape index, Shape source, int axis, bool adds)
    {
        int[] from = GatherReference.Sources(index, source);
        int[] To(double[][] values) => GatherReference.Elements(values[1], index, table, axis);
        return new OpCase(
            $"{(adds ? "add" : "put")} {index} of {source} to {table} along axis {axis}",
            [
                OpInput.Uniform("x", table),
                OpInput.Integers("index", index, 0, table[axis] - 1, adds ? DType.Int64 : DType.Int32),
                OpInput.Uniform("source", source)],
            values => adds ? values[0].ScatterAdd(axis, values[1], values[2]) : values[0].Scatter(axis, values[1], values[2]),
            values => adds
                ? GatherReference.Add(GatherReference.Pick(values[2], from), To(values), values[0])
                : ScatterReference.Put(GatherReference.Pick(values[2], from), To(values), values[0]))
        {
            Samples = 24,
            Tolerance = 2e-6 * Math.Max(2, Math.Sqrt(index[axis])),
            ReferenceBackward = (values, dY) => adds
                ? [dY, null, GatherReference.Add(GatherReference.Pick(dY, To(values)), from, new double[source.Count])]
                : ScatterReference.PutBackward(dY, To(values), from, (int)source.Count),
        };
    }

    private static OpCase Typed(DType type)
    {
        Shape table = new(3, 5, 8), index = new(3, 4, 8);
        return new OpCase(
            $"of {type}",
            [
                OpInput.Integers("x", table, 0, 1, type), OpInput.Integers("index", index, 0, 4, DType.Int32),
                OpInput.Integers("source", index, 0, 1, type)],
            values => values[0].Scatter(1, values[1], values[2]).Cast(DType.Float32),
            values => ScatterReference.Put(values[2], GatherReference.Elements(values[1], index, table, 1), values[0]));
    }

    private static OpCase OneHot(Shape index, int classes, DType type) => new(
        $"one of {classes} for {type}{index}", [OpInput.Integers("index", index, 0, classes - 1, type)],
        values => values[0].OneHot(classes),
        values => [.. values[0].SelectMany(value => Enumerable.Range(0, classes).Select(i => i == (int)value ? 1.0 : 0))]);
}
