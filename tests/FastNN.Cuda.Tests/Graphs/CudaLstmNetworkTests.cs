using FastNN.Cli;

namespace FastNN.Cuda.Tests;

/// <summary>A smaller LSTM, since the software device interprets every instruction, with cuDNN and without.</summary>
[TestFixture(true)]
[TestFixture(false)]
internal sealed class CudaLstmNetworkTests(bool cudnn) : LstmNetworkFixture
{
    private const int StepsOfSequence = 7;

    protected override Network Network { get; } = Of(inputs: 9, units: 33, steps: StepsOfSequence, batch: 34);

    protected override Device Open(int threads) => TestGpu.Open(new CudaOptions { UseCudnn = cudnn });

    [TearDown]
    public void NoFindings() => TestGpu.RequireNoFindings();

    [Test]
    public void A_sequence_is_three_calls_of_cuDNN_or_a_launch_for_each_step_each_way() =>
        Assert.That(KernelsOfAStep(Network), Is.LessThanOrEqualTo(cudnn ? 20 : (2 * StepsOfSequence) + 16));

    [Test]
    [Explicit("64 steps of 256 units take a minute where every instruction is interpreted; docs/gpu.md has what it prints.")]
    public void Kernels_of_the_benchmarks_network() => TestContext.Out.WriteLine(
        $"{KernelsOfAStep(Of(inputs: 128, units: 256, steps: 64, batch: 32))} kernels, cuDNN {cudnn}");

    private long KernelsOfAStep(Network network)
    {
        _ = TestGpu.Software;
        using Device device = Open(1);
        using var trainer = new Trainer(network.Build(1), device, network.Loss, network.Optimizer());
        var batch = new RandomBatch(network);
        for (int i = 0; i < 4; i++)
        {
            batch.Step(trainer);
        }

        TestGpu.Software.ResetCounters();
        batch.Step(trainer);
        DeviceCounts counts = TestGpu.Software.Counts();
        Assert.That(counts.GraphLaunches, Is.EqualTo(1));
        return counts.Launches;
    }
}
