namespace FastNN.Cuda.Tests;

internal sealed class MomentsTests : CudaFixture
{
    [TestCaseSource(typeof(MomentsChecks), nameof(MomentsChecks.Shapes))]
    public void Sums_are_those_of_plain_arithmetic((int Rows, int Columns) shape)
    {
        using CudaDevice device = Open();
        MomentsChecks.Check(device, shape.Rows, shape.Columns);
    }
}
