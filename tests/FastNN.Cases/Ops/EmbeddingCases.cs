namespace FastNN.Testing;

internal sealed class EmbeddingCases : IOpCases
{
    public static IEnumerable<OpCase> Cases => Lookups.Concat(Bags).Concat(Lists).Concat(Ties);

    private static IEnumerable<OpCase> Bags =>
        from mode in new[] { EmbeddingBagMode.Sum, EmbeddingBagMode.Mean, EmbeddingBagMode.Max }
        from row in new (int Bags, int Length, int Entries, int Width, int Padding, bool Factors)[]
        {
            (1, 1, 1, 1, -1, false), (3, 7, 31, 5, -1, false), (17, 5, 13, 33, -1, false), (13, 2, 3, 7, 1, false),
            (5, 4, 7, 3, 0, false), (7, 3, 5, 13, -1, true), (7, 3, 3, 13, 2, true),
        }
        where !row.Factors || mode == EmbeddingBagMode.Sum
        select Bag(mode, row.Bags, row.Length, row.Entries, row.Width, row.Padding, row.Factors);

    /// <summary>Bags of all lengths, empty ones in front, between and at the end.</summary>
    private static IEnumerable<OpCase> Lists =>
        from row in new (int[] Offsets, int Places, int Entries, int Width, int Padding, bool Factors)[]
        {
            ([0], 1, 1, 1, -1, false), ([0, 0], 0, 3, 5, -1, false), ([0, 0, 3, 3, 7], 13, 5, 3, -1, false),
            ([0, 17, 31], 31, 7, 33, -1, true),
            ([0, 2, 4, 5, 9, 9], 9, 3, 7, 1, false), ([0, 33], 129, 13, 5, 0, true),
        }
        from mode in new[] { EmbeddingBagMode.Sum, EmbeddingBagMode.Mean, EmbeddingBagMode.Max }
        where !row.Factors || mode == EmbeddingBagMode.Sum
        select List(mode, row.Offsets, row.Places, row.Entries, row.Width, row.Padding, row.Factors);

    /// <summary>Bags of which all rows, or many, are equal: the first of them has the gradient.</summary>
    private static IEnumerable<OpCase> Ties =>
        from row in new (int[] Offsets, int Places, int Entries, int Width, int Padding, int Levels)[]
        {
            ([0, 7], 13, 5, 3, -1, 1), ([0, 0, 17, 31], 31, 7, 33, -1, 2), ([0, 3, 9, 33, 33], 33, 3, 7, 0, 3),
        }
        select Tied(row.Offsets, row.Places, row.Entries, row.Width, row.Padding, row.Levels);

    private static IEnumerable<OpCase> Lookups =>
        from row in new (int[] Indices, int Entries, int Width, int Padding)[]
        {
            ([9], 40, 300, 5), ([3, 7], 33, 5, -1),
            ([], 3, 5, -1), ([1], 1, 1, -1), ([7], 5, 3, -1), ([3, 13], 17, 33, -1), ([31, 17], 7, 129, -1), ([700], 31, 300, -1),
            ([5, 9], 6, 7, 0), ([33], 4, 8, 3),
            ([1300], 3, 13, -1), ([4200], 1031, 3, 1), ([7, 13], 5, 1100, -1),
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

    private static OpCase Bag(EmbeddingBagMode mode, int bags, int length, int entries, int width, int padding, bool hasFactors)
    {
        OpInput[] inputs = [
            OpInput.Integers("indices", new Shape(bags, length), 0, entries - 1, DType.Int32),
            OpInput.Distinct("weight", new Shape(entries, width)), OpInput.Uniform("factors", new Shape(bags, length))];
        string options = (padding < 0 ? "" : $", padding {padding}") + (hasFactors ? ", factors" : "");
        return new OpCase(
            $"{mode} of {bags} bags of {length} of [{entries}, {width}]{options}", hasFactors ? inputs : inputs[..2],
            values => values[0].EmbeddingBag(values[1], mode, values.ElementAtOrDefault(2), padding),
            values => EmbeddingReference.Bags(
                values[0], values[1], length, width, mode, values.ElementAtOrDefault(2), padding))
        {
            Tolerance = 2e-6 * Math.Sqrt(length * (1 + (bags / (double)entries))),
            Samples = 12,
        };
    }

    private static OpCase List(
        EmbeddingBagMode mode, int[] offsets, int places, int entries, int width, int padding, bool hasFactors)
    {
        OpInput[] inputs = [
            OpInput.Integers("indices", new Shape(places), 0, entries - 1, DType.Int32),
            Starts(offsets),
            mode == EmbeddingBagMode.Max
                ? OpInput.Distinct("weight", new Shape(entries, width))
                : OpInput.Uniform("weight", new Shape(entries, width)),
            OpInput.Uniform("factors", new Shape(places))];
        string options = (padding < 0 ? "" : $", padding {padding}") + (hasFactors ? ", factors" : "");
        return new OpCase(
            $"{mode} of {places} of [{entries}, {width}] from {string.Join(", ", offsets)}{options}",
            hasFactors ? inputs : inputs[..3],
            values => values[0].EmbeddingBag(values[2], values[1], mode, values.ElementAtOrDefault(3), padding),
            values => EmbeddingReference.Bags(
                values[0], values[1], values[2], width, mode, values.ElementAtOrDefault(3), padding))
        {
            Tolerance = 2e-6 * Math.Sqrt(places),
            Samples = 12,
        };
    }

    private static OpCase Tied(int[] offsets, int places, int entries, int width, int padding, int levels) => new(
        $"Max of {places} of [{entries}, {width}] of {levels} numbers from {string.Join(", ", offsets)}, padding {padding}",
        [
            OpInput.Integers("indices", new Shape(places), 0, entries - 1, DType.Int32), Starts(offsets),
            new OpInput(
                "weight", new Shape(entries, width),
                (_, _) => [.. Enumerable.Range(0, entries * width).Select(i => (double)(i / 2 % levels))]),
        ],
        values => values[0].EmbeddingBag(values[2], values[1], EmbeddingBagMode.Max, null, padding),
        values => EmbeddingReference.Bags(values[0], values[1], values[2], width, EmbeddingBagMode.Max, null, padding))
    {
        // Equal rows have no slope that differences could find.
        Samples = 0,
        Tolerance = 2e-6 * Math.Sqrt(places),
        ReferenceBackward = (values, dY) =>
            [null, null, EmbeddingReference.LargestBackward(values[0], values[1], values[2], dY, width, padding)],
    };

    private static OpInput Starts(int[] offsets) => new(
        "offsets", new Shape(offsets.Length), (_, _) => Array.ConvertAll(offsets, offset => (double)offset))
    {
        Type = DType.Int32,
        IsDifferentiable = false,
    };
}
