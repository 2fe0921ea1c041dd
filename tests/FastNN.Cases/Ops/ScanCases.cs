using FastNN.Kernels;

namespace FastNN.Testing;

/// <summary>
/// Scans along rows, columns and middle axes, of lengths beside those at which the kernels change their ways; from both ends,
/// with and without a place's own term; products with none, one and several zeros in a row.
/// </summary>
internal sealed class ScanCases : IOpCases
{
    private static readonly (int[] Shape, int Axis)[] Patterns =
    [
        ([1], 0), ([7], 0), ([3, 6], 1), ([5, 7], 0), ([13, 1], 1), ([2, 33, 5], 1), ([17, 31], -1), ([9, 129], 1),
        ([129, 67], 0), ([31, 3, 17], 0), ([2, 2, 3, 13], 2),
    ];

    /// <summary>Whose reference from first terms on would take too long for products.</summary>
    private static readonly (int[] Shape, int Axis)[] Long = [([3, 1031], 1), ([1, 4099], 1), ([1500, 3], 0)];

    public static IEnumerable<OpCase> Cases =>
    [
        .. from function in new[] { ScanFunction.Sum, ScanFunction.Product }
           from pattern in Patterns
           from way in new (bool Exclusive, bool Reverse)[] { (false, false), (true, false), (false, true), (true, true) }
           select Case(function, new Shape(pattern.Shape), pattern.Axis, way.Exclusive, way.Reverse, zeros: 0),
        .. from zeros in new[] { 0.02, 0.3 }
           from pattern in new (int[] Shape, int Axis)[] { ([9, 33], 1), ([17, 13], 0), ([33], 0) }
           from way in new (bool Exclusive, bool Reverse)[] { (false, false), (true, false), (false, true), (true, true) }
           select Case(ScanFunction.Product, new Shape(pattern.Shape), pattern.Axis, way.Exclusive, way.Reverse, zeros),
        .. from pattern in Long
           from way in new (bool Exclusive, bool Reverse)[] { (false, false), (true, true) }
           select Case(ScanFunction.Sum, new Shape(pattern.Shape), pattern.Axis, way.Exclusive, way.Reverse, zeros: 0),
    ];

    private static OpCase Case(ScanFunction function, Shape shape, int axis, bool exclusive, bool reverse, double zeros)
    {
        int at = shape.NormalizeAxis(axis);
        OpInput x = function == ScanFunction.Sum ? OpInput.Uniform("x", shape) : Factors(shape, zeros);
        return new OpCase(
            $"{function} {shape} along {axis}{(exclusive ? " exclusive" : "")}{(reverse ? " reverse" : "")}{(zeros > 0 ? $" zeros {zeros}" : "")}",
            [x],
            values => function == ScanFunction.Sum
                ? values[0].CumSum(axis, exclusive, reverse)
                : values[0].CumProd(axis, exclusive, reverse),
            values => ScanReference.Forward(function, values[0], shape, at, exclusive, reverse))
        {
            Tolerance = 2e-6 * Math.Max(2, Math.Sqrt(shape[at])),
            Samples = shape.Count > 500 ? 4 : 24,
            ReferenceBackward = (values, dY) =>
                [ScanReference.Backward(function, values[0], dY, shape, at, exclusive, reverse)],
        };
    }

    /// <summary>Near 1 in size, so that neither products nor their errors grow.</summary>
    private static OpInput Factors(Shape shape, double zeros) => new("x", shape, (random, count) =>
    [
        .. Enumerable.Range(0, count).Select(
            _ => random.NextDouble() < zeros ? 0 : (0.8 + (0.4 * random.NextDouble())) * (random.Next(2) == 0 ? 1 : -1)),
    ]);
}
