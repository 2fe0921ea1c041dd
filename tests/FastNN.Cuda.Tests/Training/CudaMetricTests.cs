namespace FastNN.Cuda.Tests;

internal sealed class CudaMetricTests : MetricFixture
{
    protected override Device Open() => TestGpu.Open();

    [TearDown]
    public void NothingIsLeft() => TestGpu.RequireNothingAlive();
}
