using FastNN.Functions;
using FastNN.Tensors;

namespace FastNN.Tests.Cpu;

public sealed class ElementwiseKernelTests
{
    private static readonly BinaryFunction[] Functions = [
        BinaryFunction.Of<FastNN.Functions.Add>(), BinaryFunction.Of<FastNN.Functions.Multiply>()];

    /// <summary>Shapes of a, b and y: same, scalar, row, channel, column, both repeated, and mixtures.</summary>
    private static readonly object[] Shapes =
    [
        new object[] { new[] { 17 }, new[] { 17 }, new[] { 17 } },
        new object[] { Array.Empty<int>(), Array.Empty<int>(), Array.Empty<int>() },
        new object[] { new[] { 33, 3 }, Array.Empty<int>(), new[] { 33, 3 } },
        new object[] { new[] { 129, 7 }, new[] { 7 }, new[] { 129, 7 } },
        new object[] { new[] { 13 }, new[] { 31, 13 }, new[] { 31, 13 } },
        new object[] { new[] { 5, 130 }, new[] { 130 }, new[] { 5, 130 } },
        new object[] { new[] { 2, 3, 4, 4 }, new[] { 3, 1, 1 }, new[] { 2, 3, 4, 4 } },
        new object[] { new[] { 7, 33 }, new[] { 7, 1 }, new[] { 7, 33 } },
        new object[] { new[] { 7, 1 }, new[] { 1, 33 }, new[] { 7, 33 } },
        new object[] { new[] { 3, 1, 5, 1, 2 }, new[] { 1, 4, 1, 3, 1 }, new[] { 3, 4, 5, 3, 2 } },
        new object[] { new[] { 3, 1, 5, 17 }, new[] { 2, 1, 17 }, new[] { 3, 2, 5, 17 } },
        new object[] { new[] { 1 }, new[] { 70001 }, new[] { 70001 } },
        new object[] { new[] { 70001 }, new[] { 70001 }, new[] { 70001 } },
        new object[] { new[] { 3000, 31 }, new[] { 31 }, new[] { 3000, 31 } },
        new object[] { new[] { 900, 130 }, new[] { 130 }, new[] { 900, 130 } },
        new object[] { new[] { 9, 10000 }, new[] { 9, 1 }, new[] { 9, 10000 } },
        new object[] { new[] { 40, 3, 700 }, new[] { 3, 1 }, new[] { 40, 3, 700 } },
    ];

    [TestCaseSource(nameof(Shapes))]
    public void Forward_broadcasts_as_NumPy_does(int[] a, int[] b, int[] y)
    {
        using var scope = new DeviceScope();
        foreach (BinaryFunction op in Functions)
        {
            Shape aShape = new(a), bShape = new(b), yShape = new(y);
            double[] left = DeviceScope.Random((int)aShape.Count, 1), right = DeviceScope.Random((int)bShape.Count, 2);
            var expected = new double[yShape.Count];
            ElementwiseReference.Forward(op, aShape, left, bShape, right, yShape, expected);
            Tensor output = Zeros(scope, y);
            scope.Device.Elements.BinaryForward(op, Floats(scope, left, a), Floats(scope, right, b), output);
            DeviceScope.AssertNear(output, expected, 0.5);
        }
    }

    [TestCaseSource(nameof(Shapes))]
    public void Backward_sums_over_repeated_axes(int[] a, int[] b, int[] y)
    {
        using var scope = new DeviceScope();
        foreach (BinaryFunction op in Functions)
        {
            CompareGradient(scope, op, a, b, y);
            CompareGradient(scope, op, b, a, y);
        }
    }

    [Test]
    public void Outputs_may_be_operands()
    {
        using var scope = new DeviceScope();
        Tensor a = scope.Floats([1, 2, 3]), b = scope.Floats([10, 20, 30]);
        scope.Device.Elements.BinaryForward(Functions[0], a, b, a);
        scope.Device.Elements.BinaryForward(Functions[1], b, a, a);
        Assert.That(DeviceScope.Read(a), Is.EqualTo(new float[] { 110, 440, 990 }));
        scope.Device.Elements.BinaryBackward(Functions[1], 0, a, b, a, a, a, accumulate: false);
        scope.Device.Elements.BinaryBackward(Functions[0], 0, a, b, a, a, a, accumulate: false);
        Assert.That(DeviceScope.Read(a), Is.EqualTo(new float[] { 1100, 8800, 29700 }));
    }

    [Test]
    public void Long_sums_do_not_drift()
    {
        using var scope = new DeviceScope();
        const int rows = 1 << 20;
        Tensor dY = scope.Zeros(rows, 3), row = scope.Zeros(3), scalar = scope.Zeros(1), column = scope.Zeros(rows, 1);
        scope.Device.Memory.Fill(dY, 0.1f);
        scope.Device.Elements.SumRepeated(dY, row, accumulate: false);
        scope.Device.Elements.SumRepeated(dY, scalar, accumulate: false);
        scope.Device.Elements.SumRepeated(dY, column, accumulate: false);
        double exact = 0.1f * (double)rows;
        DeviceScope.AssertNear(row, [exact, exact, exact], 8);
        DeviceScope.AssertNear(scalar, [3 * exact], 8);
        Assert.That(DeviceScope.Read(column), Has.All.EqualTo(0.3f).Within(1e-7f));
    }

    private static void CompareGradient(DeviceScope scope, BinaryFunction op, int[] a, int[] other, int[] y)
    {
        Shape aShape = new(a), otherShape = new(other), yShape = new(y);
        double[] dY = DeviceScope.Random((int)yShape.Count, 3), right = DeviceScope.Random((int)otherShape.Count, 4);
        double[] before = DeviceScope.Random((int)aShape.Count, 5);
        double[] expected = ElementwiseReference.Backward(op, 0, aShape, new double[aShape.Count], otherShape, right, yShape, dY);
        Tensor given = Floats(scope, dY, y), factor = Floats(scope, right, other);
        Tensor gradient = Zeros(scope, a), sum = Floats(scope, before, a);
        scope.Device.Elements.BinaryBackward(op, 0, gradient, factor, given, given, gradient, accumulate: false);
        scope.Device.Elements.BinaryBackward(op, 0, gradient, factor, given, given, sum, accumulate: true);

        // Terms of up to 9 in size: their rounding errors add up as the root of their number.
        double terms = Math.Max(1, (double)yShape.Count / aShape.Count);
        double absolute = 9 * Math.Sqrt(terms) * Math.Pow(2, -22);
        DeviceScope.AssertNear(gradient, expected, 2, absolute);
        DeviceScope.AssertNear(sum, [.. expected.Zip(before, (p, q) => p + q)], 2, absolute);
    }

    // A scalar has no extents, which the scope's methods take for a list of their length.
    private static Tensor Floats(DeviceScope scope, double[] values, int[] extents)
    {
        Tensor tensor = scope.Floats(values, [.. extents, 1]);
        return new Tensor(tensor.Address, DType.Float32, new Shape(extents));
    }

    private static Tensor Zeros(DeviceScope scope, int[] extents) => scope.Zeros(extents);
}
