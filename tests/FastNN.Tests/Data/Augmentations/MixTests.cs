using FastNN.Data;
using FastNN.Tensors;

namespace FastNN.Tests.Data.Augmentations;

/// <summary>MixUp and CutMix: features and targets are mixed alike, by shares of the Beta distribution.</summary>
internal sealed class MixTests
{
    private const int Classes = 4;

    private static readonly Shape Shape = [8, 6, 3];

    [Test]
    public void Examples_and_targets_are_blended_with_the_ones_before([Values(1, 2, 5)] int count, [Values(0.2, 1)] double alpha)
    {
        for (int batch = 0; batch < 5; batch++)
        {
            double share = (float)Shares(batch).Beta(alpha);
            float[] images = Images.Random(Shape.Prepend(count)), targets = OneHot(count);
            (float[] mixed, float[] mixedTargets) = Mix(new MixUp(alpha), count, batch);
            Check(images, mixed);
            Check(targets, mixedTargets);

            void Check(float[] before, float[] after)
            {
                int size = before.Length / count;
                for (int i = 0; i < before.Length; i++)
                {
                    double other = before[i >= size ? i - size : before.Length - size + i];
                    Assert.That(after[i], Is.EqualTo((share * before[i]) + ((1 - share) * other)).Within(1e-6));
                }
            }
        }
    }

    [Test]
    public void A_rectangle_is_pasted_and_targets_follow_its_area([Values(1, 2, 5)] int count)
    {
        int areas = 0;
        for (int batch = 0; batch < 40; batch++)
        {
            float[] images = Images.Random(Shape.Prepend(count));
            (float[] mixed, float[] targets) = Mix(new CutMix(), count, batch);
            int size = (int)Shape.Count;
            int pasted = -1;
            for (int i = 0; i < count; i++)
            {
                float[] before = images[(((i + count - 1) % count) * size)..][..size], own = images[(i * size)..][..size];
                float[] after = mixed[(i * size)..][..size];
                Assert.That(after.Zip(own, before).All(v => v.First == v.Second || v.First == v.Third), Is.True);
                int[] changed = [.. Enumerable.Range(0, size / 3).Where(k => after[3 * k] != own[3 * k])];
                Assert.That(pasted, Is.EqualTo(-1).Or.EqualTo(changed.Length), "one rectangle for all");
                pasted = changed.Length;
                if (changed.Length > 0)
                {
                    int height = changed.Max(k => k / 6) - changed.Min(k => k / 6) + 1;
                    Assert.That(changed.Length, Is.EqualTo(height * (changed.Max(k => k % 6) - changed.Min(k => k % 6) + 1)));
                }

                // With one example alone, what is pasted is its own.
                float share = count == 1 ? 1 : (float)(1 - (pasted / 48.0));
                var expected = new float[Classes];
                expected[i % Classes] += share;
                expected[(i + count - 1) % count % Classes] += 1 - share;
                Assert.That(targets[(i * Classes)..][..Classes], Is.EqualTo(expected).Within(1e-6));
            }

            areas += pasted > 0 ? 1 : 0;
        }

        Assert.That(areas, Is.InRange(count == 1 ? 0 : 21, count == 1 ? 0 : 40));
    }

    [Test]
    public void Targets_stay_probabilities([Values(0.05, 0.4, 3)] double alpha)
    {
        foreach (BatchMix mix in (BatchMix[])[new MixUp(alpha), new CutMix(alpha)])
        {
            for (int batch = 0; batch < 30; batch++)
            {
                (_, float[] targets) = Mix(mix, 6, batch);
                Assert.That(targets, Has.All.InRange(0f, 1f));
                Assert.That(targets.Chunk(Classes).Select(row => row.Sum()), Has.All.EqualTo(1f).Within(1e-6f));
            }
        }
    }

    [Test]
    public void Shares_are_of_the_Beta_distribution([Values(0.02, 0.2, 1, 8)] double alpha)
    {
        const int Trials = 20_000;
        double[] shares = [.. Enumerable.Range(0, Trials).Select(batch => Shares(batch).Beta(alpha))];
        double variance = 1 / (4 * ((2 * alpha) + 1));
        Assert.That(shares, Has.All.InRange(0.0, 1.0));
        Assert.That(shares.Average(), Is.EqualTo(0.5).Within(4 * Math.Sqrt(variance / Trials)));
        Assert.That(shares.Average(share => (share - 0.5) * (share - 0.5)), Is.EqualTo(variance).Within(0.03 * variance));
        if (alpha == 1)
        {
            double deviation = Math.Sqrt(Trials * 0.09);
            Assert.That(shares.Count(share => share < 0.1), Is.EqualTo(Trials / 10).Within(4 * deviation), "uniform");
        }
    }

    [Test]
    public void A_loader_mixes_behind_the_augmentations_with_the_same_bits_for_any_number_of_threads([Values(2, 5)] int threads)
    {
        Dataset data = Images.Dataset(41, Shape).OneHot();
        IBatchTransform transform = new Compose(new RandomCrop(5), new RandomHorizontalFlip())
            .Then(new MixUp(0.4)).Then(new CutMix());
        using var one = new DataLoader(data, 8, seed: 5, transform: transform);
        using var several = new DataLoader(data, 8, seed: 5, transform: transform, threads: threads);
        (float[] Features, float[] Targets) expected = Draw(one, 2, 0), result = Draw(several, 2, 0);
        Assert.That(result.Features, Is.EqualTo(expected.Features));
        Assert.That(result.Targets, Is.EqualTo(expected.Targets));
        Assert.That(expected.Targets.Count(value => value is > 0 and < 1), Is.GreaterThan(40), "mixed");
        Assert.That(one.ExampleShape, Is.EqualTo(new Shape(5, 5, 3)));
        (float[] features, float[] targets) = Draw(several, 2, 3);
        Assert.That(features, Is.EqualTo(expected.Features[(3 * 8 * 75)..]), "resumed");
        Assert.That(targets, Is.EqualTo(expected.Targets[(3 * 8 * 3)..]));
    }

