using FastNN.Layers;

namespace FastNN.Tests.Layers;

internal sealed class CheckpointTests : RecomputationFixture
{
    protected override Device Open() => Device.Cpu(2);

    [Test]
    public void A_model_file_has_it()
    {
        string path = Path.GetTempFileName();
        using (Device device = Open())
        using (Trainer trainer = Create(device, true, false))
        {
            trainer.Fit(Data(false), 1, 8);
            trainer.Model.Save(path);
            Model loaded = Model.Load(path);
            Assert.That(LayerTree.Layers(loaded).Count(part => part.Layer is Checkpoint), Is.EqualTo(2));
            Near.SameBits([Toy.Parameters(trainer.Model)], [Toy.Parameters(loaded)]);
        }

        File.Delete(path);
        Assert.That(() => new Checkpoint(), Throws.ArgumentException.With.Message.Contains("at least one layer"));
    }
}
