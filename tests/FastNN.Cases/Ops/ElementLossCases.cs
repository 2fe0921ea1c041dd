using FastNN.Functions;
using FastNN.Ops;

namespace FastNN.Testing;

/// <summary>Every loss of single elements in the table, at odd sizes, over the places that its row names.</summary>
internal sealed class ElementLossCases : IOpCases
{
    public static IEnumerable<OpCase> Cases
    {
        get
        {
            foreach (LossFunction loss in FunctionTable.Losses)
            {
                foreach (Reduction reduction in Enum.GetValues<Reduction>())
                {
                    yield return Case(loss, reduction, new Shape(13, 7));
                    yield return Case(loss, reduction, new Shape(33, 1), weight: true);
                    yield return Case(loss, reduction, new Shape(3, 5, 7));
                    yield return Case(loss, reduction, new Shape(129));
                }

                foreach (int size in new[] { 1, 3, 7, 17, 31, 33 })
                {
                    yield return Case(loss, Reduction.Mean, new Shape(size, 1));
                }

                yield return Case(loss, Reduction.Mean, new Shape(70001, 1));
                yield return Case(loss, Reduction.None, new Shape(2, 16411));
                yield return Case(loss, Reduction.Mean, new Shape(5, 3), perExample: true);
                if (loss.Info.Scalars.Length > 0)
                {
                    yield return Case(loss, Reduction.Sum, new Shape(17, 31), weight: true,
                        scalars: loss.Info.Defaults with { First = 0.4f });
                }
            }

            yield return Case(LossFunction.Of<WeightedLogitLoss>(), Reduction.None, new Shape(3, 5, 7), weight: true);
            yield return Case(LossFunction.Of<LogitLoss>(), Reduction.Sum, new Shape(8, 4), samples: new(-60, 60));
        }
    }

    private static OpCase Case(
        LossFunction loss, Reduction reduction, Shape x, bool weight = false, bool perExample = false, Scalars? scalars = null,
        Samples? samples = null)
    {
        Scalars given = scalars ?? loss.Info.Defaults;
        OpInput targets = loss.Info.Targets switch
        {
            LossTargets.Numbers => OpInput.From("targets", x, new(-3, 3)),
            LossTargets.Probabilities => OpInput.Uniform("targets", x, 0, 1),
            LossTargets.LogProbabilities => OpInput.Uniform("targets", x, -5, 0),
            LossTargets.Counts => OpInput.Integers("targets", x, 0, 6, DType.Float32),
            _ =>
                new OpInput(
                    "targets", x,
                    (random, count) => [.. Enumerable.Range(0, count).Select(_ => random.Next(2) == 0 ? 1.0 : -1.0)]),
        };
        List<OpInput> inputs = [
            OpInput.From("x", x, samples ?? loss.Info.Samples), loss.Info.IsSymmetric ? targets : targets.Constant()];
        if (weight)
        {
            inputs.Add(OpInput.Uniform("weight", x, 0.2, 2).Constant());
        }

        if (loss.TakesPositiveWeight)
        {
            inputs.Add(OpInput.Uniform("positive", new Shape(x[-1]), 0.2, 3).Constant());
        }

        double[] Each(double[][] values, int by, Func<LossFunction, Scalars, double, double, double, double> f) =>
            [.. values[by].Select((value, i) =>
            (weight ? values[2][i] : 1) * f(
                loss, given, value, values[1 - by][i], loss.TakesPositiveWeight ? values[^1][i % x[-1]] : 1))];

        // The mean over examples is so many times that over elements.
        double factor = perExample ? x.Count / (double)x[0] : 1;
        double[] Times(double[] values) => Array.ConvertAll(values, value => value * factor);

        string options =
            $"{(weight ? " weight" : "")}{(perExample ? " per example" : "")}{(scalars is null ? "" : " parameters")}{(samples is null ? "" : " large")}";
        return new OpCase(
            $"{loss.TextName} {reduction} {x}{options}", [.. inputs],
            values => values[0].Graph.Add(new ElementLossOp(loss, given, reduction, perExample, weight), values),
            values => Times(Reduce.Forward(reduction, Each(values, 0, ElementLossReference.Value))))
        {
            Tolerance = 1e-5,
            Samples = x.Count > 10_000 ? 4 : 48,
            ReferenceBackward = (values, dY) =>
            [
                Times(Reduce.Backward(reduction, Each(values, 0, ElementLossReference.Slope), dY)),
                loss.Info.IsSymmetric ? Times(Reduce.Backward(reduction, Each(values, 1, ElementLossReference.Slope), dY)) : null,
                null, null,
            ],
        };
    }
}
