using FastNN.Kernels;
using FastNN.Ops;

namespace FastNN.Testing;

internal sealed class ScaledDotProductCases : IOpCases
{
    private enum Masks
    {
        None,
        Allowed,
        Added,

        /// <summary>Some queries may see nothing.</summary>
        Forbidding,
    }

    public static IEnumerable<OpCase> Cases =>
        [.. Lengths, .. Widths, .. Masked, .. Grouped, .. Layouts, .. Valid];

    /// <summary>More keys than queries, fewer, one of either, several blocks of each.</summary>
    private static IEnumerable<OpCase> Lengths =>
        from row in new (int Queries, int Keys)[] { (1, 1), (1, 7), (7, 1), (7, 7), (33, 33), (129, 129), (13, 140), (200, 31) }
        from causal in new[] { CausalMask.None, CausalMask.UpperLeft, CausalMask.LowerRight }
        select Case(new Sizes(1, 2, 2, row.Queries, row.Keys, 8, 8), causal);

    private static IEnumerable<OpCase> Widths =>
        from row in new (int Width, int ValueWidth)[] { (1, 1), (3, 3), (8, 17), (17, 8), (64, 64), (70, 3), (3, 131), (33, 64) }
        select Case(new Sizes(2, 1, 1, 13, 17, row.Width, row.ValueWidth), CausalMask.UpperLeft);

    private static IEnumerable<OpCase> Masked =>
        from mask in new[] { Masks.Allowed, Masks.Added, Masks.Forbidding }
        from shape in new int[][] { [2, 3, 33, 31], [33, 31], [2, 1, 1, 31], [3, 33, 1], [1, 3, 1, 31], [1] }
        select Case(new Sizes(2, 3, 3, 33, 31, 7, 5), shape.Length == 2 ? CausalMask.UpperLeft : CausalMask.None, mask, shape);

    private static IEnumerable<OpCase> Grouped =>
        from row in new (int Heads, int KeyHeads)[] { (4, 2), (6, 1), (9, 9) }
        from causal in new[] { CausalMask.None, CausalMask.LowerRight }
        select Case(new Sizes(2, row.Heads, row.KeyHeads, 17, 33, 8, 4), causal);

    private static IEnumerable<OpCase> Layouts =>
    [
        Case(new Sizes(2, 3, 3, 17, 33, 8, 4), CausalMask.None, layout: AttentionLayout.HeadsLast),
        Case(new Sizes(2, 4, 2, 70, 70, 5, 5), CausalMask.UpperLeft, layout: AttentionLayout.HeadsLast),
        Case(new Sizes(2, 3, 3, 33, 33, 8, 8), CausalMask.UpperLeft, layout: AttentionLayout.Packed),
        Case(new Sizes(3, 4, 2, 13, 13, 3, 3), CausalMask.None, layout: AttentionLayout.Packed),
        Case(new Sizes(1, 2, 1, 131, 131, 4, 4), CausalMask.UpperLeft, Masks.Allowed, [131, 131], AttentionLayout.Packed),
        Case(new Sizes(1, 1, 1, 7, 9, 4, 3), CausalMask.None, scale: 0.5f),
        Case(new Sizes(1, 1, 1, 7, 9, 4, 3), CausalMask.None, scale: -2),
        Case(new Sizes(1, 1, 1, 7, 9, 4, 3), CausalMask.None, scale: 40),
        OneValue(),

        // More heads than one launch of CUDA takes for all gradients.
        Case(new Sizes(30, 9, 9, 3, 5, 2, 2), CausalMask.LowerRight),
        Case(new Sizes(30, 10, 5, 3, 3, 2, 2), CausalMask.UpperLeft, layout: AttentionLayout.Packed),
    ];

    /// <summary>Buffers of which a part is filled.</summary>
    private static IEnumerable<OpCase> Valid =>
        from row in new (int Queries, int[] Lengths)[] { (3, [5, 0, 33]), (1, [33, 1, 7]), (33, [20]) }
        from causal in new[] { CausalMask.None, CausalMask.LowerRight }
        select Case(new Sizes(3, 2, 2, row.Queries, 33, 8, 8), causal, lengths: row.Lengths);

