namespace FastNN.Cuda.Tests;

internal sealed class CudaNonFiniteLossTests : NonFiniteLossFixture
{
    protected override Device Open() => TestGpu.Open();

    [TearDown]
    public void NothingIsLeft() => TestGpu.RequireNothingAlive();
}
