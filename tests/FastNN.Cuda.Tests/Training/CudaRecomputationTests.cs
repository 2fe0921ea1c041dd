namespace FastNN.Cuda.Tests;

internal sealed class CudaRecomputationTests : RecomputationFixture
{
    protected override Device Open() => TestGpu.Open();

    [TearDown]
    public void NothingIsLeft() => TestGpu.RequireNothingAlive();
}
