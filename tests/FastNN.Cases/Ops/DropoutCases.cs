using FastNN.Kernels;
using FastNN.Ops;

namespace FastNN.Testing;

internal sealed class DropoutCases : IOpCases
{
    public static IEnumerable<OpCase> Cases
    {
        get
        {
            foreach (int size in new[] { 1, 3, 7, 13, 17, 31, 33, 129, 70001 })
            {
                yield return Case(0.3f, new Shape(size));
            }

            yield return Case(0.5f, new Shape(7, 13, 3), seed: ulong.MaxValue);
            yield return Case(0, new Shape(33));
            yield return Case(0.999f, new Shape(257));
        }
    }

    private static OpCase Case(float rate, Shape x, ulong seed = 7)
    {
        var options = new DropoutOptions(rate, seed, 5);
        double[] factors = new double[x.Count];
        DropoutReference.Factors(options, 0, factors);
        return new OpCase(
            $"{rate} {x}", [OpInput.Uniform("x", x)],
            values => values[0].Graph.Add(new DropoutOp(options), values[0], values[0].Graph.StepCounter),
            values => [.. values[0].Zip(factors, (value, factor) => value * factor)])
        {
            ReferenceBackward = (_, dY) => [[.. dY.Zip(factors, (upstream, factor) => upstream * factor)]],
        };
    }
}
