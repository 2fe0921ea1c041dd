namespace FastNN.Tests.Training;

internal sealed class StepTests : StepFixture
{
    protected override Device Open() => Device.Cpu(2);
}
