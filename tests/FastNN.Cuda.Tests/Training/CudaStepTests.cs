namespace FastNN.Cuda.Tests;

internal sealed class CudaStepTests : StepFixture
{
    protected override Device Open() => TestGpu.Open();

    [TearDown]
    public void NothingIsLeft() => TestGpu.RequireNothingAlive();
}
