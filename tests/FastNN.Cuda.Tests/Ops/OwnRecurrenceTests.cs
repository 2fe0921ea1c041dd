using FastNN.Kernels;

namespace FastNN.Cuda.Tests;

/// <summary>Recurrent sequences without cuDNN, on FastNN's own kernels.</summary>
internal sealed class OwnRecurrenceTests : OpFixture<RecurrenceCases>
{
    private CudaDevice? _own;

    protected override IReadOnlyList<IDevice> Devices => [_own ??= TestGpu.Create(new CudaOptions { UseCudnn = false })];

    [TearDown]
    public void NoFindingsOfOwnKernels() => TestGpu.RequireNoFindings();

    [OneTimeTearDown]
    public void DisposeOwn() => _own?.Dispose();
}
