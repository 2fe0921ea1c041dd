namespace FastNN.Testing;

internal sealed class SoftmaxCases : IOpCases
{
    public static IEnumerable<OpCase> Cases
    {
        get
        {
            foreach (bool logarithm in new[] { false, true })
            {
                foreach (int size in new[] { 1, 3, 7, 13, 17, 31, 33, 129 })
                {
                    yield return Case(logarithm, -1, new Shape(5, size));
                }

                yield return Case(logarithm, 0, new Shape(10));
                yield return Case(logarithm, 0, new Shape(7, 33));
                yield return Case(logarithm, 1, new Shape(3, 10, 17));
                yield return Case(logarithm, 1, new Shape(2, 3, 5, 7));
                yield return Case(logarithm, -2, new Shape(31, 13, 1));
                yield return Case(logarithm, -1, new Shape(1031, 67));
                yield return Case(logarithm, -1, new Shape(4, 10), range: 80);

                // Columns and rows that a block of CUDA keeps in registers, narrow, odd and over several blocks, and longer ones.
                yield return Case(logarithm, 1, new Shape(2, 77, 129));
                yield return Case(logarithm, 1, new Shape(1, 200, 40));
                yield return Case(logarithm, 0, new Shape(331, 31));
                yield return Case(logarithm, 0, new Shape(1031, 7));
                yield return Case(logarithm, -1, new Shape(2, 8231));
            }
        }
    }

    private static OpCase Case(bool logarithm, int axis, Shape shape, double range = 3)
    {
        int at = shape.NormalizeAxis(axis);
        (int outer, int extent, int inner) = ((int)shape.Product(0, at), shape[at], (int)shape.Product(at + 1, shape.Rank));
        return new OpCase(
            $"{(logarithm ? "LogSoftmax" : "Softmax")} axis {axis} {shape}{(range == 3 ? "" : " wide")}",
            [OpInput.Uniform("x", shape, -range, range)],
            values => logarithm ? values[0].LogSoftmax(axis) : values[0].Softmax(axis),
            values => Forward(values[0], outer, extent, inner, logarithm))
        {
            // The logarithm's gradient sums dY over the axis.
            Tolerance = 4e-6 * Math.Max(1, range / 20) * Math.Max(1, Math.Sqrt(extent) / 4),
            ReferenceBackward = (values, dY) =>
            {
                var dX = new double[dY.Length];
                SoftmaxReference.Backward(
                    Forward(values[0], outer, extent, inner, logarithm), dY, dX, outer, extent, inner, logarithm);
                return [dX];
            },
        };
    }

    internal static double[] Forward(double[] x, int outer, int extent, int inner, bool logarithm)
    {
        var y = new double[x.Length];
        SoftmaxReference.Forward(x, y, outer, extent, inner, logarithm);
        return y;
    }
}
