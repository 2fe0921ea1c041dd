namespace FastNN.Tests.Golden;

/// <summary>PyTorch's numbers on two CPU threads.</summary>
internal sealed class GoldenTests : GoldenFixture
{
    protected override Device Open() => Device.Cpu(2);
}
