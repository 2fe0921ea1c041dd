namespace FastNN.Tests.Training;

internal sealed class IndexRangeTests : IndexRangeFixture
{
    protected override Device Open() => Device.Cpu(2);
}
