using FastNN.Ops;

namespace FastNN.Testing;

internal sealed class MeanSquaredErrorCases : IOpCases
{
    public static IEnumerable<OpCase> Cases =>
        from reduction in Enum.GetValues<Reduction>()
        from shape in new Shape[] { new(1), new(3, 1), new(7), new(13, 17), new(31), new(2, 3, 5, 7), new(33, 129), new(70001) }
        select Case(reduction, shape);

    private static OpCase Case(Reduction reduction, Shape x)
    {
        static double[] Each(double[][] values, Func<double, double, double> f) => [.. values[0].Zip(values[1], f)];

        return new OpCase(
            $"{reduction} {x}", [OpInput.Uniform("x", x), OpInput.Uniform("targets", x).Constant()],
            values => values[0].Graph.Add(new MeanSquaredErrorOp(reduction), values),
            values => Reduce.Forward(reduction, Each(values, MeanSquaredErrorReference.Loss)))
        {
            Samples = x.Count > 10_000 ? 4 : 48,
            ReferenceBackward = (values, dY) => [Reduce.Backward(reduction, Each(values, MeanSquaredErrorReference.Slope), dY), null],
        };
    }
}
