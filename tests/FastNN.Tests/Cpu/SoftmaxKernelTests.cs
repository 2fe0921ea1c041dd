using FastNN.Tensors;

namespace FastNN.Tests.Cpu;

public sealed class SoftmaxKernelTests
{
    [TestCase(1, 1, 1)]
    [TestCase(128, 10, 1)]
    [TestCase(33, 17, 1)]
    [TestCase(3, 129, 1)]
    [TestCase(7, 5000, 1)]
    [TestCase(7001, 13, 1)]
    [TestCase(2, 4, 9)]
    [TestCase(3, 7, 33)]
    [TestCase(31, 3, 1000)]
    public void Both_ways_agree_with_the_definition(int outer, int axis, int inner)
    {
        using var scope = new DeviceScope();
        int count = outer * axis * inner;
        double[] x = DeviceScope.Random(count, 1, 10), dY = DeviceScope.Random(count, 2), y = new double[count],
        dX = new double[count];
        foreach (bool logarithm in new[] { false, true })
        {
            SoftmaxReference.Forward(x, y, outer, axis, inner, logarithm);
            Tensor input = scope.Floats(x), output = scope.Zeros(count), given = scope.Floats(dY), gradient = scope.Floats(dY);
            scope.Device.Normalizations.SoftmaxForward(input, output, outer, axis, inner, logarithm);
            DeviceScope.AssertNear(output, y, 16, logarithm ? 4e-6 : 1e-9);
            scope.Device.Normalizations.SoftmaxForward(input, input, outer, axis, inner, logarithm);
            Assert.That(DeviceScope.Read(input), Is.EqualTo(DeviceScope.Read(output)), "in place");

            SoftmaxReference.Backward(y, dY, dX, outer, axis, inner, logarithm);
            double absolute = logarithm ? 2e-6 * Math.Sqrt(axis) : 4e-6;
            scope.Device.Normalizations.SoftmaxBackward(output, given, gradient, outer, axis, inner, logarithm, accumulate: true);
            DeviceScope.AssertNear(gradient, [.. dX.Zip(dY, (a, b) => a + b)], 4, absolute);
            scope.Device.Normalizations.SoftmaxBackward(output, given, given, outer, axis, inner, logarithm, accumulate: false);
            DeviceScope.AssertNear(given, dX, 4, absolute);
        }
    }

    [Test]
    public void Special_values_stay_in_their_row([Values(3, 40)] int axis, [Values] bool logarithm)
    {
        using var scope = new DeviceScope(1);
        double[] x = DeviceScope.Random(4 * axis, 1);
        x[0] = double.NaN;
        x[axis] = double.PositiveInfinity;
        x[(2 * axis) + 1] = double.NegativeInfinity;
        x[3 * axis] = 1e5;
        Tensor y = scope.Zeros(4 * axis);
        scope.Device.Normalizations.SoftmaxForward(scope.Floats(x), y, 4, axis, 1, logarithm);
        float[] values = DeviceScope.Read(y);
        Assert.That(values[..axis], Has.All.NaN);
        Assert.That(values[axis..(2 * axis)], Has.Some.NaN);
        Assert.That(values[(2 * axis) + 1], Is.EqualTo(logarithm ? float.NegativeInfinity : 0));
        Assert.That(values[(2 * axis)..], Has.None.NaN);
        Assert.That(values[3 * axis], Is.EqualTo(logarithm ? 0 : 1));
    }
}
