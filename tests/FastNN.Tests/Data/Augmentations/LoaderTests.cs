using FastNN.Data;

namespace FastNN.Tests.Data.Augmentations;

/// <summary>Augmentations on the threads of a loader.</summary>
internal sealed class LoaderTests
{
    private const int Count = 53;

    private static readonly Shape Color = [12, 10, 3];

    private static Compose Pipeline => new(
        new RandomCrop(12, 10) { Padding = 2, PaddingMode = CropPadding.Reflect },
        new RandomHorizontalFlip(),
        new OneOf(new RandomVerticalFlip(), new RandomRotation(20) { Resampling = Resampling.Bilinear }),
        new RandomApply(new Compose(new RandomAffine(10) { Translate = (0.2, 0.2) }, new RandomErasing()), 0.7),
        new RandomPerspective(),
        new RandomResizedCrop(9, 8));

    [Test]
    public void The_bits_are_the_same_for_any_number_of_threads([Values(2, 5)] int threads)
    {
        Dataset data = Images.Dataset(Count, Color);
        using var one = new DataLoader(data, 8, seed: 3, transform: Pipeline);
        using var several = new DataLoader(data, 8, seed: 3, transform: Pipeline, threads: threads);
        for (int epoch = 1; epoch <= 3; epoch++)
        {
            Assert.That(Draw(several, epoch), Is.EqualTo(Draw(one, epoch)));
        }
    }

    [Test]
    public void An_image_is_the_same_in_a_batch_of_any_size()
    {
        Dataset data = Images.Dataset(Count, Color);
        using var small = new DataLoader(data, 4, seed: 3, transform: Pipeline);
        using var large = new DataLoader(data, 20, shuffle: false, seed: 3, transform: Pipeline);
        Dictionary<int, float[]> other = ByExample(large, 2);
        foreach ((int example, float[] image) in ByExample(small, 2))
        {
            Assert.That(image, Is.EqualTo(other[example]));
        }

        Assert.That(ByExample(small, 3)[7], Is.Not.EqualTo(other[7]), "another epoch");
    }

    [Test]
    public void An_epoch_that_was_interrupted_goes_on_with_the_same_bits([Values(1, 3)] int threads)
    {
        Dataset data = Images.Dataset(Count, Color);
        using var whole = new DataLoader(data, 8, seed: 3, transform: Pipeline);
        float[] expected = Draw(whole, 2);
        using var resumed = new DataLoader(data, 8, seed: 3, transform: Pipeline, threads: threads);
        Assert.That(Draw(resumed, 2, firstBatch: 4), Is.EqualTo(expected[(4 * 8 * 9 * 8 * 3)..]));
    }

    [Test]
    [NonParallelizable]
    public void Nothing_is_allocated_after_the_first_epoch([Values(1, 2)] int threads)
    {
        using var loader = new DataLoader(Images.Dataset(400, Color), 8, seed: 3, transform: Pipeline, threads: threads);
        for (int epoch = 1; epoch <= 3; epoch++)
        {
            Drain(loader, epoch);
        }

        // All threads' bytes: others may run beside, so the least of several counts. Reading the counter costs a few bytes by
        // itself; an allocation per batch would be 50 times 24, one per image 400.
        long least = long.MaxValue;
        for (int epoch = 3; epoch < 13; epoch++)
        {
            long before = GC.GetTotalAllocatedBytes(precise: true);
            Drain(loader, epoch);
            least = Math.Min(least, GC.GetTotalAllocatedBytes(precise: true) - before);
        }

        Assert.That(least, Is.LessThan(200));
    }

    [Test]
    public void A_batch_has_the_shape_that_the_transform_makes()
    {
        using var loader = new DataLoader(Images.Dataset(5, Color), 2, shuffle: false, transform: new CenterCrop(4));
        Assert.That(loader.ExampleShape, Is.EqualTo(new Shape(4, 4, 3)));
        loader.StartEpoch(1);
        Assert.That(loader.TryNext(out Batch batch), Is.True);
        Assert.That(batch.Features.Length, Is.EqualTo(2 * 4 * 4 * 3));
        float[] first = Images.Random(Color.Prepend(5))[..360];
        Assert.That(batch.Features[0], Is.EqualTo(first[((4 * 10) + 3) * 3]), "row 4, column 3");
    }

    [Test]
    public void A_wrong_shape_is_refused_when_the_loader_is_made()
    {
        Assert.That(
            () => new DataLoader(Images.Dataset(5, Color), 2, transform: new Compose(new Resize(8), new RandomCrop(9))),
            Throws.TypeOf<ShapeException>().With.Message.EqualTo(
                "RandomCrop: expected images of at least [9, 9] with 0 pixels of padding on each side, got [8, 8, 3]."));
        Dataset table = Dataset.FromFloats(new float[8], [4], [0, 1], 2);
        Assert.That(
            () => new DataLoader(table, 2, transform: new RandomHorizontalFlip()),
            Throws.TypeOf<ShapeException>().With.Message.EqualTo(
                "RandomHorizontalFlip: expected images of shape [height, width, channels], got [4]."));
        Assert.That(() => new DataLoader(table, 2, threads: 0), Throws.InstanceOf<ArgumentOutOfRangeException>());
    }

