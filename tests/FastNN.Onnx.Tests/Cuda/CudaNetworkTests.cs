using FastNN.Cli;
using FastNN.Testing;

namespace FastNN.Onnx.Tests.Cuda;

/// <summary>
/// Files on the software CUDA device: the numbers of the CPU, and each run of known shapes one launch of a captured graph that
/// allocates nothing, with cuDNN and with kernels of our own.
/// </summary>
[TestFixture(true)]
[TestFixture(false)]
internal sealed class CudaNetworkTests(bool cudnn)
{
    // Of the largest output.
    private const double Tolerance = 1e-4;

    // Two runs launch kernel by kernel and load what they need; a third is the captured graph, and a fourth has nothing new.
    private const int RunsBeforeMeasured = 3;

    private Device _gpu = null!;
    private Device _cpu = null!;

    [OneTimeSetUp]
    public void Open()
    {
        _gpu = TestGpu.Open(new CudaOptions { UseCudnn = cudnn });
        _cpu = Device.Cpu(2);
    }

    [TearDown]
    public void NoFindings() => TestGpu.RequireNoFindings();

    [OneTimeTearDown]
    public void Close()
    {
        _cpu.Dispose();
        _gpu.Dispose();
        TestGpu.RequireNothingAlive();
    }

    [TestCaseSource(typeof(CudaNetworkTable), nameof(CudaNetworkTable.All))]
    public void A_run_gives_the_cpus_numbers_and_is_one_launch(object network)
    {
        (byte[] file, Func<int, OnnxTensor[]> inputsOf) = ((CudaNetwork)network).Write();
        using OnnxModel model = OnnxModel.Load(file, network.ToString()!);
        using OnnxSession expected = model.Compile(_cpu), session = model.Compile(_gpu);
        foreach (int batch in new[] { 1, 3 })
        {
            OnnxTensor[] inputs = inputsOf(batch);
            Assert.That(session.HostReason(inputs), Is.Null);
            OnnxTensor[] wanted = expected.CreateOutputs(inputs), outputs = session.CreateOutputs(inputs);
            expected.Run(inputs, wanted);
            for (int run = 0; run < RunsBeforeMeasured; run++)
            {
                session.Run(inputs, outputs);
                Compare(wanted, outputs, $"batch {batch}, run {run}");
            }

            RunMeasured(session, inputs, outputs);
            Compare(wanted, outputs, $"batch {batch}, the measured run");
        }
    }

    /// <summary>cuDNN may choose an algorithm that rounds on the way, so it is not asked.</summary>
    [Test]
    public void Convolutions_of_integers_are_exact()
    {
        SoftwareDevice counter = TestGpu.Software;
        counter.ResetCounters();
        IntegerExactnessTests.Compare(IntegerExactnessTests.TwoLayers(), _gpu, IntegerExactnessTests.Input(1));
        Assert.That(counter.Counts().Kernels.Select(kernel => kernel.Name), Has.None.EqualTo("cudnnConvolutionForward"));
    }

    /// <summary>cuDNN wants filters otherwise than they lie; those of a file do not change.</summary>
    [Test]
    public void No_run_transposes_filters()
    {
        SoftwareDevice counter = TestGpu.Software;
        (byte[] file, Func<int, OnnxTensor[]> inputsOf) = CudaNetworkTable.All.First(network => network.Name == "fire module")
            .Write();
        using OnnxModel model = OnnxModel.Load(file);
        using OnnxSession session = model.Compile(_gpu);
        OnnxTensor[] inputs = inputsOf(2), outputs = session.CreateOutputs(inputs);
        counter.ResetCounters();
        session.Run(inputs, outputs);
        string[] kernels = [.. counter.Counts().Kernels.Select(kernel => kernel.Name)];
        Assert.That(kernels.Where(name => name.Contains("transpose", StringComparison.Ordinal)), Is.Empty);
        Assert.That(kernels.Contains("cudnnConvolutionForward"), Is.EqualTo(cudnn), string.Join(", ", kernels));
    }

    private static void RunMeasured(OnnxSession session, OnnxTensor[] inputs, OnnxTensor[] outputs)
    {
        if (TestGpu.IsSoftware)
        {
            TestGpu.Software.ResetCounters();
        }

        long before = GC.GetAllocatedBytesForCurrentThread();
        session.Run(inputs, outputs);
        long allocated = GC.GetAllocatedBytesForCurrentThread() - before;
        Assert.That(allocated, Is.Zero, "managed bytes");
        if (TestGpu.IsSoftware)
        {
            DeviceCounts counts = TestGpu.Software.Counts();
            Assert.Multiple(() =>
            {
                Assert.That(counts.GraphLaunches, Is.EqualTo(1), "graph launches");
                Assert.That(counts.Calls.GetValueOrDefault("cuLaunchKernel"), Is.Zero, "launches outside the graph");
                Assert.That(counts.Allocations, Is.Zero, "device allocations");
                Assert.That(counts.DeviceToHost.Count, Is.EqualTo(outputs.Length), "copies to the host");
            });
        }
    }

    private static void Compare(OnnxTensor[] wanted, OnnxTensor[] got, string where)
    {
        for (int i = 0; i < wanted.Length; i++)
        {
            float[] expected = wanted[i].Floats(), actual = got[i].Floats();
            double largest = expected.Max(Math.Abs);
            Assert.That(largest, Is.GreaterThan(0), $"{where}, output {i}: nothing to compare");
            Assert.That(actual, Is.EqualTo(expected).Within(Tolerance * largest), $"{where}, output {i}");
        }
    }
}
