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

        Assert.That(LeastAllocated(() => batch.Step(trainer)), Is.Zero);
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
        Assert.That(LeastAllocated(() => predictor.Predict(batch.X.AsSpan(0, inputs), alone)), Is.Zero);
        Assert.That(LeastAllocated(() => predictor.Predict(batch.X, together)), Is.Zero);
    }

    /// <summary>
    /// What all threads allocated in the quietest of several runs: the test host's own threads allocate now and then, the step
    /// always or never.
    /// </summary>
    private static long LeastAllocated(Action action)
    {
        long least = long.MaxValue;
        for (int i = 0; i < 8 && least > 0; i++)
        {
            long before = GC.GetTotalAllocatedBytes(precise: true);
            action();
            least = Math.Min(least, GC.GetTotalAllocatedBytes(precise: true) - before);
        }

        return least;
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
}
