using FastNN.Tensors;

namespace FastNN.Cuda.Tests;

/// <summary>Functional models and sessions on the GPU, beside the CPU.</summary>
internal sealed class CudaModelTests
{
    [TearDown]
    public void NothingIsLeft() => TestGpu.RequireNothingAlive();

    [Test]
    public void A_session_of_two_inputs_and_outputs_gives_the_cpus_at_sizes_that_grow_and_shrink()
    {
        Model model = FunctionalModels.TwoByTwo();
        model.Build(seed: 3);
        using Device cpu = Device.Cpu(2), gpu = TestGpu.Open();
        using Session expected = model.CreateSession(cpu),
        actual = model.CreateSession(gpu, new SessionOptions { MaxPlans = 2, MaxConcurrency = 1 });
        foreach (int batch in new[] { 1, 3, 3, 3, 9, 3, 1, 9, 9, 9, 17, 3 })
        {
            // Captured at the third call in a row, bound again where the arena moved, planned again where the plan was dropped.
            float[] image = new float[batch * 64], table = new float[batch * 5];
            Philox.FillUniform(image, 1, (uint)batch);
            Philox.FillUniform(table, 2, (uint)batch);
            float[] price = new float[batch], kind = new float[batch * 3], wantedPrice = new float[batch],
            wantedKind = new float[batch * 3];
            FunctionalModels.Run(expected, image, table, wantedPrice, wantedKind);
            FunctionalModels.Run(actual, image, table, price, kind);
            Near.Check("price", price, Array.ConvertAll(wantedPrice, value => (double)value), 1e-5);
            Near.Check("kind", kind, Array.ConvertAll(wantedKind, value => (double)value), 1e-5);
        }
    }

    [Test]
    public void Trimming_gives_back_all_but_the_parameters()
    {
        using Device gpu = TestGpu.Open();
        using Predictor predictor = Toy.Built().CreatePredictor(gpu);
        long parameters = gpu.Memory.LiveBytes;
        float[] y = predictor.Predict(new float[2 * 5]);
        Assert.That(gpu.Memory.LiveBytes, Is.GreaterThan(parameters));
        gpu.Trim();
        Assert.That((gpu.Memory.LiveBytes, gpu.Memory.CachedBytes), Is.EqualTo((parameters, 0L)));
        Assert.That(predictor.Predict(new float[2 * 5]), Is.EqualTo(y));
    }

    [Test]
    public void A_residual_network_loses_what_it_loses_on_the_cpu()
    {
        Near.Check("losses", Losses(TestGpu.Open()), Array.ConvertAll(Losses(Device.Cpu(2)), loss => (double)loss), 1e-5);

        static float[] Losses(Device opened)
        {
            using Device device = opened;
            using Trainer trainer = new(FunctionalModels.Residual(), device, Loss.SparseCrossEntropy, new Adam(0.01f), seed: 1);
            return [.. trainer.Fit(Toy.Points(96), epochs: 3, batchSize: 16).Epochs.Select(epoch => (float)epoch.Loss)];
        }
    }
}
