using FastNN.Data;

namespace FastNN.Cuda.Tests;

/// <summary>Training through captured steps and fed batches, beside the same training on the CPU.</summary>
internal sealed class CudaTrainingTests
{
    private const int Batch = 16;

    [TearDown]
    public void NothingIsLeft() => TestGpu.RequireNothingAlive();

    [Test]
    public void Epochs_whose_last_batch_is_smaller_lose_what_they_lose_on_the_cpu([Values(0f, 0.25f)] float dropout)
    {
        // 7 batches an epoch, the last of 4: programs of two sizes take turns, and both are captured.
        Dataset points = Toy.Points(100);
        (double[] losses, float[] weights) = Fit(TestGpu.Open(), points, dropout);
        (double[] expected, float[] expectedWeights) = Fit(Device.Cpu(2), points, dropout);
        Near.Check("losses", Array.ConvertAll(losses, loss => (float)loss), expected, 1e-5);
        Near.Check("weights", weights, Array.ConvertAll(expectedWeights, value => (double)value), 1e-5);
    }

    private static (double[] Losses, float[] Weights) Fit(Device opened, Dataset points, float dropout)
    {
        using Device device = opened;
        Sequential model = Toy.Model(dropout);
        using Trainer trainer = Toy.Trainer(device, model);
        History history = trainer.Fit(points, epochs: 4, batchSize: Batch, validation: Toy.Points(40, seed: 8));
        return (
            [.. history.Epochs.SelectMany(epoch => new[] { epoch.Loss, epoch.ValidationLoss!.Value })], Toy.Parameters(model));
    }
}
