namespace FastNN.Tests.Training;

internal sealed class AccumulationTests : AccumulationFixture
{
    protected override Device Open() => Device.Cpu(2);
}
