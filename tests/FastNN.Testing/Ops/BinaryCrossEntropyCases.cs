using FastNN.Ops;

namespace FastNN.Testing;

internal sealed class BinaryCrossEntropyCases : IOpCases
{
    public static IEnumerable<OpCase> Cases
    {
        get
        {
            foreach (Reduction reduction in Enum.GetValues<Reduction>())
            {
                foreach (bool logits in new[] { false, true })
                {
                    yield return Case(logits, reduction, new Shape(13, 7));
                    yield return Case(logits, reduction, new Shape(33, 1), weight: true);
                    yield return Case(logits, reduction, new Shape(129));
                }

                yield return Case(true, reduction, new Shape(17, 31), positive: true);
                yield return Case(true, reduction, new Shape(3, 5, 7), weight: true, positive: true);
            }

            foreach (int size in new[] { 1, 3, 7, 13, 17, 31, 33, 129, 70001 })
            {
                yield return Case(false, Reduction.Mean, new Shape(size, 1));
                yield return Case(true, Reduction.Mean, new Shape(size, 1));
            }

            yield return Case(true, Reduction.Sum, new Shape(8, 4), range: 60);
        }
    }

    private static OpCase Case(bool logits, Reduction reduction, Shape x, bool weight = false, bool positive = false, double range = 4)
    {
        List<OpInput> inputs =
        [
            logits ? OpInput.Uniform("x", x, -range, range) : OpInput.Uniform("x", x, 0.02, 0.98),
            OpInput.Uniform("targets", x, 0, 1).Constant(),
        ];
        if (weight)
        {
            inputs.Add(OpInput.Uniform("weight", x, 0.2, 2).Constant());
        }

        if (positive)
        {
            inputs.Add(OpInput.Uniform("positive", new Shape(x[-1]), 0.2, 3).Constant());
        }

        double[] Each(double[][] values, Func<bool, double, double, double, double, double> f) => [.. values[0].Select((value, i) =>
            f(logits, value, values[1][i], weight ? values[2][i] : 1, positive ? values[^1][i % x[-1]] : 1))];

        return new OpCase(
            $"{(logits ? "logits" : "probabilities")} {reduction} {x}{(weight ? " weight" : "")}{(positive ? " positive" : "")}{(range == 4 ? "" : " large")}",
            [.. inputs], values => values[0].Graph.Add(new BinaryCrossEntropyOp(logits, reduction, weight, positive), values),
            values => Reduce.Forward(reduction, Each(values, BinaryCrossEntropyReference.Loss)))
        {
            Tolerance = 1e-5,
            Samples = x.Count > 10_000 ? 4 : 48,
            ReferenceBackward = (values, dY) => [Reduce.Backward(reduction, Each(values, BinaryCrossEntropyReference.Slope), dY), null, null, null],
        };
    }
}