    [Test]
    public void A_failure_names_augmentation_and_example([Values(1, 3)] int threads)
    {
        var augment = new Compose(new RandomHorizontalFlip(), new RandomApply(new FailsOnLargeNumbers(), 1));
        using var loader = new DataLoader(Images.Dataset(Count, Color), 5, shuffle: false, transform: augment, threads: threads);
        loader.StartEpoch(2);
        for (int batch = 0; batch < 4; batch++)
        {
            Assert.That(loader.TryNext(out _), Is.True, "the batches before are handed out");
        }

        for (int again = 0; again < 2; again++)
        {
            Assert.That(
                () => loader.TryNext(out _),
                Throws.TypeOf<AugmentationException>().With.Message.EqualTo(
                    "FailsOnLargeNumbers: example 22 in epoch 2: cannot see it").And.InnerException
                    .TypeOf<NotSupportedException>());
        }
    }

    [Test]
    public void A_trainer_ends_with_the_same_bits_for_any_number_of_threads()
    {
        Dataset data = Images.Dataset(40, [8, 8, 1]);
        float[][] ends = [.. new[] { 1, 3 }.Select(threads =>
        {
            var model = new Sequential(new Flatten(), new Dense(3));
            using Device device = Device.Cpu(1);
            using var trainer = new Trainer(model, device, Loss.SparseCrossEntropy, new Adam(0.01f), seed: 1);
            trainer.Fit(
                data, epochs: 2, batchSize: 7, transform: new Compose(new RandomCrop(6), new RandomHorizontalFlip()),
                loaderThreads: threads);
            Assert.That(model.ExampleShape, Is.EqualTo(new Shape(6, 6, 1)), "the model takes what the transform makes");
            return trainer.Predict(new CenterCrop(6).Apply(data));
        })];
        Assert.That(ends[1], Is.EqualTo(ends[0]));
    }

    [Test]
    public void Epochs_may_be_abandoned_while_several_threads_prepare()
    {
        Dataset data = Images.Dataset(Count, Color);
        using var loader = new DataLoader(data, 3, seed: 3, transform: Pipeline, threads: 4);
        float[] whole = Draw(loader, 3);
        for (int stop = 0; stop < 15; stop++)
        {
            loader.StartEpoch(1 + (stop % 4));
            for (int i = 0; i < stop; i++)
            {
                loader.TryNext(out _);
            }

            Assert.That(Draw(loader, 3), Is.EqualTo(whole));
        }
    }

    [Test]
    public void Several_threads_prepare_batches_at_the_same_time()
    {
        using var meeting = new Barrier(3);
        var transform = new Meets(meeting);
        using var loader = new DataLoader(Images.Dataset(12, Color), 4, transform: transform, threads: 3);
        loader.StartEpoch(1);
        while (loader.TryNext(out _))
        {
        }

        Assert.That(transform.Met, Is.EqualTo(3), "each waited in the transform for the two others");
    }

    private static float[] Draw(DataLoader loader, int epoch, int firstBatch = 0)
    {
        var all = new List<float>();
        loader.StartEpoch(epoch, firstBatch);
        while (loader.TryNext(out Batch batch))
        {
            all.AddRange(batch.Features);
        }

        return [.. all];
    }

    private static Dictionary<int, float[]> ByExample(DataLoader loader, int epoch)
    {
        var images = new Dictionary<int, float[]>();
        int size = (int)loader.ExampleShape.Count;
        loader.StartEpoch(epoch);
        while (loader.TryNext(out Batch batch))
        {
            for (int i = 0; i < batch.Count; i++)
            {
                images.Add(batch.Examples[i], batch.Features.Slice(i * size, size).ToArray());
            }
        }

        return images;
    }

    private static void Drain(DataLoader loader, int epoch)
    {
        loader.StartEpoch(epoch);
        while (loader.TryNext(out _))
        {
        }
    }

    /// <summary>Fails on the 23rd image of the dataset.</summary>
    private sealed class FailsOnLargeNumbers : Augmentation
    {
        private readonly float _first = Images.Random(Color.Prepend(Count))[22 * 360];

        protected override void Augment(AugmentationImage image)
        {
            if (image.Pixels[0] == _first || image.Pixels[(image.Width - 1) * image.Channels] == _first)
            {
                throw new NotSupportedException("cannot see it");
            }
        }
    }

    private sealed class Meets(Barrier meeting) : IBatchTransform
    {
        private int _met;

        public int Met => _met;

        public void Apply(in TransformContext context)
        {
            if (meeting.SignalAndWait(TimeSpan.FromSeconds(20)))
            {
                Interlocked.Increment(ref _met);
            }
        }
    }
}
