namespace FastNN.Cuda.Tests;

internal sealed class CudaAccumulationTests : AccumulationFixture
{
    protected override Device Open() => TestGpu.Open();

    [TearDown]
    public void NothingIsLeft() => TestGpu.RequireNothingAlive();
}
