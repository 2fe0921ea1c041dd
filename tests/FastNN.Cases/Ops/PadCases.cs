namespace FastNN.Testing;

internal sealed class PadCases : IOpCases
{
    public static IEnumerable<OpCase> Cases
    {
        get
        {
            foreach ((int[] extents, int[] pads) in new (int[], int[])[]
            {
                ([3], [1, 2]), ([7], [-2, 3]), ([7], [3, -2]), ([13, 5], [2, 1, 3, 4]), ([2, 3, 6], [1, 2]),
                ([2, 5, 7, 3], [0, 0, 1, 2, 2, 1]),
                ([2, 7, 8, 4], [0, 0, 1, 1, 1, 1]), ([3, 5, 16], [0, 0, 4, 3]), ([3, 9, 33], [0, 0, 2, 2]),
                ([5, 4, 3], [1, 1, 0, 2, 1, 0]),
                ([31, 17], [5, 0]), ([5, 129], [0, 0, -1, 1]), ([3, 4, 5], [-1, -1, 2, -3]),
                ([2, 2, 2, 2, 2, 3, 3, 2], [0, 1, 1, 1, -1, 0]),
                ([4, 3], [1, 1, -4, 0]), ([1, 5], [2, 0]),
            })
            {
                yield return Case(new Shape(extents), pads, PadMode.Constant);
                foreach (PadMode mode in new[] { PadMode.Reflect, PadMode.Replicate, PadMode.Circular })
                {
                    if (Fits(extents, pads, mode))
                    {
                        yield return Case(new Shape(extents), pads, mode);
                    }
                }
            }

            foreach ((int[] extents, int[] pads) in new (int[], int[])[]
            {
                ([1], [7, 5]), ([3, 1, 5], [0, 0, 2, 3]), ([2, 3], [9, 8, 4, 0]),
            })
            {
                yield return Case(new Shape(extents), pads, PadMode.Replicate);
            }

            foreach (DType type in new[] { DType.Bool, DType.Float16, DType.Int32, DType.Int64, DType.UInt8 })
            {
                yield return Typed(type, 3);
                yield return Typed(type, 16);
            }
        }
    }

    private static bool Fits(int[] extents, int[] pads, PadMode mode)
    {
        for (int i = 0; i < pads.Length; i++)
        {
            int extent = extents[^((i / 2) + 1)];
            if (mode != PadMode.Replicate && pads[i] > (mode == PadMode.Reflect ? extent - 1 : extent))
            {
                return false;
            }
        }

        return true;
    }

    private static (Shape Y, int[] Sources) Padded(Shape x, int[] pads, PadMode mode)
    {
        int[] extents = x.ToArray(), before = new int[x.Rank];
        for (int i = 0; i < pads.Length; i++)
        {
            extents[^((i / 2) + 1)] += pads[i];
            before[^((i / 2) + 1)] = i % 2 == 0 ? pads[i] : before[^((i / 2) + 1)];
        }

        var y = new Shape(extents);
        return (y, PadReference.Sources(mode, x, y, before));
    }

    private static OpCase Case(Shape x, int[] pads, PadMode mode)
    {
        (Shape _, int[] sources) = Padded(x, pads, mode);
        return new OpCase(
            $"{mode} {x} by [{string.Join(", ", pads)}]", [OpInput.Uniform("x", x)],
            values => values[0].Pad(pads, mode, mode == PadMode.Constant ? 0.5f : 0),
            values => Array.ConvertAll(sources, source => source < 0 ? 0.5 : values[0][source]))
        {
            Samples = 24,
            ReferenceBackward = (_, dY) =>
            {
                var dX = new double[x.Count];
                for (int i = 0; i < dY.Length; i++)
                {
                    if (sources[i] >= 0)
                    {
                        dX[sources[i]] += dY[i];
                    }
                }

                return [dX];
            },
        };
    }

    /// <summary>What only moves has any type; 1 is one of each.</summary>
    private static OpCase Typed(DType type, int channels)
    {
        Shape x = new(2, 5, channels);
        (Shape y, int[] sources) = Padded(x, [0, 0, 2, 3], PadMode.Constant);
        (Shape _, int[] mirrored) = Padded(x, [0, 0, 2, 3], PadMode.Reflect);
        return new OpCase(
            $"{channels} of {type}", [OpInput.Integers("x", x, 0, 1, type)],
            values => Operators.Concat(
                0, values[0].Pad([0, 0, 2, 3], PadMode.Constant, 1).Cast(DType.Float32),
                values[0].Pad([0, 0, 2, 3], PadMode.Reflect).Cast(DType.Float32)),
            values =>
            [
                .. sources.Select(source => source < 0 ? 1 : values[0][source]),
                .. mirrored.Select(source => values[0][source])]);
    }
}
