using FastNN.Tensors;

namespace FastNN.Cuda.Tests;

[NonParallelizable]
internal sealed class CudaLifetimeTests : LifetimeFixture
{
    protected override long LiveBlocks => HostMemory.LiveBlocks + MemoryPool.LiveBlocks;

    protected override Device Open() => TestGpu.Open();

    [TearDown]
    public void NothingIsLeft() => TestGpu.RequireNothingAlive();

    [Test]
    public void Weights_that_cannot_be_read_from_a_failed_device_are_lost_by_name_until_they_are_loaded()
    {
        string path = Path.GetTempFileName();
        Sequential model = Toy.Built();
        model.Save(path);
        using (Device device = TestGpu.Open())
        {
            Trainer trainer = Toy.Trainer(device, model);
            trainer.TrainBatch([1, 2], [1]);
            Assert.That(TestGpu.Software.Set("SOFTCUDA_FAIL", "cuMemcpyDtoHAsync_v2:1:1"), Is.True);
            Assert.That(trainer.Dispose, Throws.Nothing);
            Assert.That(TestGpu.Software.Set("SOFTCUDA_FAIL", ""), Is.True);
            Assert.That(device.Memory.LiveBlocks, Is.Zero);
            Assert.That(
                () => Toy.Parameters(model),
                Throws.InvalidOperationException.With.Message.Contains("lost").And.Message.Contains("load"));
            using (Trainer next = Toy.Trainer(device, model))
            {
                Assert.That(() => next.TrainBatch([1, 2], [1]), Throws.InvalidOperationException.With.Message.Contains("lost"));
            }

            model.LoadWeights(path);
            using Trainer last = Toy.Trainer(device, model);
            Assert.That(float.IsFinite(last.TrainBatch([1, 2], [1])));
        }

        File.Delete(path);
    }

    [Test]
    public void A_first_step_whose_upload_fails_leaves_the_model_on_the_host([Range(1, 6)] int call)
    {
        Sequential model = Toy.Built();
        using Device device = TestGpu.Open();
        using (Trainer trainer = Toy.Trainer(device, model))
        {
            Assert.That(TestGpu.Software.Set("SOFTCUDA_FAIL", $"cuMemcpyHtoDAsync_v2:{call}:1"), Is.True);
            Assert.That(() => trainer.TrainBatch([1, 2], [1]), Throws.TypeOf<DeviceException>());
            Assert.That(TestGpu.Software.Set("SOFTCUDA_FAIL", ""), Is.True);
            Near.SameBits(Toy.Parameters(Toy.Built()), Toy.Parameters(model));
            Assert.That(float.IsFinite(trainer.TrainBatch([1, 2], [1])));
        }

        Assert.That(device.Memory.LiveBlocks, Is.Zero);
    }
}
