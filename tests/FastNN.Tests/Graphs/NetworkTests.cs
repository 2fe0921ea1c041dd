using FastNN.Cpu;

namespace FastNN.Tests.Graphs;

/// <summary>
/// The six networks as a whole: the number of threads and a second run change no bit, and a step allocates nothing.
/// </summary>
internal sealed class NetworkTests
{
    private const int Steps = 4;

    [TestCaseSource(typeof(Networks), nameof(Networks.All))]
    public void Training_is_the_same_to_the_last_bit_for_any_number_of_threads(Network network)
    {
        float[][] one = Train(network, threads: 1, seed: 1);
        Near.SameBits(one, Train(network, threads: 2, seed: 1));
        Near.SameBits(one, Train(network, threads: 2, seed: 1));
        Assert.That(Train(network, threads: 2, seed: 2)[^1], Is.Not.EqualTo(one[^1]), "another seed, other weights");
    }

    [TestCaseSource(typeof(Networks), nameof(Networks.All))]
    public void A_step_allocates_nothing(Network network)
    {
        using var device = Device.Cpu(2);
        using var trainer = new Trainer(network.Build(), device, network.Loss, network.Optimizer());
        var batch = new RandomBatch(network);
        for (int i = 0; i < 3; i++)
        {
            batch.Step(trainer);
        }

        Assert.That(Allocated(device, () => batch.Step(trainer)), Is.Zero);
    }

    [TestCaseSource(typeof(Networks), nameof(Networks.All))]
    public void A_prediction_allocates_nothing_and_does_not_depend_on_the_batch(Network network)
    {
        using var device = Device.Cpu(2);
        using Predictor predictor = network.Build().CreatePredictor(device);
        var batch = new RandomBatch(network);
        var together = new float[network.Batch * network.Classes];
        var alone = new float[network.Classes];
        int inputs = batch.X.Length / network.Batch;
        predictor.Predict(batch.X, together);
        predictor.Predict(batch.X.AsSpan(0, inputs), alone);
        Near.Check("first example", alone, Array.ConvertAll(together[..network.Classes], value => (double)value), 1e-5);
        Assert.That(Allocated(device, () => predictor.Predict(batch.X.AsSpan(0, inputs), alone)), Is.Zero);
        Assert.That(Allocated(device, () => predictor.Predict(batch.X, together)), Is.Zero);
    }

    [Test]
    public void An_allocation_would_be_seen()
    {
        using var device = Device.Cpu(2);
        Assert.That(Allocated(device, () => GC.KeepAlive(new byte[100])), Is.GreaterThanOrEqualTo(400));
    }

    /// <summary>
    /// What the caller and the device's workers allocate in a few runs. The test host's own threads allocate now and then, and on
    /// a busy machine within every run.
    /// </summary>
    private static long Allocated(Device device, Action action)
    {
        WorkerPool pool = ((CpuDevice)device.Implementation).Pool;
        long before = AllocatedBy(pool);
        for (int i = 0; i < 4; i++)
        {
            action();
        }

        return AllocatedBy(pool) - before;
    }

    private static long AllocatedBy(WorkerPool pool)
    {
        var all = new EachThread(pool.Threads);
        pool.Run(pool.Threads, ref all);
        return all.Bytes;
    }

    private static float[][] Train(Network network, int threads, ulong seed)
    {
        using var device = Device.Cpu(threads);
        var model = network.Build(seed);
        var losses = new float[Steps];
        using (var trainer = new Trainer(model, device, network.Loss, network.Optimizer(), seed))
        {
            var batch = new RandomBatch(network);
            for (int i = 0; i < Steps; i++)
            {
                losses[i] = batch.Step(trainer);
            }
        }

        Assert.That(losses[^1], Is.LessThan(losses[0]), "training on one batch lowers its loss");
        return [losses, .. model.Parameters.Select(Read)];
    }

    private static float[] Read(Parameter parameter)
    {
        var values = new float[parameter.Count];
        parameter.Read(values);
        return values;
    }

    /// <summary>
    /// Adds up what every thread of a pool has allocated: none leaves its task before all have come, so each has one.
    /// </summary>
    private struct EachThread(int threads) : IParallelBody
    {
        private int _arrived;
        private long _bytes;

        public readonly long Bytes => _bytes;

        public void Invoke(int task, int worker)
        {
            Interlocked.Increment(ref _arrived);
            var wait = default(SpinWait);
            while (Volatile.Read(ref _arrived) < threads)
            {
                wait.SpinOnce();
            }

            Interlocked.Add(ref _bytes, GC.GetAllocatedBytesForCurrentThread());
        }
    }
}
