using FastNN.Kernels;
using FastNN.Tensors;

namespace FastNN.Tests.Cpu;

public sealed class OptimizerKernelTests
{
    [Test]
    public void Sgd_follows_PyTorch([Values(0f, 0.9f)] float momentum, [Values(0f, 0.3f)] float dampening, [Values(0f, 0.1f)] float decay, [Values] bool nesterov)
    {
        using var scope = new DeviceScope();
        foreach (int size in DeviceScope.Sizes)
        {
            double[] p = DeviceScope.Random(size, 1), v = new double[size];
            Tensor parameters = scope.Floats(p), velocity = scope.Floats(DeviceScope.Random(size, 7)), gradients = scope.Zeros(size);
            for (int step = 1; step <= 3; step++)
            {
                double[] g = DeviceScope.Random(size, 10 + step);
                gradients = scope.Floats(g);
                OptimizerReference.Sgd(0.1f, momentum, dampening, decay, nesterov, step == 1, p, g, v);
                Tensor scalars = scope.Floats([0.1, step == 1 ? 1 : 0, 0, 0]);
                scope.Device.Updates.SgdUpdate(
                    new SgdOptions(momentum, dampening, decay, nesterov), scalars, parameters, gradients, momentum == 0 ? null : velocity);
            }

            DeviceScope.AssertNear(parameters, p, 8, 2e-6);
        }
    }

    [Test]
    public void Adam_follows_PyTorch([Values] bool amsGrad, [Values] bool decoupled, [Values(0f, 0.1f)] float decay)
    {
        using var scope = new DeviceScope();
        foreach (int size in DeviceScope.Sizes)
        {
            double[] p = DeviceScope.Random(size, 1), m = new double[size], v = new double[size], largest = amsGrad ? new double[size] : [];
            Tensor parameters = scope.Floats(p), mean = scope.Zeros(size), variance = scope.Zeros(size);
            Tensor? maximum = amsGrad ? scope.Zeros(size) : null;
            for (int step = 1; step <= 4; step++)
            {
                // Shrinking gradients, so that the maximum is not the latest.
                double[] g = [.. DeviceScope.Random(size, 10 + step).Select(x => (double)(float)(x / step))];
                OptimizerReference.Adam(0.01f, 0.9, 0.999, 1e-8, decay, decoupled, step, p, g, m, v, largest);
                Tensor scalars = scope.Floats([0.01, 0.01 / (1 - Math.Pow(0.9, step)), Math.Sqrt(1 - Math.Pow(0.999, step)), 0]);
                scope.Device.Updates.AdamUpdate(
                    new AdamOptions(0.9f, 0.999f, 1e-8f, decay, decoupled, amsGrad), scalars, parameters, scope.Floats(g), mean, variance, maximum);
            }

            DeviceScope.AssertNear(parameters, p, 8, 4e-7);
            DeviceScope.AssertNear(variance, v, 16, 1e-12);
        }
    }
}
