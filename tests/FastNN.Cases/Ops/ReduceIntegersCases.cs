using FastNN.Kernels;

namespace FastNN.Testing;

/// <summary>Integers and truths along all kinds of axes, exactly.</summary>
internal sealed class ReduceIntegersCases : IOpCases
{
    private static readonly (int[] Shape, int[] Axes)[] Patterns =
    [
        ([1], [0]), ([7], [0]), ([13, 17], [0, 1]), ([5, 7], [1]), ([5, 7], [0]), ([3, 5, 7], [1]), ([2, 3, 4, 5], [1, 2]),
        ([2, 3, 4, 5], [0, 2]), ([33, 129], [-1]), ([129, 33], [0]), ([3, 1, 5], [1]), ([40_001], [0]), ([67, 3, 31], [0, 1]),
    ];

    public static IEnumerable<OpCase> Cases =>
    [
        .. from fold in Enum.GetValues<IntegerFold>()
           from type in new[] { DType.Int32, DType.Bool }
           from pattern in Patterns
           select Case(fold, type, new Shape(pattern.Shape), pattern.Axes, keepDims: false),
        Case(IntegerFold.Sum, DType.Int32, new Shape(3, 7), [1], keepDims: true),
        Case(IntegerFold.Any, DType.Bool, new Shape(3, 7), [0], keepDims: true),
    ];

    private static OpCase Case(IntegerFold fold, DType type, Shape shape, int[] axes, bool keepDims)
    {
        int[] all = Array.ConvertAll(axes, shape.NormalizeAxis);

        // Truths of which some rows are all true or all false; of a product such that it stays exact as a float.
        OpInput x = new(
            "x", shape, (random, count) =>
            [
                .. Enumerable.Range(0, count).Select(_ => (double)(type == DType.Bool ? random.Next(8) == 0 ? 0 : 1
                    : fold == IntegerFold.Prod ? random.Next(64) == 0 ? -2 : 1 - (2 * random.Next(2))
                    : fold is IntegerFold.Any or IntegerFold.All ? random.Next(-1, 2)
                    : random.Next(-99, 100))),
            ])
        {
            Type = type,
            IsDifferentiable = false,
        };
        return new OpCase(
            $"{fold} of {type} {shape} over {new Shape(all)}{(keepDims ? " kept" : "")}", [x],
            values => Build(fold, values[0], axes, keepDims).Cast(DType.Float32),
            values => ReduceIntegersReference.Forward(fold, values[0], shape, all));
    }

    private static Value Build(IntegerFold fold, Value x, int[] axes, bool keepDims) => fold switch
    {
        IntegerFold.Sum => x.Sum(axes, keepDims),
        IntegerFold.Prod => x.Prod(axes, keepDims),
        IntegerFold.Min => x.Min(axes, keepDims),
        IntegerFold.Max => x.Max(axes, keepDims),
        IntegerFold.Any => x.Any(axes, keepDims),
        _ => x.All(axes, keepDims),
    };
}
