using System.Diagnostics;
using FastNN.Cli.Running;
using FastNN.Data;

namespace FastNN.Cli.Recipes;

/// <summary>One convolution, trained by a loop of its own as PyTorch users write it.</summary>
internal sealed class MnistCnnSmall : MnistRecipe
{
    public override string Name => "mnist-cnn-small";

    public override string Network => "Conv 32 3x3 ReLU, MaxPool 2, Flatten, Dense 128 ReLU, Dense 10";

    public override string TrainingDescription =>
        "sparse cross-entropy, Adam 1e-3 (x0.8 per epoch), batch 32, 5 epochs, explicit training loop";

    public override Goal Goal => new("test accuracy", 0.985);

    public override Goal QuickGoal => new("test accuracy", 0.90);

    public override int Epochs => 5;

    public override int Batch => 32;

    public override float LearningRateDecay => 0.8f;

    public override Loss Loss => Loss.SparseCrossEntropy;

    public override Layer CreateModel() => new Sequential(
        new Conv2D(32, 3, Activation.ReLU),
        new MaxPool2D(2),
        new Flatten(),
        new Dense(128, Activation.ReLU),
        new Dense(10));

    public override void Train(TrainingJob job)
    {
        Trainer trainer = job.Trainer;
        using var loader = new DataLoader(job.Data.Train, job.Batch, shuffle: true, job.Seed);
        // The step count says where a resumed run is.
        int first = (int)(trainer.StepCount / loader.BatchesPerEpoch);
        int done = (int)(trainer.StepCount % loader.BatchesPerEpoch);
        job.Begin();
        for (int epoch = first + 1; epoch <= job.Epochs; epoch++)
        {
            var watch = Stopwatch.StartNew();
            var mean = new RunningLoss(job.Recorder, epoch, done, loader);
            loader.StartEpoch(epoch, done, job.Cancellation);
            job.BeginEpoch(epoch, done);
            while (loader.TryNext(out Batch batch))
            {
                float loss = trainer.TrainBatch(batch.Features, batch.Labels);
                mean.Add(loss, batch.Count);
                job.EndBatch(new BatchResult
                {
                    Epoch = epoch,
                    Batch = batch.Index,
                    Batches = loader.BatchesPerEpoch,
                    Count = batch.Count,
                    Step = trainer.StepCount,
                    Loss = loss,
                    MeanLoss = mean.Value,
                    Accuracy = double.NaN,
                });
            }

            done = 0;
            job.EndEpoch(
                new EpochResult
                {
                    Epoch = epoch,
                    Loss = mean.Value,
                    Duration = watch.Elapsed,
                    LearningRate = trainer.Optimizer.LearningRate
                });
        }
    }

    /// <summary>The epoch's mean loss, taken up where an interrupted run left it.</summary>
    private struct RunningLoss
    {
        private double _sum;
        private long _count;

        public RunningLoss(RunRecorder recorder, int epoch, int done, DataLoader loader)
        {
            for (int batch = 0; batch < done; batch++)
            {
                // Only the last batch of an epoch is smaller, and that is never done in the midst of one.
                Add(recorder.Losses[((epoch - 1) * loader.BatchesPerEpoch) + batch], loader.BatchSize);
            }
        }

        public readonly double Value => _sum / _count;

        public void Add(float loss, int count)
        {
            _sum += (double)loss * count;
            _count += count;
        }
    }
}
