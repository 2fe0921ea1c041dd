using System.Runtime.InteropServices;
using FastNN.Data;
using FastNN.Kernels;
using FastNN.Tensors;
using FastNN.Training;

namespace FastNN.Cuda.Tests;

/// <summary>Batches that are sent ahead, by themselves and through Fit.</summary>
internal sealed class BatchFeedTests
{
    private const int Size = 16;

    [TearDown]
    public void NothingIsLeft() => TestGpu.RequireNothingAlive();

    [Test]
    public void Batches_come_in_the_order_in_which_they_were_pushed()
    {
        using CudaDevice device = TestGpu.Create();
        nint block = device.Allocate(64);
        Tensor x = new(block, DType.Float32, new Shape(2, 3)), labels = new(block + 32, DType.Int32, new Shape(2));
        using (BatchFeed feed = BatchFeed.Create(device, x, labels)!)
        {
            Assert.That(feed.TryPull(), Is.False, "nothing was pushed");
            for (int round = 0; round < 3; round++)
            {
                Push(feed, 2 * round);
                Push(feed, (2 * round) + 1);
                for (int batch = 2 * round; batch < (2 * round) + 2; batch++)
                {
                    Assert.That(feed.TryPull());
                    var values = new float[6];
                    var indices = new int[2];
                    device.Download(x, MemoryMarshal.AsBytes(values.AsSpan()));
                    device.Download(labels, MemoryMarshal.AsBytes(indices.AsSpan()));
                    Assert.That(values, Is.All.EqualTo(batch));
                    Assert.That(indices, Is.All.EqualTo(-batch));
                }

                Assert.That(feed.TryPull(), Is.False, "all were pulled");
            }
        }

        device.Free(block);
    }

    [Test]
    public void A_cpu_has_no_feed()
    {
        using IDevice device = Device.Cpu(1).Implementation;
        nint block = device.Allocate(64);
        var x = new Tensor(block, DType.Float32, new Shape(1));
        Assert.That(BatchFeed.Create(device, x, x), Is.Null);
        device.Free(block);
    }

    [Test]
    public void Every_step_of_an_epoch_whose_last_batch_is_smaller_loses_what_it_loses_on_the_cpu()
    {
        // 32 batches, the last of 4; all but the first and the last may be sent ahead.
        Dataset points = Toy.Points((31 * Size) + 4);
        BatchResult[] expected = Fit(Device.Cpu(2), points).Batches;
        TestGpu.Software.ResetCounters();
        BatchResult[] batches = Fit(TestGpu.Open(), points).Batches;
        // The feed's own call, twice for inputs and twice for targets.
        long sent = TestGpu.Software.Counts().Calls.GetValueOrDefault("cuStreamWaitEvent") / 4;
        Assert.That(sent, Is.GreaterThanOrEqualTo(15), "the loader has the next batch ready when a step begins");
        Assert.That(batches.Select(batch => batch.Count), Is.EqualTo(Enumerable.Repeat(Size, 31).Append(4)));
        Assert.That(batches, Has.Length.EqualTo(expected.Length));
        for (int i = 0; i < batches.Length; i++)
        {
            Assert.That(batches[i].Loss, Is.EqualTo(expected[i].Loss).Within(1e-4), $"loss of batch {i}");
            Assert.That(batches[i].Count, Is.EqualTo(expected[i].Count));
        }
    }

    [Test]
    public void A_bad_label_ends_training_at_the_batch_that_holds_it([Values(0, 37, 64, 99)] int example, [Values] bool gpu)
    {
        var labels = new int[100];
        labels[example] = Toy.Classes;
        Dataset data = Dataset.FromFloats(new float[200], [2], labels, Toy.Classes + 1);
        (int batch, int place) = Find(data, Toy.Classes);
        (BatchResult[] batches, long steps, Exception? exception) = Fit(gpu ? TestGpu.Open() : Device.Cpu(2), data);
        Assert.That(exception, Is.TypeOf<InvalidDatasetException>());
        Assert.That(exception!.Message, Does.Contain($"label {Toy.Classes} of example {place} of the batch"));
        Assert.That((steps, batches.Length), Is.EqualTo(((long)batch, batch)), "the batches before it, and no more");
    }

    private static void Push(BatchFeed feed, int batch)
    {
        float[] values = [batch, batch, batch, batch, batch, batch];
        int[] labels = [-batch, -batch];
        feed.Push(MemoryMarshal.AsBytes(values.AsSpan()), MemoryMarshal.AsBytes(labels.AsSpan()));
    }

    /// <summary>The batch of the first epoch that holds a label, and its place there.</summary>
    private static (int Batch, int Place) Find(Dataset data, int label)
    {
        // The seed of Toy's trainers.
        using var loader = new DataLoader(data, Size, seed: 5);
        loader.StartEpoch(1);
        while (loader.TryNext(out Batch batch))
        {
            if (batch.Labels.IndexOf(label) is var place and >= 0)
            {
                return (batch.Index, place);
            }
        }

        throw new InvalidOperationException($"no label {label}");
    }

    private static (BatchResult[] Batches, long Steps, Exception? Exception) Fit(Device opened, Dataset data)
    {
        using Device device = opened;
        using Trainer trainer = Toy.Trainer(device);
        var recorder = new Recorder();
        Exception? exception = null;
        try
        {
            trainer.Fit(data, epochs: 1, batchSize: Size, callbacks: [recorder]);
        }
        catch (InvalidDatasetException thrown)
        {
            exception = thrown;
        }

        return ([.. recorder.Batches], trainer.StepCount, exception);
    }

    private sealed class Recorder : Callback
    {
        public List<BatchResult> Batches { get; } = [];

        public override void OnBatchEnd(Trainer trainer, in BatchResult result) => Batches.Add(result);
    }
}
