namespace FastNN.Tests.Training;

internal sealed class NonFiniteLossTests : NonFiniteLossFixture
{
    protected override Device Open() => Device.Cpu(2);
}
