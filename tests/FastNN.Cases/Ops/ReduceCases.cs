using FastNN.Ops;

namespace FastNN.Testing;

internal sealed class ReduceCases : IOpCases
{
    /// <summary>
    /// Shapes and axes: all, trailing, leading, middle, several apart, none of more than one element, long ones.
    /// </summary>
    private static readonly (int[] Shape, int[] Axes)[] Patterns =
    [
        ([], []), ([7], [0]), ([13, 17], [0, 1]), ([5, 7], [1]), ([5, 7], [0]), ([3, 5, 7], [1]), ([2, 3, 4, 5], [1, 2]),
        ([2, 3, 4, 5], [0, 2]), ([2, 3, 4, 5], [1, 3]),
        ([33, 129], [-1]), ([129, 33], [0]), ([3, 1, 5], [1]),
    ];

    public static IEnumerable<OpCase> Cases
    {
        get
        {
            foreach (ReduceFunction function in Enum.GetValues<ReduceFunction>())
            {
                foreach ((int[] shape, int[] axes) in Patterns)
                {
                    int terms = axes.Aggregate(1, (product, axis) => product * new Shape(shape)[axis]);
                    if (terms > 1 || function is not (ReduceFunction.Variance or ReduceFunction.StandardDeviation))
                    {
                        yield return Case(function, new Shape(shape), axes);
                    }
                }

                yield return Case(function, new Shape(3, 7), [1], keepDims: true);
            }

            foreach ((int[] shape, int[] axes) in new (int[], int[])[] { ([270_001], [0]), ([3, 70_001], [1]), ([9001, 33], [0]),
                ([4, 3001, 17], [1]), ([31, 257, 40], [0, 2]) })
            {
                yield return Case(ReduceFunction.Sum, new Shape(shape), axes);
                yield return Case(ReduceFunction.Max, new Shape(shape), axes);
                yield return Case(ReduceFunction.Variance, new Shape(shape), axes);
            }

            // Columns whose rows begin within sectors, in one part and in several.
            foreach (ReduceFunction function in new[]
            {
                ReduceFunction.Sum, ReduceFunction.Max, ReduceFunction.Variance, ReduceFunction.LogSumExp,
            })
            {
                yield return Case(function, new Shape(2, 31, 187), [1]);
                yield return Case(function, new Shape(301, 129), [0]);
                // Short ones of several outer places, in several blocks.
                yield return Case(function, new Shape(75, 7, 33), [1]);
                yield return Case(function, new Shape(211, 2, 2), [1]);
                yield return Case(function, new Shape(40, 3, 40), [1]);
                // Outer places that begin within sectors; rows of several bands.
                yield return Case(function, new Shape(3, 67, 71), [1]);
                yield return Case(function, new Shape(9, 129, 31), [1]);
                yield return Case(function, new Shape(5, 9, 483), [1]);
            }

            yield return Case(ReduceFunction.Variance, new Shape(5, 9), [1], correction: 0);
            yield return Case(ReduceFunction.StandardDeviation, new Shape(5, 9), [0], correction: 0);
            foreach (ReduceFunction function in new[] { ReduceFunction.Max, ReduceFunction.Min })
            {
                yield return Repeated($"{function} with ties", function, 3);
            }

            yield return Repeated("Prod with zeros", ReduceFunction.Prod, 4);
            foreach (float order in new[] { 0, 0.5f, 3, -1.5f, float.PositiveInfinity, float.NegativeInfinity })
            {
                yield return OfOrder(order, new Shape(13, 7), [1]);
                yield return OfOrder(order, new Shape(5, 3, 17), [0, 2]);
            }
        }
    }

    private static OpCase Case(ReduceFunction function, Shape shape, int[] axes, bool keepDims = false, int correction = 1)
    {
        OpInput x = function switch
        {
            ReduceFunction.Max or ReduceFunction.Min => OpInput.Distinct("x", shape),
            ReduceFunction.Prod => OpInput.Uniform("x", shape, 0.7, 1.3),
            _ => OpInput.AwayFromZero("x", shape),
        };
        double terms = axes.Aggregate(1.0, (product, axis) => product * shape[axis]);
        return new OpCase(
            $"{function} {shape} over {new Shape(Array.ConvertAll(axes, shape.NormalizeAxis))}{(keepDims ? " kept" : "")}{(correction == 1 ? "" : " biased")}", [x],
            values => Build(function, values[0], axes, keepDims, correction),
            values => ReduceReference.Forward(function, values[0], shape, axes, correction))
        {
            Samples = shape.Count > 100_000 ? 0 : shape.Count > 10_000 ? 2 : 12,
            Tolerance = function is ReduceFunction.Prod
                ? 1e-5 * Math.Max(1, terms / 10)
                : 2e-6 * Math.Max(1, Math.Sqrt(terms) / 2),
            ReferenceBackward = (values, dY) => [ReduceReference.Backward(function, values[0], dY, shape, axes, correction)],
        };
    }

    /// <summary>A norm that is composed of other operators.</summary>
    private static OpCase OfOrder(float order, Shape shape, int[] axes) => new(
        $"norm of order {order} {shape} over {new Shape(axes)}",
        [float.IsInfinity(order) ? OpInput.Distinct("x", shape) : OpInput.AwayFromZero("x", shape, 2) with
        {
            IsDifferentiable = order != 0,
        }],
        values => values[0].Norm(order, axes), values => ReduceReference.Norm(order, values[0], shape, axes))
    {
        Tolerance = 2e-5,
    };

    /// <summary>
    /// Few values, so that extremes tie and factors are 0: where differences say nothing, the reference's gradients do.
    /// </summary>
    private static OpCase Repeated(string name, ReduceFunction function, int values)
    {
        Shape shape = new(9, 5);
        var x = new OpInput(
            "x", shape, (random, count) => [.. Enumerable.Range(0, count).Select(_ => (double)random.Next(values))]);
        return new OpCase(
            name, [x], given => Build(function, given[0], [1], false, 1),
            given => ReduceReference.Forward(function, given[0], shape, [1], 1))
        {
            Samples = function == ReduceFunction.Prod ? 48 : 0,
            Tolerance = 1e-4,
            ReferenceBackward = (given, dY) => [ReduceReference.Backward(function, given[0], dY, shape, [1], 1)],
        };
    }

    private static Value Build(ReduceFunction function, Value x, int[] axes, bool keepDims, int correction) => function switch
    {
        ReduceFunction.Sum => x.Sum(axes, keepDims),
        ReduceFunction.Mean => x.Mean(axes, keepDims),
        ReduceFunction.Max => x.Max(axes, keepDims),
        ReduceFunction.Min => x.Min(axes, keepDims),
        ReduceFunction.Prod => x.Prod(axes, keepDims),
        ReduceFunction.Variance => x.Variance(axes, keepDims, correction),
        ReduceFunction.StandardDeviation => x.StandardDeviation(axes, keepDims, correction),
        ReduceFunction.LogSumExp => x.LogSumExp(axes, keepDims),
        ReduceFunction.Norm1 => x.Norm(1, axes, keepDims),
        _ => x.Norm(2, axes, keepDims),
    };
}
