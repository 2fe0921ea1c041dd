using FastNN.Cpu;
using FastNN.Kernels;
using FastNN.Tensors;

namespace FastNN.Tests.Cpu;

public sealed unsafe class DropoutKernelTests
{
    [Test]
    public void The_mask_is_that_of_Philox(
        [ValueSource(typeof(DeviceScope), nameof(DeviceScope.Sizes))] int size, [Values(0f, 0.25f, 0.9f)] float rate)
    {
        using var scope = new DeviceScope();
        var options = new DropoutOptions(rate, 0x0123456789ABCDEF, 7);
        double[] x = DeviceScope.Random(size, 1), factors = new double[size];
        DropoutReference.Factors(options, 0x200000003, factors);
        double[] expected = [.. x.Zip(factors, (a, b) => a * b)];
        Tensor step = scope.Ints([3, 2]), input = scope.Floats(x), output = scope.Zeros(size);
        scope.Device.Elements.DropoutForward(options, step, input, output);
        DeviceScope.AssertNear(output, expected, 1);
        scope.Device.Elements.DropoutBackward(options, step, input, output, accumulate: true);
        DeviceScope.AssertNear(output, [.. expected.Select(v => 2 * v)], 1);
        scope.Device.Elements.DropoutBackward(options, step, input, input, accumulate: false);
        DeviceScope.AssertNear(input, expected, 1);
    }

    [Test]
    public void Dropped_infinities_are_gone()
    {
        using var scope = new DeviceScope(1);
        Tensor x = scope.Floats([.. Enumerable.Repeat(double.NaN, 64)]), step = scope.Ints([0, 0]);
        scope.Device.Elements.DropoutForward(new DropoutOptions(0.5f, 1, 0), step, x, x);
        Assert.That(DeviceScope.Read(x).Count(v => v == 0), Is.InRange(16, 48));
    }

    [Test]
    public void Every_width_draws_the_same_numbers()
    {
        const int counters = 48;
        float* wide = stackalloc float[256], half = stackalloc float[256], one = stackalloc float[256];
        uint block = uint.MaxValue - 20;
        PhiloxBlocks.FillScalar(one, counters, block, 5, 6, 7, ulong.MaxValue - 1);
        if (System.Runtime.Intrinsics.X86.Avx512F.IsSupported)
        {
            PhiloxBlocks.Fill512(wide, counters, block, 5, 6, 7, ulong.MaxValue - 1);
            Assert.That(new Span<float>(wide, 4 * counters).ToArray(), Is.EqualTo(new Span<float>(one, 4 * counters).ToArray()));
        }

        if (System.Runtime.Intrinsics.X86.Avx2.IsSupported)
        {
            PhiloxBlocks.Fill256(half, counters, block, 5, 6, 7, ulong.MaxValue - 1);
            Assert.That(new Span<float>(half, 4 * counters).ToArray(), Is.EqualTo(new Span<float>(one, 4 * counters).ToArray()));
        }

        PhiloxBlocks.Fill(wide, counters, block, 5, 6, 7, ulong.MaxValue - 1);
        Assert.That(new Span<float>(wide, 4 * counters).ToArray(), Is.EqualTo(new Span<float>(one, 4 * counters).ToArray()));
    }
}
