namespace FastNN.Cuda.Tests;

/// <summary>PyTorch's numbers on the software GPU, with cuDNN's convolutions and with FastNN's own.</summary>
[TestFixture(true)]
[TestFixture(false)]
internal sealed class CudaGoldenTests(bool cudnn) : GoldenFixture
{
    protected override Device Open() => TestGpu.Open(new CudaOptions { UseCudnn = cudnn });

    [TearDown]
    public void NoFindings() => TestGpu.RequireNoFindings();
}
