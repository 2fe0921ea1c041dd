namespace FastNN.Testing;

internal sealed class ClipCases : IOpCases
{
    public static IEnumerable<OpCase> Cases =>
        from shape in new Shape[] { new(1), new(3), new(7, 13), new(17), new(31, 33), new(129), new(70001) }
        select Case(-0.5f, 0.75f, shape);

    private static OpCase Case(float low, float high, Shape shape) => new(
        $"{low} to {high} {shape}", [OpInput.Uniform("x", shape)], values => values[0].Clip(low, high),
        values => Array.ConvertAll(values[0], x => ClipReference.Value(x, low, high)))
    {
        Samples = shape.Count > 10_000 ? 4 : 48,
        ReferenceBackward = (values, dY) => [
            [.. values[0].Zip(dY, (x, upstream) => upstream * ClipReference.Slope(x, low, high))]],
    };
}
