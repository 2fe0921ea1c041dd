namespace FastNN.Testing;

internal sealed class RearrangeCases : IOpCases
{
    public static IEnumerable<OpCase> Cases
    {
        get
        {
            foreach ((int[] extents, int[] order) in new (int[], int[])[]
            {
                ([1, 1], [1, 0]), ([3, 7], [1, 0]), ([33, 129], [1, 0]), ([64, 64], [1, 0]), ([2, 3, 4], [2, 0, 1]),
                ([2, 13, 17, 3], [0, 3, 1, 2]),
                ([2, 3, 13, 17], [0, 2, 3, 1]), ([1, 3, 65, 67], [0, 2, 3, 1]),
                ([2, 31, 3, 8], [0, 2, 1, 3]), ([5, 4, 3, 2], [3, 2, 1, 0]),
                ([2, 1, 7, 1, 3], [4, 1, 0, 3, 2]),
                ([2, 2, 2, 2, 2, 2, 2, 2], [7, 0, 6, 1, 5, 2, 4, 3]), ([3, 129, 33], [0, 2, 1]), ([260, 520], [1, 0]),
            })
            {
                yield return Permute(new Shape(extents), order);
            }

            foreach ((int[] extents, int axis, int? start, int? stop, int step) in new (int[], int, int?, int?, int)[]
            {
                ([7], 0, 2, 5, 1), ([7], 0, null, null, 1), ([7], 0, null, null, -1), ([7, 3], 0, 1, -1, 1),
                ([7, 3], 0, 6, 1, -2), ([5, 9], 1, 3, null, 1),
                ([5, 9], -1, null, null, 3), ([5, 9], -1, null, null, -1), ([3, 7, 5], 1, -3, 100, 1), ([3, 8, 8], 1, 4, null, 1),
                ([129, 33], 0, 17, 128, 1),
                ([2, 3, 4, 5], 2, 3, 0, -1), ([31, 17], 1, 16, 2, -7), ([3, 5], 0, 1, 2, 1),
            })
            {
                yield return Slice(new Shape(extents), axis, start, stop, step);
            }

            foreach ((int[] extents, int axis, int[] sizes) in new (int[], int, int[])[]
            {
                ([7], 0, [3, 4]), ([6, 5], 0, [1, 2, 3]), ([5, 9], 1, [2, 3, 4]), ([3, 12, 8], -2, [4, 4, 4]),
                ([2, 3, 33], -1, [1, 31, 1]), ([4, 3], 1, [3]),
                ([7, 3], 0, [7]),
            })
            {
                yield return Split(new Shape(extents), axis, sizes, scale: true);
                yield return Split(new Shape(extents), axis, sizes, scale: false);
            }

            foreach (DType type in new[] { DType.UInt8, DType.Float16, DType.Int32, DType.Int64 })
            {
                yield return Typed(type);
            }

            foreach ((int[] extents, int axis, int count) in new (int[], int, int)[] { ([], 0, 3), ([7], 0, 2), ([3, 5], 1, 3), (
                [3, 5], -1, 4), ([2, 3, 13], 0, 1) })
            {
                yield return Stack(new Shape(extents), axis, count);
            }
        }
    }

    /// <summary>
    /// What only moves is not computed on, so elements have any width: transposed, every second row, and runs, joined behind a
    /// cast.
    /// </summary>
    private static OpCase Typed(DType type)
    {
        Shape x = new(3, 40, 36), transposed = new(3, 36, 40), sliced = new(3, 12, 36), rows = new(3, 40, 16);
        return new OpCase($"of {type}", [OpInput.Integers("x", x, 0, 100, type)], values => Operators.Concat(
            0,
            values[0].Transpose().Cast(DType.Float32).Reshape(new Shape(3 * 36 * 40)),
            values[0].Slice(1, 7, 30, 2).Cast(DType.Float32).Reshape(new Shape(3 * 12 * 36)),
            values[0].Slice(2, 4, 20).Cast(DType.Float32).Reshape(new Shape(3 * 40 * 16))), values =>
        [
            .. RearrangeReference.Pick(values[0], x, transposed, place => [place[0], place[2], place[1]]),
            .. RearrangeReference.Pick(values[0], x, sliced, place => [place[0], 7 + (2 * place[1]), place[2]]),
            .. RearrangeReference.Pick(values[0], x, rows, place => [place[0], place[1], 4 + place[2]]),
        ]);
    }

