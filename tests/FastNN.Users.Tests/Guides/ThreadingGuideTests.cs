using FastNN.Data;

namespace FastNN.Users.Tests.Guides;

/// <summary>The code of docs/guides/threads-and-memory.md and docs/guides/gpu.md, as the pages show it, and what it must
/// give.</summary>
internal sealed class ThreadingGuideTests
{
    [Test]
    public void One_predictor_serves_all_threads()
    {
        float[][] inputs = [.. Enumerable.Range(0, 64).Select(i => Numbers(8, i))];
        Sequential model = Network();

        using Device device = Device.Cpu(threads: 1);               // a call computes on its own thread
        using Predictor predictor = model.CreatePredictor(device);
        var answers = new float[inputs.Length][];
        Parallel.For(0, inputs.Length, i => answers[i] = predictor.Predict(inputs[i]));

        for (int i = 0; i < inputs.Length; i++)
        {
            Assert.That(answers[i], Is.EqualTo(predictor.Predict(inputs[i])));
        }
    }

    [Test]
    public void A_known_batch_size_allocates_nothing()
    {
        float[] x = Numbers(8 * 4, 1), y = new float[3 * 4];
        using Device device = Device.Cpu(threads: 1);
        using Predictor predictor = Network().CreatePredictor(device);

        predictor.Predict(x, y);                                    // plans for this number of examples
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 100; i++)
        {
            predictor.Predict(x, y);
        }

        long allocated = GC.GetAllocatedBytesForCurrentThread() - before;
        Assert.That(allocated, Is.Zero);
    }

    [Test]
    public void Calls_at_a_time_and_plans_are_bounded()
    {
        using Device device = Device.Cpu(threads: 1);
        Sequential model = Network();
        float[] x = Numbers(8, 1), y = new float[3];

        using Session session = model.CreateSession(device, new SessionOptions
        {
            MaxConcurrency = 2,                                     // two arenas at most; further callers wait
            MaxPlans = 4,                                           // four sets of shapes are kept
        });
        Parallel.For(0, 32, _ => session.Run(x, new float[3]));
        session.Run(x, y);
        long held = device.Memory.LiveBytes;
        device.Trim();                                              // gives back what is kept for later calls
        long rest = device.Memory.LiveBytes;

        Assert.That(rest, Is.LessThan(held));
        Assert.That(y, Is.EqualTo(Answer(session, x)));
    }

    [Test]
    public void Memory_of_a_step_is_known_before_it_runs()
    {
        using Device device = Device.Cpu(threads: 1);
        Sequential model = Network();

        using var trainer = new Trainer(model, device, Loss.SparseCrossEntropy, new Adam(), seed: 1);
        MemoryPlan small = trainer.PlanMemory(batchSize: 32), large = trainer.PlanMemory(batchSize: 256);
        Console.WriteLine($"{small.PeakBytes:N0} and {large.PeakBytes:N0} bytes; not less than {large.LowerBoundBytes:N0}");

        Assert.That(large.PeakBytes, Is.GreaterThan(small.PeakBytes).And.GreaterThanOrEqualTo(large.LowerBoundBytes));
    }

    [Test]
    public void Two_threads_on_one_trainer_are_told()
    {
        using Device device = Device.Cpu(threads: 1);
        Dataset data = Dataset.FromFloats(Numbers(8 * 64, 1), [8], new int[64], classes: 3);
        using var trainer = new Trainer(Network(), device, Loss.SparseCrossEntropy, new Adam(), seed: 1);
        ConcurrentUseException? told = null;
        trainer.Fit(data, epochs: 1, batchSize: 64, callbacks: [Callback.OnBatchEnd(_ =>
        {
            var other = new Thread(() => told = Assert.Throws<ConcurrentUseException>(() => trainer.Evaluate(data)));
            other.Start();
            other.Join();
        })]);
        GuidePage.AssertShows("threads-and-memory.md", told!.Message);
    }

    [Test]
    public void The_best_device_says_what_it_is()
    {
        using Device device = Device.Best(threads: 2);
        Console.WriteLine(device.Description);
        if (device.FallbackReason is { } reason)
        {
            Console.WriteLine($"on the CPU, because {reason}");
        }

        Assert.That(device.Kind == "cuda" || device.FallbackReason is not null);
    }

    [Test]
    public void What_there_is_of_CUDA_is_told_without_an_exception()
    {
        CudaProbe probe = Device.ProbeCuda();
        if (probe.Reason is { } missing)
        {
            Console.WriteLine($"no GPU: {missing}");
        }

        foreach (CudaDeviceInfo gpu in probe.Devices)
        {
            Console.WriteLine($"{gpu.Index}: {gpu.Name}, {gpu.MemoryBytes >> 30} GiB, {gpu.Unusable ?? "can be used"}");
        }

        Console.WriteLine($"cuBLAS {probe.Cublas}, cuDNN {probe.Cudnn}");
        Assert.That(probe.Reason is null, Is.EqualTo(probe.Devices.Count > 0));
    }

    private static float[] Answer(Session session, float[] x)
    {
        var y = new float[3];
        session.Run(x, y);
        return y;
    }

    private static Sequential Network()
    {
        var model = new Sequential(new Dense(16, Activation.ReLU), new Dense(3));
        model.Build([8], seed: 1);
        return model;
    }

    private static float[] Numbers(int count, int seed) =>
        [.. Enumerable.Range(0, count).Select(i => MathF.Sin((i * 12.9898f) + (seed * 78.233f)))];
}
