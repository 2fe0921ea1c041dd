using FastNN.Kernels;
using FastNN.Ops;

namespace FastNN.Testing;

internal sealed class CrossEntropyCases : IOpCases
{
    public static IEnumerable<OpCase> Cases
    {
        get
        {
            foreach (CrossEntropyInput input in Enum.GetValues<CrossEntropyInput>())
            {
                foreach (Reduction reduction in Enum.GetValues<Reduction>())
                {
                    foreach (bool indices in new[] { true, false })
                    {
                        yield return Case(new CrossEntropyOptions(input, reduction), indices, new Shape(7, 10));
                        yield return Case(new CrossEntropyOptions(input, reduction), indices, new Shape(13, 17), weights: true);
                    }

                    yield return Case(
                        new CrossEntropyOptions(input, reduction, IgnoreIndex: 2), indices: true, new Shape(13, 7),
                        weights: true);
                    yield return Case(new CrossEntropyOptions(input, reduction), indices: true, new Shape(13, 5), ignored: -100);
                }
            }

            foreach (Reduction reduction in Enum.GetValues<Reduction>())
            {
                var smooth = new CrossEntropyOptions(CrossEntropyInput.Logits, reduction, LabelSmoothing: 0.1f);
                yield return Case(smooth, indices: true, new Shape(7, 10));
                yield return Case(smooth, indices: false, new Shape(7, 10));
                yield return Case(smooth, indices: true, new Shape(31, 13), weights: true, ignored: -100);
                yield return Case(smooth, indices: false, new Shape(3, 13), weights: true);
                yield return Case(smooth with { LabelSmoothing = 1 }, indices: true, new Shape(3, 7));
            }

            var plain = new CrossEntropyOptions(CrossEntropyInput.Logits, Reduction.Mean);
            foreach (int classes in new[] { 1, 2, 3, 7, 13, 17, 31, 33, 129 })
            {
                yield return Case(plain, indices: true, new Shape(33, classes));
                yield return Case(plain, indices: false, new Shape(3, classes));
            }

            yield return Case(plain, indices: true, new Shape(1, 10));
            yield return Case(plain, indices: true, new Shape(10));
            yield return Case(plain, indices: true, new Shape(2, 3, 5, 7), weights: true);
            yield return Case(plain, indices: true, new Shape(1031, 67), ignored: -100);
            yield return Case(plain, indices: true, new Shape(5, 6), range: 300);
        }
    }

    internal static OpCase Case(
        CrossEntropyOptions options, bool indices, Shape x, bool weights = false, int? ignored = null, double range = 3)
    {
        int classes = x[-1];
        var rows = new Shape(x.ToArray().AsSpan(..^1));
        List<OpInput> inputs =
        [
            options.Input switch
            {
                CrossEntropyInput.Logits => OpInput.Uniform("x", x, -range, range),
                CrossEntropyInput.LogProbabilities => OpInput.Uniform("x", x, -3, -0.1),
                _ => OpInput.Uniform("x", x, 0.05, 0.95),
            },
            indices ? OpInput.Classes("targets", rows, classes, ignored) : OpInput.Probabilities("targets", x).Constant(),
        ];
        if (weights)
        {
            inputs.Add(OpInput.Uniform("weights", new Shape(classes), 0.2, 2).Constant());
        }

        (double[] Loss, double[] Gradient) Run(double[][] values, double[]? dLoss)
        {
            var loss = new double[options.Reduction == Reduction.None ? rows.Count : 1];
            var gradient = new double[values[0].Length];
            CrossEntropyReference.Run(
                options, values[0], classes, indices ? Array.ConvertAll(values[1], value => (int)value) : [],
                indices ? [] : values[1],
                weights ? values[2] : [], loss, dLoss ?? new double[loss.Length], gradient);
            return (loss, gradient);
        }

        string name =
            $"{options.Input} {options.Reduction} {(indices ? "indices" : "probabilities")} {x}{(weights ? " weights" : "")}" +
            $"{(ignored is null && options.IgnoreIndex == -100 ? "" : " ignore")}{(options.LabelSmoothing == 0 ? "" : $" smoothing {options.LabelSmoothing}")}" +
            $"{(range == 3 ? "" : " large")}";
        return new OpCase(
            name, [.. inputs], values => values[0].Graph.Add(new CrossEntropyOp(options), values),
            values => Run(values, null).Loss)
        {
            ReferenceBackward = (values, dY) => [Run(values, dY).Gradient, null, null],
        };
    }
}
