namespace FastNN.Testing;

/// <summary>Losses of several values, which are compositions of other operators.</summary>
internal sealed class ComposedLossCases : IOpCases
{
    private static readonly (int Rows, int Width)[] Sizes = [(1, 1), (3, 7), (13, 17), (33, 31), (129, 3)];

    public static IEnumerable<OpCase> Cases
    {
        get
        {
            foreach ((int rows, int width) in Sizes)
            {
                var shape = new Shape(rows, width);
                foreach (Reduction reduction in Enum.GetValues<Reduction>())
                {
                    yield return Ranking(shape, reduction);
                    yield return Cosine(shape, reduction);
                    yield return Triplet(shape, reduction, p: 2, swap: false);
                    yield return Gaussian(shape, reduction, repeated: false, full: false);
                    yield return MultiMargin(shape, reduction, p: 1, weights: false);
                    yield return InfoNce(shape, reduction, symmetric: false);
                    yield return Dice(shape, reduction, fromLogits: false);
                }

                yield return Triplet(shape, Reduction.Mean, p: 2, swap: true);
                yield return Triplet(shape, Reduction.Sum, p: 1, swap: false);
                yield return Triplet(shape, Reduction.Mean, p: 3, swap: false);
                yield return Gaussian(shape, Reduction.Sum, repeated: true, full: true);
                yield return MultiMargin(shape, Reduction.Mean, p: 2, weights: true);
                yield return InfoNce(shape, Reduction.Mean, symmetric: true);
                yield return Weighted(shape, fromLogits: false);
                yield return Weighted(shape, fromLogits: true);
            }

            yield return Dice(new Shape(3, 5, 7, 2), Reduction.None, fromLogits: true);
            yield return Dice(new Shape(2, 13, 1), Reduction.Mean, fromLogits: true);
        }
    }

    private static OpInput Signs(Shape shape) => new OpInput(
        "target", shape, (random, count) => [.. Enumerable.Range(0, count).Select(_ => random.Next(2) == 0 ? 1.0 : -1.0)])
        .Constant();

    // Differences are below the margin, and so away from the kink.
    private static OpCase Ranking(Shape shape, Reduction reduction) => new(
        $"margin ranking {reduction} {shape}",
        [OpInput.Uniform("x0", shape, 0, 0.9), OpInput.Uniform("x1", shape, 0, 0.9), Signs(shape)],
        values => values[0].MarginRankingLoss(values[1], values[2], 1, reduction),
        values => Reduce.Forward(
            reduction, [.. values[0].Select((x, i) => Math.Max(0, 1 - (values[2][i] * (x - values[1][i]))))]));

    private static OpCase Cosine(Shape shape, Reduction reduction) => new(
        $"cosine embedding {reduction} {shape}",
        [OpInput.Uniform("x0", shape, 0.1), OpInput.Uniform("x1", shape, 0.1), Signs(new Shape(shape[0]))],
        values => values[0].CosineEmbeddingLoss(values[1], values[2], -1, reduction),
        values => Reduce.Forward(reduction, [.. Enumerable.Range(0, shape[0]).Select(row => ComposedLossReference.CosineEmbedding(
            ComposedLossReference.Row(values[0], shape[0], row), ComposedLossReference.Row(values[1], shape[0], row),
            values[2][row], -1))]))
    {
        Tolerance = 1e-5,
    };

    // A margin that no distance exceeds, and a negative that is nearer to the positive or clearly not, keep away from kinks.
    private static OpCase Triplet(Shape shape, Reduction reduction, float p, bool swap) => new(
        $"triplet {reduction} {shape} p {p}{(swap ? " swap" : "")}",
        [
            OpInput.Uniform("anchor", shape, 0, 0.5), OpInput.Uniform("positive", shape, 2, 2.5),
            OpInput.Uniform("negative", shape, swap ? 3 : -2, swap ? 3.5 : -1),
        ],
        values => values[0].TripletMarginLoss(values[1], values[2], 99, p, swap, reduction: reduction),
        values => Reduce.Forward(reduction, ComposedLossReference.Rows(
            shape[0], values, rows => ComposedLossReference.Triplet(rows[0], rows[1], rows[2], 99, p, swap))))
    {
        Tolerance = 2e-5,
    };

