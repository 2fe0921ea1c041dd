using FastNN.Cli;
using FastNN.Data;

namespace FastNN.Cuda.Tests;

/// <summary>
/// The recipes' networks on the software GPU, with cuDNN's convolutions and with FastNN's own: they train as on the CPU, a step
/// is one launch.
/// </summary>
[TestFixture(true)]
[TestFixture(false)]
internal sealed class CudaNetworkTests(bool cudnn)
{
    private const int Steps = 6;

    private readonly Dictionary<string, Training> _trained = [];

    private Device _gpu = null!;

    [OneTimeSetUp]
    public void OpenDevice() => _gpu = TestGpu.Open(new CudaOptions { UseCudnn = cudnn });

    [TearDown]
    public void NoFindings() => TestGpu.RequireNoFindings();

    [OneTimeTearDown]
    public void DisposeDevice()
    {
        _gpu.Dispose();
        TestGpu.RequireNothingAlive();
    }

    [TestCaseSource(typeof(Networks), nameof(Networks.All))]
    public void Training_follows_the_cpu(Network network)
    {
        Training actual = TrainOnGpu(network);
        using var cpu = Device.Cpu(2);
        Training expected = Train(network, cpu);
        for (int i = 0; i < Steps; i++)
        {
            Assert.That(
                actual.Losses[i], Is.EqualTo(expected.Losses[i]).Within(1e-4 * Math.Abs(expected.Losses[i])),
                $"loss of step {i}");
        }

        for (int i = 0; i < actual.Weights.Length; i++)
        {
            Near.Check($"parameter {i}", actual.Weights[i], Array.ConvertAll(expected.Weights[i], value => (double)value), 5e-4);
        }
    }

    [TestCaseSource(typeof(Networks), nameof(Networks.All))]
    public void A_step_is_one_graph_launch_that_allocates_nothing(Network network)
    {
        _ = TestGpu.Software;
        Training training = TrainOnGpu(network);
        DeviceCounts counts = training.LastStep!;
        Assert.Multiple(() =>
        {
            Assert.That(training.Allocated, Is.Zero, "managed bytes");
            Assert.That(counts.Allocations, Is.Zero, "device allocations");
            Assert.That(counts.GraphLaunches, Is.EqualTo(1), "graph launches");
            Assert.That(counts.Synchronizations, Is.LessThanOrEqualTo(1), "synchronisations, the reading of the loss among them");
            Assert.That(counts.Calls.GetValueOrDefault("cuLaunchKernel"), Is.Zero, "launches outside the graph");
            Assert.That(counts.Launches, Is.LessThanOrEqualTo(Limit(network)), "kernels of a step");
        });
    }

    [TestCaseSource(typeof(Networks), nameof(Networks.All))]
    public void Predictions_equal_the_cpus(Network network)
    {
        using var cpu = Device.Cpu(2);
        Sequential model = network.Build();
        using Predictor expected = model.CreatePredictor(cpu), actual = model.CreatePredictor(_gpu);
        var batch = new RandomBatch(network);
        float[] y = new float[network.Batch * network.Classes], wanted = new float[y.Length];
        expected.Predict(batch.X, wanted);
        for (int i = 0; i < 4; i++)
        {
            // Launched twice kernel by kernel, then captured.
            actual.Predict(batch.X, y);
            Near.Check($"outputs of call {i}", y, Array.ConvertAll(wanted, value => (double)value), 1e-5);
        }

        if (TestGpu.IsSoftware)
        {
            TestGpu.Software.ResetCounters();
            actual.Predict(batch.X, y);
            Assert.That(TestGpu.Software.Counts().GraphLaunches, Is.EqualTo(1));
        }
    }

    [Test]
    public void Steps_on_mnist_lose_what_they_lose_on_the_cpu()
    {
        if (!DatasetCache.IsPresent("mnist"))
        {
            Assert.Ignore("MNIST is not in the cache; `fastnn data mnist` gets it.");
        }

        Network network = Networks.All.Single(candidate => candidate.Name == "mnist-cnn");
        Quick.Skip("MNIST on the software GPU");
        // The software device interprets every instruction of FastNN's own convolutions, so they take fewer steps of a smaller
        // batch.
        (int steps, int batch) = cudnn ? (50, network.Batch) : (20, network.Batch / 4);
        Dataset train = Mnist.Load().Train.Take(steps * batch);

        // Direct sums on both sides: Winograd's algorithm rounds six times as much, which training then carries on.
        using var cpu = Device.Cpu(2, new CpuOptions { AllowWinograd = false });
        float[] expected = Fit(network, cpu, train, batch), losses = Fit(network, _gpu, train, batch);
        Assert.That(losses, Has.Length.EqualTo(steps));
        for (int i = 0; i < steps; i++)
        {
            Assert.That(losses[i], Is.EqualTo(expected[i]).Within(1e-4 * expected[i]), $"loss of step {i}");
        }
    }

    private static int Limit(Network network) => network.Name switch
    {
        "mnist-mlp" => 10,
        "breast-cancer-mlp" => 15,
        "lenet-rgb" => 40,
        _ => 30,
    };

    private static float[] Fit(Network network, Device device, Dataset train, int batch)
    {
        var losses = new LossRecorder();
        using var trainer = new Trainer(network.Build(), device, Loss.SparseCrossEntropy, new Adam(1e-3f));
        trainer.Fit(train, epochs: 1, batch, callbacks: [losses]);
        return [.. losses.Values];
    }

    /// <summary>Trained once for the tests that look at it.</summary>
    private Training TrainOnGpu(Network network)
    {
        if (!cudnn && network.Batch > 32)
        {
            Quick.Skip("large batches through FastNN's own convolutions");
        }

        if (!_trained.TryGetValue(network.Name, out Training? training))
        {
            _trained[network.Name] = training = Train(network, _gpu);
        }

        return training;
    }

    private static Training Train(Network network, Device device)
    {
        var losses = new float[Steps];
        long allocated;
        DeviceCounts? counts;
        Sequential model = network.Build();
        using (var trainer = new Trainer(model, device, network.Loss, network.Optimizer(), seed: 1))
        {
            var batch = new RandomBatch(network);
            for (int i = 0; i < Steps - 1; i++)
            {
                losses[i] = batch.Step(trainer);
            }

            bool counted = device.Kind == "cuda" && TestGpu.IsSoftware;
            if (counted)
            {
                TestGpu.Software.ResetCounters();
            }

            long before = GC.GetAllocatedBytesForCurrentThread();
            losses[^1] = batch.Step(trainer);
            allocated = GC.GetAllocatedBytesForCurrentThread() - before;
            counts = counted ? TestGpu.Software.Counts() : null;
        }

        return new Training(losses, [.. model.Parameters.Select(Read)], allocated, counts);
    }

    private static float[] Read(Parameter parameter)
    {
        var values = new float[parameter.Count];
        parameter.Read(values);
        return values;
    }

    /// <param name="Allocated">Managed bytes of the last step.</param>
    /// <param name="LastStep">What the software device counted during it; null on a CPU.</param>
    private sealed record Training(float[] Losses, float[][] Weights, long Allocated, DeviceCounts? LastStep);

    private sealed class LossRecorder : Callback
    {
        public List<float> Values { get; } = [];

        public override void OnBatchEnd(Trainer trainer, in BatchResult result) => Values.Add(result.Loss);
    }
}
