using FastNN.Kernels;

namespace FastNN.Testing;

internal sealed class Conv2DCases : IOpCases
{
    internal static readonly Padding2D One1 = Padding2D.Symmetric(1, 1);

    public static IEnumerable<OpCase> Cases { get; } =
    [
        Case([1, 1, 1, 1], 1, (1, 1)),
        Case([2, 7, 7, 3], 4, (3, 3)),
        Case([2, 9, 7, 3], 17, (3, 3), One1),
        Case([1, 13, 17, 1], 33, (5, 3)),
        Case([3, 7, 13, 31], 33, (1, 1)),
        Case([2, 7, 5, 33], 3, (1, 1), stride: (2, 2)),
        Case([2, 8, 8, 3], 6, (5, 5), Padding2D.Same),
        Case([2, 7, 9, 5], 7, (2, 4), Padding2D.Same),
        Case([1, 17, 13, 3], 13, (3, 3), Padding2D.Same, stride: (2, 2)),
        Case([1, 16, 16, 3], 13, (3, 3), Padding2D.Same, stride: (2, 3)),
        Case([1, 20, 20, 3], 8, (7, 7), Padding2D.Symmetric(3, 3), stride: (2, 2)),
        Case([2, 9, 11, 3], 5, (3, 2), Padding2D.Explicit(2, 0, 1, 3)),
        Case([2, 8, 8, 3], 4, (3, 3), Padding2D.Explicit(0, 1, 0, 1), stride: (2, 2)),
        Case([1, 13, 13, 3], 5, (3, 3), Padding2D.Symmetric(2, 2), dilation: (2, 2)),
        Case([1, 15, 17, 3], 5, (3, 2), Padding2D.Explicit(3, 1, 0, 2), (2, 1), (3, 2)),
        Case([2, 12, 12, 3], 4, (2, 2), stride: (3, 3)),
        Case([2, 9, 7, 4], 3, (1, 3), stride: (3, 1)),
        Case([2, 7, 7, 6], 10, (3, 3), One1, groups: 2),
        Case([1, 7, 9, 33], 99, (3, 3), One1, groups: 3),
        Case([0, 7, 9, 3], 17, (3, 3), One1),
        Case([0, 7, 5, 13], 7, (1, 1)),
        Case([0, 7, 9, 13], 13, (3, 3), One1, groups: 13),
        Case([2, 7, 7, 13], 13, (3, 3), One1, groups: 13),
        Case([1, 9, 9, 17], 34, (3, 3), Padding2D.Same, stride: (2, 2), groups: 17),
        Case([2, 9, 7, 33], 33, (5, 3), Padding2D.Explicit(2, 2, 0, 1), dilation: (1, 2), groups: 33),
        Case([4, 10, 10, 3], 8, (3, 3), bias: false),
        Case([2, 14, 14, 6], 16, (5, 5)),
        Case([2, 13, 13, 32], 64, (3, 3)),
        Case([1, 14, 14, 129], 31, (3, 3), One1),
        // So many blocks that a GPU takes its larger tiles: of 32 columns, of 64, and of 64 in the phases of a stride.
        Case([2, 16, 16, 128], 512, (3, 3), One1, groups: 16),
        Case([2, 16, 16, 128], 640, (3, 3), One1, groups: 16),
        Case([2, 24, 24, 288], 320, (3, 3), One1, (2, 2), groups: 8),
        Case([2, 8, 8, 3], 17, (3, 3), One1, activation: Activation.ReLU),
        Case([2, 8, 8, 3], 17, (3, 3), One1, activation: Activation.LeakyReLU),
        Case([2, 8, 8, 3], 17, (3, 3), One1, activation: Activation.Sigmoid),
        Case([2, 8, 8, 3], 17, (3, 3), One1, activation: Activation.Tanh),
        Case([2, 8, 8, 3], 17, (3, 3), One1, activation: Activation.Gelu),
        Case([1, 7, 7, 7], 7, (3, 3), groups: 7, activation: Activation.ReLU),
        Case([3, 5, 7, 13], 31, (1, 1), activation: Activation.Tanh),
        Case([2, 7, 7, 4], 6, (3, 3), One1, groups: 2, activation: Activation.Sigmoid),
    ];

    internal static OpCase Case(
        int[] x, int filters, (int Rows, int Columns) kernel, Padding2D padding = default, (int Rows, int Columns)? stride = null,
        (int Rows, int Columns)? dilation = null, int groups = 1, bool bias = true, Activation activation = default)
    {
        Conv2DGeometry geometry = Conv2DGeometry.Create(
            x[0], x[1], x[2], x[3], filters, kernel.Rows, kernel.Columns, padding, stride?.Rows ?? 1, stride?.Columns ?? 1,
            dilation?.Rows ?? 1,
            dilation?.Columns ?? 1, groups);
        List<OpInput> inputs = [
            OpInput.Uniform("x", new Shape(x)),
            OpInput.Uniform("weight", new Shape(kernel.Rows, kernel.Columns, x[3] / groups, filters))];
        if (bias)
        {
            inputs.Add(OpInput.Uniform("bias", new Shape(filters)));
        }

        double[] Product(double[][] values)
        {
            var z = new double[geometry.OutputCount];
            Conv2DReference.Forward(geometry, values[0], values[1], bias ? values[2] : [], z);
            return z;
        }

        return new OpCase(
            $"{geometry}{(bias ? "" : ", no bias")}{Fused.Suffix(activation)}".Replace("filter ", "", StringComparison.Ordinal),
            [.. inputs],
            values => values[0].Conv2D(values[1], values.ElementAtOrDefault(2), stride, padding, dilation, groups).Activate(
                activation).AsInnerNode(),
            values => Fused.Forward(activation, Product(values)))
        {
            // The longest sums: over a window, and over all pixels for the filter's gradient. Tiles of a 3x3 window round six
            // times as much (CpuOptions.AllowWinograd).
            Tolerance = (IsByTiles(geometry) ? 6 : 1) * 2e-6 * Math.Sqrt(
                Math.Max(
                    geometry.OutputCount / (double)filters,
                    geometry.KH * geometry.KW * Math.Max(geometry.GroupC, geometry.GroupOC))),
            Samples = geometry.Flops > 2_000_000 ? 2 : geometry.Flops > 400_000 ? 6 : 40,
            ReferenceBackward = (values, dY) =>
            {
                double[] dZ = Fused.Backward(activation, Product(values), dY);
                var dX = new double[geometry.InputCount];
                var dWeight = new double[geometry.FilterCount];
                var dBias = new double[filters];
                Conv2DReference.BackwardData(geometry, dZ, values[1], dX);
                Conv2DReference.BackwardFilter(geometry, values[0], dZ, dWeight, dBias);
                return [dX, dWeight, dBias];
            },
        };
    }

    private static bool IsByTiles(in Conv2DGeometry g) =>
        g is { KH: 3, KW: 3, Groups: 1 } && g.Vertical is { Stride: 1, Dilation: 1 } && g.Horizontal is { Stride: 1, Dilation: 1 }
            && g.C % 16 == 0 && g.OC % 16 == 0;
}
