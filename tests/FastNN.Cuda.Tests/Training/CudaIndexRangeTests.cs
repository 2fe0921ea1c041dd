namespace FastNN.Cuda.Tests;

internal sealed class CudaIndexRangeTests : IndexRangeFixture
{
    protected override Device Open() => TestGpu.Open();

    [TearDown]
    public void NothingIsLeft() => TestGpu.RequireNothingAlive();
}