    private static OpCase Gaussian(Shape shape, Reduction reduction, bool repeated, bool full) => new(
        $"Gaussian {reduction} {shape}{(repeated ? " one variance per column" : "")}{(full ? " full" : "")}",
        [
            OpInput.Uniform("mean", shape), OpInput.Uniform("target", shape),
            OpInput.Uniform("variance", repeated ? new Shape(shape[1]) : shape, 0.3, 2),
        ],
        values => values[0].GaussianLoss(values[1], values[2], full, reduction: reduction),
        values => Reduce.Forward(reduction, [.. values[0].Select((x, i) => ComposedLossReference.Gaussian(
            x, values[1][i], values[2][repeated ? i % shape[1] : i], full))]))
    {
        Tolerance = 2e-5,
    };

    // Scores apart by less than the margin: all terms are on one side of the kink.
    private static OpCase MultiMargin(Shape shape, Reduction reduction, int p, bool weights)
    {
        List<OpInput> inputs = [
            OpInput.Uniform("x", shape, 0, 0.9), OpInput.Classes("target", new Shape(shape[0]), shape[1])];
        if (weights)
        {
            inputs.Add(OpInput.Uniform("weights", new Shape(shape[1]), 0.5, 2));
        }

        return new OpCase(
            $"multi-margin {reduction} {shape} p {p}{(weights ? " weights" : "")}", [.. inputs],
            values => values[0].MultiMarginLoss(values[1], 1, p, values.ElementAtOrDefault(2), reduction),
            values => Reduce.Forward(reduction, [.. Enumerable.Range(0, shape[0]).Select(row => ComposedLossReference.MultiMargin(
                ComposedLossReference.Row(values[0], shape[0], row), (int)values[1][row], 1, p,
                weights ? values[2][(int)values[1][row]] : 1))]))
        {
            Tolerance = 2e-5,
        };
    }

    private static OpCase InfoNce(Shape shape, Reduction reduction, bool symmetric) => new(
        $"InfoNCE {reduction} {shape}{(symmetric ? " symmetric" : "")}",
        [OpInput.Uniform("queries", shape, 0.1), OpInput.Uniform("keys", shape, 0.1)],
        values => values[0].InfoNCELoss(values[1], 0.5f, symmetric, reduction),
        values => Reduce.Forward(
            reduction, ComposedLossReference.InfoNce(values[0], values[1], shape[0], 0.5, symmetric)))
    {
        Tolerance = 5e-5,
        Samples = 8,
    };

    private static OpCase Dice(Shape shape, Reduction reduction, bool fromLogits) => new(
        $"Dice {reduction} {shape}{(fromLogits ? " logits" : "")}",
        [
            OpInput.Uniform("x", shape, fromLogits ? -3 : 0.05, fromLogits ? 3 : 0.95),
            OpInput.Uniform("target", shape, 0, 1).Constant(),
        ],
        values => values[0].DiceLoss(values[1], fromLogits, reduction: reduction),
        values => Reduce.Forward(reduction, ComposedLossReference.Dice(values[0], values[1], shape, fromLogits, 1e-5)))
    {
        Tolerance = 1e-5,
    };

    /// <summary>Binary cross-entropy with a weight for each column.</summary>
    private static OpCase Weighted(Shape shape, bool fromLogits)
    {
        double Loss(double x, double t)
        {
            double p = fromLogits ? 1 / (1 + Math.Exp(-x)) : x;
            return -((t * Math.Log(p)) + ((1 - t) * Math.Log(1 - p)));
        }

        return new OpCase(
            $"binary cross-entropy with weights of columns {shape}{(fromLogits ? " logits" : "")}",
            [
                OpInput.Uniform("x", shape, fromLogits ? -3 : 0.05, fromLogits ? 3 : 0.95),
                OpInput.Uniform("target", shape, 0, 1).Constant(),
                OpInput.Uniform("weight", new Shape(shape[1]), 0.5, 2).Constant(),
            ],
            values => values[0].BinaryCrossEntropyLoss(values[1], values[2], fromLogits: fromLogits),
            values => [values[0].Select((x, i) => values[2][i % shape[1]] * Loss(x, values[1][i])).Average()])
        {
            Tolerance = 1e-5,
        };
    }
}
