namespace FastNN.Testing;

internal sealed class RotaryCases : IOpCases
{
    public static IEnumerable<OpCase> Cases =>
    [
        .. from interleaved in new[] { false, true }
           from row in new (int[] X, int TimeAxis, int Offset, int? Rotated)[]
           {
               ([1, 2], -2, 0, null), ([7, 8], -2, 3, null), ([2, 7, 3, 6], -3, 0, null), ([2, 3, 7, 6], -2, 5, null),
               ([3, 33, 5, 34], -3, 0, 2), ([2, 129, 4, 64], -3, 1, 3), ([2, 13, 3, 2], -3, 0, 0),
               ([1, 1, 1, 128], -3, 200, null), ([9, 5, 1, 66], -3, 0, null), ([2, 3, 50, 100], -3, 1, 45),
               ([3, 7, 2, 500], -3, 0, 1), ([3, 5, 2, 506], -3, 0, null), ([9, 2, 1, 1030], -3, 0, null),
               ([2, 2, 1, 2044], -3, 0, null),
           }
           select Case(new Shape(row.X), row.TimeAxis, row.Offset, row.Rotated, interleaved, null),
        Case(new Shape(2, 7, 3, 6), -3, 0, null, false, new Shape(7)),
        Case(new Shape(3, 5, 2, 8), -3, 0, 1, true, new Shape(3, 5)),
        Case(new Shape(3, 2, 5, 8), -2, 0, null, false, new Shape(3, 5)),
        Case(new Shape(4, 3, 19, 34), -2, 0, null, true, new Shape(4, 19)),
    ];

    private static OpCase Case(Shape x, int timeAxis, int offset, int? rotated, bool interleaved, Shape? positions)
    {
        const int Most = 300;
        int time = x.Rank + timeAxis;
        var axes = ((int)x.Product(0, time), x[time], (int)x.Product(time + 1, x.Rank - 1), x[-1]);
        OpInput[] inputs = positions is { } places
            ? [OpInput.Uniform("x", x), OpInput.Integers("positions", places, 0, Most - 1, DType.Int32)]
            : [OpInput.Uniform("x", x)];
        double[] Rotate(double[][] values, double[] given, int turn)
        {
            int perExample = positions is { Rank: 2 } ? axes.Item1 / x[0] : int.MaxValue;
            return RotaryReference.Rotate(
                given, axes,
                (outer, at) => positions is null ? at + offset : (int)values[1][(outer / perExample * x[time]) + at], 10_000,
                interleaved, rotated ?? axes.Item3, turn);
        }

        string words = $"{x} axis {timeAxis} from {offset}{(rotated is null ? "" : $", {rotated} rows")}"
            + $"{(interleaved ? ", neighbors" : "")}{(positions is { } given ? $", positions {given}" : "")}";
        return new OpCase(
            words, inputs,
            values => values[0].Rotary(
                Most, timeAxis, interleaved: interleaved, positions: values.ElementAtOrDefault(1), offset: offset,
                rotated: rotated),
            values => Rotate(values, values[0], 1))
        {
            Samples = 8,
            ReferenceBackward = (values, dY) => [Rotate(values, dY, -1), .. new double[]?[values.Length - 1]],
        };
    }
}
