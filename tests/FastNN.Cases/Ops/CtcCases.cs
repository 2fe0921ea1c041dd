namespace FastNN.Testing;

internal sealed class CtcCases : IOpCases
{
    public static IEnumerable<OpCase> Cases
    {
        get
        {
            foreach (Reduction reduction in Enum.GetValues<Reduction>())
            {
                yield return Case(new(1, 1, 2), 1, reduction);
                yield return Case(new(3, 2, 3), 1, reduction);
                yield return Case(new(7, 3, 5), 3, reduction);
                yield return Case(new(17, 3, 7), 7, reduction, blank: 6);
            }

            yield return Case(new(13, 2, 31), 5, Reduction.Mean, blank: 3);
            yield return Case(new(33, 3, 3), 13, Reduction.Mean);
            yield return Case(new(31, 7, 4), 9, Reduction.None, least: 0);
            yield return Case(new(129, 2, 17), 33, Reduction.Sum);
            yield return Case(new(300, 1, 5), 140, Reduction.Sum);

            // Targets that do not fit into their inputs.
            yield return Case(new(5, 7, 4), 5, Reduction.None, least: 0, zeroInfinity: true);
            yield return Case(new(5, 13, 4), 5, Reduction.Mean, least: 0, zeroInfinity: true);
        }
    }

    /// <param name="x">Steps, batch, classes.</param>
    /// <param name="least">The least steps of an example; default those that any target of its length fits into.</param>
    private static OpCase Case(
        Shape x, int longest, Reduction reduction, int blank = 0, int? least = null, bool zeroInfinity = false)
    {
        (int steps, int batch, int classes) = (x[0], x[1], x[2]);
        int mostLabels = least is null ? Math.Min(longest, (steps + 1) / 2) : longest;
        double[] Labels(Random random, int count) =>
            [.. Enumerable.Range(0, count).Select(_ => (double)((blank + 1 + random.Next(classes - 1)) % classes))];
        return new OpCase(
            $"{reduction} {x} by {longest} blank {blank}{(least is null ? "" : " short")}{(zeroInfinity ? " zero infinity" : "")}",
            [
                OpInput.Uniform("x", x, -3, 0),
                new OpInput("targets", new Shape(batch, longest), Labels) { Type = DType.Int32, IsDifferentiable = false },
                OpInput.Integers("inputLengths", new Shape(batch), least ?? steps, steps, DType.Int32),
                OpInput.Integers("targetLengths", new Shape(batch), 0, least is null || zeroInfinity ? mostLabels : 0,
                    DType.Int32),
            ],
            values => values[0].CtcLoss(values[1], values[2], values[3], blank, zeroInfinity, reduction),
            values => CtcReference.Forward(
                values[0], (steps, batch, classes), values[1], values[2], values[3], blank, reduction, zeroInfinity))
        {
            Tolerance = 2e-6 * (steps + 20),
            Samples = 24,
        };
    }
}