    private static OpCase Case(
        Sizes sizes, CausalMask causal, Masks masks = Masks.None, int[]? mask = null,
        AttentionLayout layout = AttentionLayout.HeadsFirst, float? scale = null, int[]? lengths = null)
    {
        var op = new ScaledDotProductOp(
            layout, layout == AttentionLayout.Packed ? sizes.Heads : 0, layout == AttentionLayout.Packed ? sizes.KeyHeads : 0,
            scale, causal, mask is not null, lengths is not null);
        OpInput[] inputs = [.. Operands(sizes, layout)];
        int operands = inputs.Length;
        inputs = mask is null ? inputs : [.. inputs, Mask(new Shape(mask), masks)];
        inputs = lengths is null ? inputs : [.. inputs, Fixed(lengths)];
        TensorType[] types = Array.ConvertAll(inputs, input => new TensorType(input.Shape, input.Type));
        var geometry = (AttentionGeometry)op.Bind(types, op.Infer(types))!;
        ScaledDotProductReference Reference(double[][] values) => new(
            geometry, values[0], values[Math.Min(1, operands - 1)], values[operands - 1], mask is null ? null : values[operands])
        {
            Lengths = lengths,
        };
        string words = $"{sizes} {causal}{(mask is null ? "" : $" {masks} {new Shape(mask)}")}"
            + $"{(layout == AttentionLayout.HeadsFirst ? "" : $" {layout}")}{(scale is null ? "" : $" scale {scale}")}"
            + (lengths is null ? "" : $" lengths {string.Join(" ", lengths)}");
        return new OpCase(words, inputs, values => values[0].Graph.Add(op, values), values => Reference(values).Forward())
        {
            Samples = geometry.Work > 100_000 ? 2 : 12,
            Tolerance = Math.Max(1, Math.Abs(geometry.Scale)) * 2e-6
                * Math.Sqrt(Math.Max(Math.Max(sizes.Width, sizes.ValueWidth), Math.Max(sizes.Queries, sizes.Keys))),
            ReferenceBackward = (values, dY) =>
            {
                double[][] gradients = [.. values[..operands].Select(value => new double[value.Length])];
                Reference(values).Backward(
                    dY, gradients[0], gradients[Math.Min(1, operands - 1)], gradients[operands - 1]);
                return [.. gradients, .. new double[]?[values.Length - operands]];
            },
        };
    }

    /// <summary>Queries, keys and values are one value, whose gradient is the sum of three.</summary>
    private static OpCase OneValue()
    {
        OpCase apart = Case(new Sizes(2, 3, 3, 33, 33, 8, 8), CausalMask.UpperLeft);
        return new OpCase(
            "one value thrice", [apart.Inputs[0]],
            values => values[0].ScaledDotProductAttention(values[0], values[0], causal: CausalMask.UpperLeft),
            values => apart.Reference([values[0], values[0], values[0]]))
        {
            Samples = 4,
            Tolerance = 2e-5,
            ReferenceBackward = (values, dY) =>
            {
                double[]?[] gradients = apart.ReferenceBackward!([values[0], values[0], values[0]], dY);
                return [[.. gradients[0]!.Select((_, i) => gradients.Sum(gradient => gradient![i]))]];
            },
        };
    }

    private static IEnumerable<OpInput> Operands(Sizes s, AttentionLayout layout)
    {
        if (layout == AttentionLayout.Packed)
        {
            return [OpInput.Uniform("packed", new Shape(s.Batch, s.Queries, (s.Heads + (2 * s.KeyHeads)) * s.Width))];
        }

        Shape Of(int heads, int rows, int width) => layout == AttentionLayout.HeadsLast
            ? new Shape(s.Batch, rows, heads, width)
            : new Shape(s.Batch, heads, rows, width);
        return [
            OpInput.Uniform("query", Of(s.Heads, s.Queries, s.Width)), OpInput.Uniform("key", Of(s.KeyHeads, s.Keys, s.Width)),
            OpInput.Uniform("value", Of(s.KeyHeads, s.Keys, s.ValueWidth))];
    }

    private static OpInput Mask(Shape shape, Masks masks) => masks switch
    {
        Masks.Allowed => OpInput.Bits("mask", shape),
        Masks.Added => OpInput.Uniform("mask", shape, -3, 3).Constant(),
        _ => new OpInput(
            "mask", shape,
            (random, count) => [.. Enumerable.Range(0, count).Select(
                i => i / shape[-1] % 3 == 0 ? double.NegativeInfinity : random.NextDouble())])
        {
            IsDifferentiable = false,
        },
    };

    private static OpInput Fixed(int[] values) =>
        new("lengths", new Shape(values.Length), (_, _) => Array.ConvertAll(values, value => (double)value))
        {
            IsInteger = true,
            IsDifferentiable = false,
        };

    private sealed record Sizes(int Batch, int Heads, int KeyHeads, int Queries, int Keys, int Width, int ValueWidth)
    {
        public override string ToString() =>
            $"batch {Batch} heads {Heads}{(KeyHeads == Heads ? "" : $" over {KeyHeads}")} {Queries}x{Width} over {Keys}x{ValueWidth}";
    }
}
