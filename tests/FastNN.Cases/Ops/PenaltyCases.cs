using FastNN.Ops;

namespace FastNN.Testing;

internal sealed class PenaltyCases : IOpCases
{
    public static IEnumerable<OpCase> Cases =>
        from factors in new (float L1, float L2)[] { (0.01f, 0), (0, 0.02f), (0.3f, 0.7f) }
        from shape in new Shape[] { new(1), new(3), new(7, 13), new(17, 31), new(33), new(3, 3, 7, 129), new(70001) }
        select Case(factors.L1, factors.L2, shape);

    private static OpCase Case(float l1, float l2, Shape x) => new(
        $"l1 {l1} l2 {l2} {x}", [OpInput.AwayFromZero("x", x)], values => values[0].Graph.Add(new PenaltyOp(l1, l2), values),
        values => [PenaltyReference.Forward(values[0], l1, l2)])
    {
        Samples = x.Count > 10_000 ? 4 : 48,
        ReferenceBackward = (values, dY) => [Array.ConvertAll(values[0], value => dY[0] * PenaltyReference.Slope(value, l1, l2))],
    };
}
