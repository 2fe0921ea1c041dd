using FastNN.Kernels;

namespace FastNN.Cuda.Tests;

internal sealed class CudaOptimizerTests : OptimizerFixture
{
    protected override IReadOnlyList<IDevice> Devices => [Gpu];
}
