namespace FastNN.Testing;

internal sealed class EmbeddingCases : IOpCases
{
    public static IEnumerable<OpCase> Cases =>
        from row in new (int[] Indices, int Entries, int Width, int Padding)[]
        {
            ([], 3, 5, -1), ([1], 1, 1, -1), ([7], 5, 3, -1), ([3, 13], 17, 33, -1), ([31, 17], 7, 129, -1), ([700], 31, 300, -1),
            ([5, 9], 6, 7, 0), ([33], 4, 8, 3),
        }
        from type in new[] { DType.Int32, DType.Int64 }
        select Case(new Shape(row.Indices), row.Entries, row.Width, row.Padding, type);

    private static OpCase Case(Shape indices, int entries, int width, int padding, DType type) => new(
        $"{type}{indices} of [{entries}, {width}]{(padding < 0 ? "" : $", padding {padding}")}",
        [OpInput.Integers("indices", indices, 0, entries - 1, type), OpInput.Uniform("weight", new Shape(entries, width))],
        values => values[0].Embedding(values[1], padding), values => EmbeddingReference.Forward(values[0], values[1], width))
    {
        // Differences of the reference know nothing of padding, whose row has no gradient.
        Samples = padding >= 0 ? 0 : 12,
        Tolerance = 2e-6 * Math.Max(1, Math.Sqrt(indices.Count / (double)entries)),
        ReferenceBackward = (values, dY) => [null, EmbeddingReference.Backward(values[0], dY, entries * width, width, padding)],
    };
}
