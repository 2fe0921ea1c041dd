using FastNN.Kernels;

namespace FastNN.Example.Tests;

/// <summary>What FastNN.Cuda.Tests does with every operator's cases.</summary>
internal sealed class CudaClipTests : OpFixture<ClipCases>
{
    protected override IReadOnlyList<IDevice> Devices => [Gpu];
}

/// <summary>PyTorch's numbers, on both devices.</summary>
[TestFixture("cpu")]
[TestFixture("cuda")]
internal sealed class GoldenClipTests(string kind)
{
    private static IEnumerable<string> Files =>
        Directory.GetFiles(Path.Combine(AppContext.BaseDirectory, "Golden", "cases"), "clamp_*.safetensors").Order(
            StringComparer.Ordinal);

    [TestCaseSource(nameof(Files))]
    public void Output_and_gradient_are_PyTorchs(string file)
    {
        using Device device = kind == "cpu" ? Device.Cpu(2) : TestGpu.Open();
        GoldenCase golden = GoldenCase.Open(file);
        GoldenClip.All[golden.Op](golden, device);
        golden.Finish();
    }
}
