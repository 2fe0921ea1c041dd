namespace FastNN.Testing;

/// <summary>An operator written by a user, with kernels of its own, in all modes that the built-in ones are tested in.</summary>
internal sealed class CustomCases : IOpCases
{
    public static IEnumerable<OpCase> Cases =>
        from shape in new Shape[] { new(1), new(3), new(7, 13), new(17), new(31, 33), new(129) }
        select Case(0.75f, shape);

    private static OpCase Case(float scale, Shape shape) => new(
        $"softsign {scale} {shape}", [OpInput.AwayFromZero("x", shape)],
        values => new ScaledSoftsign(scale, withKernels: true).Apply(values[0]),
        values => Array.ConvertAll(values[0], x => scale * x / (1 + Math.Abs(x))))
    {
        ReferenceBackward = (values, dY) => [
            [.. values[0].Zip(dY, (x, upstream) => scale * upstream / ((1 + Math.Abs(x)) * (1 + Math.Abs(x))))]],
    };
}
