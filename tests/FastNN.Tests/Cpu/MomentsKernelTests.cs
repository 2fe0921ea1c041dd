namespace FastNN.Tests.Cpu;

internal sealed class MomentsKernelTests : DeviceFixture
{
    [TestCaseSource(typeof(MomentsChecks), nameof(MomentsChecks.Shapes))]
    public void Sums_are_those_of_plain_arithmetic((int Rows, int Columns) shape) =>
        MomentsChecks.Check(One, shape.Rows, shape.Columns);
}
