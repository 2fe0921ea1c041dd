using FastNN.Kernels;

namespace FastNN.Cuda.Tests;

internal sealed class CudaRandomGraphTests : RandomGraphFixture
{
    protected override IDevice Device => Gpu;

    protected override int Programs => 60;
}