    private static OpCase Permute(Shape x, int[] order)
    {
        var y = new Shape(Array.ConvertAll(order, axis => x[axis]));
        return Picked($"permute {x} by {new Shape(order)}", x, y, values => values.Permute(order), place =>
        {
            var source = new int[place.Length];
            for (int i = 0; i < place.Length; i++)
            {
                source[order[i]] = place[i];
            }

            return source;
        });
    }

    private static OpCase Slice(Shape x, int axis, int? start, int? stop, int step)
    {
        // The indices that Python's range would give, by walking.
        int at = x.NormalizeAxis(axis), extent = x[at];
        int first = start is { } s ? (s < 0 ? s + extent : s) : step > 0 ? 0 : extent - 1;
        int end = stop is { } e ? (e < 0 ? e + extent : e) : step > 0 ? extent : -1;
        List<int> indices = [];
        for (int i = first; step > 0 ? i < Math.Min(end, extent) : i > end; i += step)
        {
            indices.Add(i);
        }

        int[] extents = x.ToArray();
        extents[at] = indices.Count;
        return Picked(
            $"slice {x} axis {axis} from {start} to {stop} by {step}", x, new Shape(extents),
            value => value.Slice(axis, start, stop, step), place =>
        {
            int[] source = [.. place];
            source[at] = indices[place[at]];
            return source;
        });
    }

    /// <summary>A case whose output elements are each an element of the input.</summary>
    /// <param name="source">Where in x, from where in y.</param>
    public static OpCase Picked(string name, Shape x, Shape y, Func<Value, Value> build, Func<int[], int[]> source) => new(
        name, [OpInput.Uniform("x", x)], values => build(values[0]), values => RearrangeReference.Pick(values[0], x, y, source))
    {
        Samples = 24,
        ReferenceBackward = (_, dY) => [RearrangeReference.PickBackward(dY, x, y, source)],
    };

    /// <summary>
    /// The parts, each scaled by its number or all but the middle one left out, joined again: some parts then have no gradient.
    /// </summary>
    private static OpCase Split(Shape x, int axis, int[] sizes, bool scale)
    {
        int at = x.NormalizeAxis(axis);
        int[] begins = [.. sizes.Select((_, i) => sizes[..i].Sum())];
        double Factor(int place)
        {
            int part = Array.FindLastIndex(begins, begin => begin <= place);
            return scale ? part + 1 : part == sizes.Length / 2 ? 1 : 0;
        }

        double[] Scaled(double[] values) => [.. values.Select((value, i) => value * Factor(RearrangeReference.Place(x, i)[at]))];
        return new OpCase(
            $"split {x} axis {axis} into {new Shape(sizes)}{(scale ? "" : ", one part used")}", [OpInput.Uniform("x", x)],
            values =>
        {
            Value[] parts = values[0].Split(axis, sizes);
            Value Constant(int i, float number) =>
                values[0].Graph.Constant(Enumerable.Repeat(number, (int)parts[i].Shape.Count).ToArray(), parts[i].Shape);
            return Operators.Concat(
                axis,
                [
                    .. parts.Select(
                        (part, i) => scale ? part * Constant(i, i + 1) : i == sizes.Length / 2 ? part : Constant(i, 0))]);
        }, values => Scaled(values[0]))
        {
            ReferenceBackward = (_, dY) => [Scaled(dY)],
        };
    }

    private static OpCase Stack(Shape x, int axis, int count)
    {
        int at = axis < 0 ? axis + x.Rank + 1 : axis;
        var y = new Shape([.. x[..at], count, .. x[at..]]);
        int[] Rest(int[] place) => [.. place[..at], .. place[(at + 1)..]];
        return new OpCase(
            $"stack {count} of {x} axis {axis}", [.. Enumerable.Range(0, count).Select(i => OpInput.Uniform($"x{i}", x))],
            values => ShapeOperators.Stack(axis, values),
            values => [.. Enumerable.Range(0, (int)y.Count).Select(i =>
            {
                int[] place = RearrangeReference.Place(y, i);
                return values[place[at]][RearrangeReference.Index(x, Rest(place))];
            })])
        {
            ReferenceBackward = (_, dY) =>
            {
                var gradients = new double[count][];
                for (int k = 0; k < count; k++)
                {
                    gradients[k] = new double[x.Count];
                }

                for (int i = 0; i < dY.Length; i++)
                {
                    int[] place = RearrangeReference.Place(y, i);
                    gradients[place[at]][RearrangeReference.Index(x, Rest(place))] = dY[i];
                }

                return gradients;
            },
        };
    }
}
