using FastNN.Cli;

namespace FastNN.Cuda.Tests;

/// <summary>A smaller LSTM, since the software device interprets every instruction.</summary>
internal sealed class CudaLstmNetworkTests : LstmNetworkFixture
{
    private const int StepsOfSequence = 7;

    protected override Network Network { get; } = Of(inputs: 9, units: 33, steps: StepsOfSequence, batch: 34);

    protected override Device Open(int threads) => TestGpu.Open();

    [TearDown]
    public void NoFindings() => TestGpu.RequireNoFindings();

    [Test]
    public void A_step_of_the_sequence_is_one_launch_each_way()
    {
        _ = TestGpu.Software;
        using Device device = Open(1);
        using Trainer trainer = Create(device);
        var batch = new RandomBatch(Network);
        for (int i = 0; i < 4; i++)
        {
            batch.Step(trainer);
        }

        TestGpu.Software.ResetCounters();
        batch.Step(trainer);
        DeviceCounts counts = TestGpu.Software.Counts();
        Assert.That(counts.GraphLaunches, Is.EqualTo(1));
        Assert.That(counts.Launches, Is.LessThanOrEqualTo((2 * StepsOfSequence) + 16));
    }
}