    [Test]
    public void Each_transform_of_a_sequence_draws_for_itself()
    {
        Dataset data = Images.Dataset(64, [1, 2, 1]).OneHot();
        var flip = new RandomHorizontalFlip();
        using var loader = new DataLoader(data, 64, shuffle: false, transform: flip.Then(flip));
        loader.StartEpoch(1);
        Assert.That(loader.TryNext(out Batch batch), Is.True);
        float[] before = Images.Random([64, 1, 2, 1]), after = batch.Features.ToArray();
        int flipped = Enumerable.Range(0, 64).Count(i => after[2 * i] != before[2 * i]);
        Assert.That(flipped, Is.InRange(16, 48), "the second does not undo the first");
    }

    [Test]
    [NonParallelizable]
    public void Nothing_is_allocated_after_the_first_epoch()
    {
        IBatchTransform transform = new Compose(
            new ColorJitter(0.2, 0.2, 0.2, 0.1), new RandAugment(), new GaussianBlur(3), new GaussianNoise(), new Grayscale(3),
            new RandomEqualize(), new Normalize([0.5f, 0.5f, 0.5f], [1, 1, 1])).Then(new MixUp()).Then(new CutMix());
        using var loader = new DataLoader(Images.Dataset(400, Shape).OneHot(), 8, seed: 3, transform: transform, threads: 2);
        long least = long.MaxValue;
        for (int epoch = 1; epoch < 13; epoch++)
        {
            long before = GC.GetTotalAllocatedBytes(precise: true);
            loader.StartEpoch(Math.Min(epoch, 4));
            while (loader.TryNext(out _))
            {
            }

            long allocated = GC.GetTotalAllocatedBytes(precise: true) - before;
            least = epoch > 3 ? Math.Min(least, allocated) : least;
        }

        // Reading the counter costs a few bytes by itself; an allocation per batch would be 50 times 24.
        Assert.That(least, Is.LessThan(200));
    }

    [Test]
    public void A_network_trains_on_mixed_targets_with_label_smoothing()
    {
        using Device device = Device.Cpu(1);
        Dataset data = Images.Dataset(60, [6, 6, 1]).OneHot();
        var loss = new CrossEntropyLoss { LabelSmoothing = 0.1f };
        using var trainer = new Trainer(new Sequential(new Flatten(), new Dense(3)), device, loss, new Adam(0.02f), seed: 1);
        History history = trainer.Fit(data, epochs: 12, batchSize: 12, transform: new MixUp(0.2), loaderThreads: 2);
        Assert.That(history.Epochs[^1].Loss, Is.LessThan(history.Epochs[0].Loss));
    }

    [Test]
    public void Misuse_is_told_clearly()
    {
        using var labels = new DataLoader(Images.Dataset(4, Shape), 2, transform: new MixUp());
        labels.StartEpoch(1);
        Assert.That(() => labels.TryNext(out _), Throws.InvalidOperationException.With.Message.EqualTo(
            "MixUp: expected target vectors to mix, got class indices; take OneHot() of the dataset and Loss.CrossEntropy."));
        Assert.That(
            () => new MixUp(0), Throws.InstanceOf<ArgumentOutOfRangeException>().With.Message.StartsWith(
                "MixUp: expected alpha to be a positive number, got 0."));
        Dataset table = Dataset.FromFloats(new float[8], [4], [0, 1], 2).OneHot();
        Assert.That(
            () => new DataLoader(table, 2, transform: new CutMix()),
            Throws.TypeOf<ShapeException>().With.Message.EqualTo(
                "CutMix: expected images of shape [height, width, channels], got [4]."));
        Assert.That(
            () => new DataLoader(Images.Dataset(4, Shape), 2, transform: new RandomHorizontalFlip().Then(new CenterCrop(2))),
            Throws.TypeOf<ShapeException>().With.Message.StartsWith(
                "Then: expected a transform that keeps the shape behind the first, got CenterCrop, which makes [2, 2, 3] of [8, 6, 3]"));
    }

    private static AugmentationRandom Shares(int batch)
    {
        var random = new AugmentationRandom();
        random.Begin(RandomUse.BatchMix, Images.Seed, 2, batch);
        return random;
    }

    private static (float[] Features, float[] Targets) Mix(BatchMix mix, int count, int batch)
    {
        float[] features = Images.Random(Shape.Prepend(count)), targets = OneHot(count);
        mix.Apply(new TransformContext(features, Shape.ToArray(), new int[count], Images.Seed, 2, batch) { Targets = targets });
        return (features, targets);
    }

    private static float[] OneHot(int count) =>
        [.. Enumerable.Range(0, count * Classes).Select(i => i % Classes == i / Classes % Classes ? 1f : 0)];

    private static (float[] Features, float[] Targets) Draw(DataLoader loader, int epoch, int firstBatch)
    {
        List<float> features = [], targets = [];
        loader.StartEpoch(epoch, firstBatch);
        while (loader.TryNext(out Batch batch))
        {
            features.AddRange(batch.Features);
            targets.AddRange(batch.Targets);
        }

        return ([.. features], [.. targets]);
    }
}
