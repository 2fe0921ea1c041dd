using FastNN.Cpu;
using FastNN.Functions;
using FastNN.Tensors;

namespace FastNN.Tests.Cpu;

public sealed unsafe class ActivationsKernelTests
{
    private static readonly Activation[] All =
    [
        Activation.ReLU, Activation.LeakyReLU(0.1f), Activation.LeakyReLU(-0.2f), Activation.Sigmoid, Activation.Tanh,
        Activation.Gelu, Activation.GeluTanh,
    ];

    [Test]
    public void Forward_agrees_with_the_definition([ValueSource(nameof(All))] Activation activation)
    {
        using var scope = new DeviceScope();
        foreach (int size in DeviceScope.Sizes)
        {
            double[] x = DeviceScope.Random(size, size, 8), expected = new double[size];
            ActivationsReference.Forward(activation, x, expected);
            Tensor input = scope.Floats(x), output = scope.Zeros(size);
            scope.Device.Elements.ActivationForward(activation, input, output);

            // GELU's tanh form amplifies the rounding of its argument, some 40 at the most here.
            double relative = activation == Activation.GeluTanh ? 40 : 6;
            DeviceScope.AssertNear(output, expected, relative, 1e-12);
            scope.Device.Elements.ActivationForward(activation, input, input);
            Assert.That(DeviceScope.Read(input), Is.EqualTo(DeviceScope.Read(output)), "in place");
        }
    }

    [Test]
    public void Backward_agrees_with_the_definition([ValueSource(nameof(All))] Activation activation)
    {
        using var scope = new DeviceScope();
        foreach (int size in DeviceScope.Sizes)
        {
            double[] x = DeviceScope.Random(size, size, 6), dY = DeviceScope.Random(size, size + 1), expected = new double[size];
            ActivationsReference.Backward(activation, x, dY, expected);
            Tensor input = scope.Floats(x), output = scope.Zeros(size), given = scope.Floats(dY), gradient = scope.Floats(dY);
            scope.Device.Elements.ActivationForward(activation, input, output);
            Tensor kept = activation.Reads == Reads.Output ? output : input;

            // Sigmoid and tanh come from a rounded y, whose distance to 1 has an absolute error.
            scope.Device.Elements.ActivationBackward(activation, kept, given, gradient, accumulate: true);
            DeviceScope.AssertNear(gradient, [.. expected.Zip(dY, (a, b) => a + b)], 2, 2e-6);
            scope.Device.Elements.ActivationBackward(activation, kept, given, given, accumulate: false);
            DeviceScope.AssertNear(given, expected, 8, 2e-6);
        }
    }

    [Test]
    public void Special_values_come_out_right([ValueSource(nameof(All))] Activation activation)
    {
        double[] x = [
            double.NaN, double.PositiveInfinity, double.NegativeInfinity, 0, -0.0, 1e-40, -1e-40, 3e38, -3e38, 100, -100];
        using var scope = new DeviceScope(1);
        Tensor output = scope.Zeros(x.Length);
        scope.Device.Elements.ActivationForward(activation, scope.Floats(x), output);
        float[] y = DeviceScope.Read(output);
        Assert.That(y[0], Is.NaN);
        bool saturates = activation.Name is "Sigmoid" or "Tanh";
        Assert.That(y[1], Is.EqualTo(saturates ? 1 : float.PositiveInfinity));
        float least = activation.Name switch
        {
            "Tanh" => -1,
            "LeakyReLU" => activation.Scalars.First * float.NegativeInfinity,
            _ => 0,
        };
        Assert.That(y[2], Is.EqualTo(least));
        Assert.That(y[3], Is.EqualTo(activation == Activation.Sigmoid ? 0.5f : 0));
        Assert.That(y[5], Is.EqualTo((float)ActivationsReference.Value(activation, (float)1e-40)).Within(2e-45));
        Assert.That(y[7], Is.EqualTo(saturates ? 1 : 3e38f));
        Assert.That(y[9], Is.EqualTo(saturates ? 1 : 100));
        Assert.That(y, Has.Exactly(1).NaN);
    }

    [Test]
    public void Gradients_of_infinities_are_limits([Values] bool approximate)
    {
        using var scope = new DeviceScope(1);
        Tensor x = scope.Floats([double.PositiveInfinity, double.NegativeInfinity, 1e30, -1e30]), dY = scope.Floats([2, 2, 2, 2]);
        scope.Device.Elements.ActivationBackward(
            approximate ? Activation.GeluTanh : Activation.Gelu, x, dY, dY, accumulate: false);
        Assert.That(DeviceScope.Read(dY), Is.EqualTo(new float[] { 2, 0, 2, 0 }));
    }

    [Test]
    public void Every_rung_computes_the_same_within_rounding([Values(1, 4, 8, 16)] int lanes, [Values(5, 64, 1003)] int count)
    {
        Rung.Require(lanes);
        double[] x = DeviceScope.Random(count, lanes, 9), expected = new double[count];
        using var scope = new DeviceScope(1);
        Tensor input = scope.Floats(x), output = scope.Zeros(count);
        Compare<Relu>();
        Compare<LeakyRelu>(0.1f);
        Compare<Sigmoid>();
        Compare<Tanh>();
        Compare<Gelu>();
        Compare<GeluTanh>();

        void Compare<TFunction>(params float[] scalars)
            where TFunction : struct, IUnaryFunction
        {
            Activation activation = Activation.Of<TFunction>(scalars);
            var f = new ValueOf<TFunction>(activation.Scalars);
            ActivationsReference.Forward(activation, x, expected);
            var map = new UnaryMap<ValueOf<TFunction>, Assign>((float*)input.Address, (float*)output.Address, f);
            switch (lanes)
            {
                case 1:
                    ElementLoop.Range<Lanes1, UnaryMap<ValueOf<TFunction>, Assign>>(map, 0, count);
                    break;
                case 4:
                    ElementLoop.Range<Lanes128, UnaryMap<ValueOf<TFunction>, Assign>>(map, 0, count);
                    break;
                case 8:
                    ElementLoop.Range<Lanes256, UnaryMap<ValueOf<TFunction>, Assign>>(map, 0, count);
                    break;
                default:
                    ElementLoop.Range<Lanes512, UnaryMap<ValueOf<TFunction>, Assign>>(map, 0, count);
                    break;
            }

            DeviceScope.AssertNear(output, expected, activation == Activation.GeluTanh ? 40 : 6, 1e-12);
        }
    }

    [Test]
    public void The_pass_behind_a_product_is_the_same_function([ValueSource(nameof(All))] Activation activation)
    {
        using var scope = new DeviceScope(1);
        Tensor x = scope.Floats(DeviceScope.Random(37, 5)), y = scope.Zeros(37);
        scope.Device.Elements.ActivationForward(activation, x, y);
        FunctionLoops.Of(activation).InPlace(activation.Scalars, (float*)x.Address, 37);
        Assert.That(DeviceScope.Read(x), Is.EqualTo(DeviceScope.Read(y)));
    }
}
