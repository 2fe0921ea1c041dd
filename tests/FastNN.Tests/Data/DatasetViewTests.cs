using FastNN.Data;

namespace FastNN.Tests.Data;

/// <summary>Datasets of sources, and what can be made of any dataset.</summary>
public sealed class DatasetViewTests
{
    /// <summary>Example i has the features 10 i and 10 i + 1, and the class i % 3 or the target [i, -i].</summary>
    private sealed class Source(int count, int classes = 3) : IExampleSource
    {
        public Func<int, float> Label { get; init; } = index => index % 3;

        public int Reads { get; private set; }

        public int Count => count;

        public Shape ExampleShape => [2, 1];

        public Shape TargetShape => [2];

        public int Classes => classes;

        public void Read(int index, Span<float> features, Span<float> target)
        {
            if ((features.Length, target.Length) != (2, classes > 0 ? 1 : 2))
            {
                throw new InvalidOperationException(
                    $"{features.Length} features and {target.Length} target values were asked for");
            }

            Reads++;
            (features[0], features[1]) = (10 * index, (10 * index) + 1);
            target[0] = classes > 0 ? Label(index) : index;
            if (classes == 0)
            {
                target[1] = -index;
            }
        }
    }

    [Test]
    public void Features_become_targets_of_any_dataset([Values] bool classes)
    {
        Dataset data = Dataset.FromSource(new Source(5, classes ? 3 : 0)).Rescale(2, 1).FeaturesAsTargets().Skip(1);
        Assert.That((data.Count, data.HasLabels, data.Classes, data.TargetSize), Is.EqualTo((4, false, 0, 2)));
        Assert.That(data.TargetShape.ToArray(), Is.EqualTo(new[] { 2, 1 }));
        float[] features = new float[2], target = new float[2];
        data.CopyFeatures(1, features);
        data.CopyTarget(1, target);
        Assert.That(features, Is.EqualTo(new float[] { 41, 43 }));
        Assert.That(target, Is.EqualTo(features));

        // What a transform makes of the features is to be undone: targets stay.
        using var loader = new DataLoader(data, 4, shuffle: false, transform: new Blank());
        foreach (Batch batch in loader)
        {
            Assert.That(batch.Features.ToArray(), Is.All.Zero);
            Assert.That(batch.Targets.ToArray(), Is.EqualTo(new float[] { 21, 23, 41, 43, 61, 63, 81, 83 }));
        }
    }

    private sealed class Blank : IBatchTransform
    {
        public void Apply(in TransformContext context) => context.Features.Clear();
    }

    [Test]
    public void A_source_becomes_a_dataset_and_each_example_of_a_batch_is_read_once()
    {
        var source = new Source(7);
        Dataset data = Dataset.FromSource(source, ["a", "b", "c"]);
        Assert.That((data.Count, data.ExampleSize, data.Classes, data.HasLabels), Is.EqualTo((7, 2, 3, true)));
        Assert.That(data.ExampleShape.ToArray(), Is.EqualTo(new[] { 2, 1 }));
        Assert.That(data.LabelOf(5), Is.EqualTo(2));
        int before = source.Reads;
        using (var loader = new DataLoader(data, 4, shuffle: false))
        {
            loader.StartEpoch(1);
            Assert.That(loader.TryNext(out Batch batch));
            Assert.That(batch.Labels.ToArray(), Is.EqualTo(new[] { 0, 1, 2, 0 }));
            Assert.That(batch.Features.ToArray(), Is.EqualTo(new float[] { 0, 1, 10, 11, 20, 21, 30, 31 }));
            Assert.That(loader.TryNext(out batch));
            Assert.That(batch.Labels.ToArray(), Is.EqualTo(new[] { 1, 2, 0 }));
        }

        Assert.That(source.Reads - before, Is.EqualTo(7));
        var target = new float[3];
        data.OneHot().CopyTarget(4, target);
        Assert.That(target, Is.EqualTo(new float[] { 0, 1, 0 }));
    }

    [Test]
    public void A_source_of_vectors_gives_them()
    {
        Dataset data = Dataset.FromSource(new Source(4, classes: 0)).Rescale(2, 0).Skip(1);
        Assert.That((data.HasLabels, data.Classes, data.TargetSize), Is.EqualTo((false, 0, 2)));
        using var loader = new DataLoader(data, 3, shuffle: false);
        loader.StartEpoch(1);
        Assert.That(loader.TryNext(out Batch batch));
        Assert.That(batch.Targets.ToArray(), Is.EqualTo(new float[] { 1, -1, 2, -2, 3, -3 }));
        Assert.That(batch.Features[0], Is.EqualTo(20));
        Assert.That(() => data.LabelOf(0), Throws.InvalidOperationException);
    }

    [TestCase(3f)]
    [TestCase(-1f)]
    [TestCase(0.5f)]
    [TestCase(float.NaN)]
    public void A_source_that_gives_no_class_is_told_by_its_example(float label)
    {
        Dataset data = Dataset.FromSource(new Source(4) { Label = index => index == 2 ? label : 0 });
        using var loader = new DataLoader(data, 4, shuffle: false);
        loader.StartEpoch(1);
        Assert.That(
            () => loader.TryNext(out _),
            Throws.TypeOf<InvalidDatasetException>().With.Message.Contains("example 2").And.Message.Contains("0 to 2"));
        Assert.That(() => data.OneHot().CopyTarget(2, new float[3]), Throws.TypeOf<InvalidDatasetException>());
    }

    [Test]
    public void Labels_that_change_later_are_told_and_no_raw_exception()
    {
        int[] labels = [0, 1, 1];
        Dataset data = Dataset.FromFloats([1, 2, 3], [1], labels, 2);
        labels[1] = 9;
        foreach (Dataset view in (Dataset[])[data, data.OneHot(), data.BinaryTargets()])
        {
            using var loader = new DataLoader(view, 3, shuffle: false);
            loader.StartEpoch(1);
            Assert.That(() => loader.TryNext(out _), Throws.TypeOf<InvalidDatasetException>().With.Message.Contains("example 1"));
        }

        Assert.That(() => data.LabelOf(1), Throws.TypeOf<InvalidDatasetException>());
        Assert.That(() => data.OneHot().CopyTarget(1, new float[2]), Throws.TypeOf<InvalidDatasetException>());
    }

    [Test]
    public void Skip_take_shuffle_and_split_choose_examples()
    {
        Dataset data = DatasetTests.Numbers(10);
        Assert.That(Firsts(data.Skip(7)), Is.EqualTo(new float[] { 7, 8, 9 }));
        Assert.That(Firsts(data.Skip(2).Take(3).Skip(1)), Is.EqualTo(new float[] { 3, 4 }));
        Assert.That(Firsts(data.Skip(0)), Is.EqualTo(Firsts(data)));
        Assert.That(Firsts(data.Shuffle(1)), Is.EquivalentTo(Firsts(data)).And.Not.EqualTo(Firsts(data)));
        float[] again = Firsts(data.Shuffle(1));
        Assert.That(Firsts(data.Shuffle(1)), Is.EqualTo(again).And.Not.EqualTo(Firsts(data.Shuffle(2))));
        (Dataset train, Dataset test) = data.Split(0.2);
        Assert.That((train.Count, test.Count), Is.EqualTo((8, 2)));
        Assert.That(Firsts(train).Concat(Firsts(test)), Is.EqualTo(Firsts(data.Shuffle(0))));
        Assert.That(() => data.Skip(10), Throws.InstanceOf<ArgumentOutOfRangeException>().With.Message.Contains("0 to 9"));
        Assert.That(() => data.Skip(-1), Throws.InstanceOf<ArgumentOutOfRangeException>());
        Assert.That(
            () => data.Take(1).Split(1),
            Throws.InstanceOf<ArgumentOutOfRangeException>().With.Message.Contains("neither is empty"));
    }

    [Test]
    public void Concat_appends_what_both_hand_out()
    {
        Dataset one = Dataset.FromSource(new Source(2)), other = Dataset.FromFloats([5, 6, 7, 8], [2, 1], [2, 1], 3);
        Dataset both = one.Concat(other).Skip(1);
        Assert.That(both.Select(example => example.Features[0]), Is.EqualTo(new float[] { 10, 5, 7 }));
        Assert.That(both.Select(example => example.Label), Is.EqualTo(new int?[] { 1, 2, 1 }));
        Dataset vectors = one.OneHot().Concat(other.OneHot());
        Assert.That(vectors[^1].Target, Is.EqualTo(new float[] { 0, 1, 0 }));
        Assert.That(
            () => one.Concat(other.OneHot()),
            Throws.ArgumentException.With.Message.Contains("indices of 3 classes").And.Message.Contains("targets of [3]"));
        Assert.That(() => one.Concat(DatasetTests.Numbers(3)), Throws.ArgumentException);
    }

    [Test]
    public void Map_makes_other_features()
    {
        Dataset sums = Dataset.FromSource(new Source(3)).Map((features, result) => result[0] = features[0] + features[1], [1]);
        Assert.That(sums.ExampleSize, Is.EqualTo(1));
        Assert.That(Firsts(sums), Is.EqualTo(new float[] { 1, 21, 41 }));
        Assert.That(sums.LabelOf(2), Is.EqualTo(2));
    }

    [Test]
    public void A_loader_over_views_and_sources_allocates_nothing_after_the_first_epoch()
    {
        Dataset data = Dataset.FromSource(new Source(64, classes: 0)).Rescale(2, 1)
            .Map((features, result) => features.CopyTo(result));
        data = data.Concat(data.Shuffle(1));
        var features = new float[2];
        var target = new float[2];
        data.CopyExample(0, features, target);
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < data.Count; i++)
        {
            data.CopyExample(i, features, target);
        }

        Assert.That(GC.GetAllocatedBytesForCurrentThread() - before, Is.Zero);
    }

    [Test]
    public void Sources_and_scales_that_make_no_dataset_are_refused()
    {
        Assert.That(
            () => Dataset.FromSource(new Source(0)), Throws.ArgumentException.With.Message.Contains("at least one example"));
        Assert.That(() => Dataset.FromSource(new Source(1, classes: -1)), Throws.ArgumentException);
        Assert.That(
            () => Dataset.FromSource(new Source(1), ["a"]),
            Throws.ArgumentException.With.Message.Contains("1 class names for 3"));
        Assert.That(() => Dataset.FromSource(null!), Throws.ArgumentNullException);
        Assert.That(
            () => Dataset.FromBytes([1], [1], [0], ["a"], float.NaN),
            Throws.ArgumentException.With.Message.Contains("finite scale"));
        Assert.That(() => Dataset.FromFloats(null!, [1], [0], 1), Throws.ArgumentNullException);
    }

    [Test]
    public void A_model_trains_on_a_source()
    {
        using Device device = Device.Cpu(1);
        using var trainer = new Trainer(
            new Sequential(new Flatten(), new Dense(3)), device, Loss.SparseCrossEntropy, new Adam(0.01f), seed: 1);
        History history = trainer.Fit(Dataset.FromSource(new Source(30)).Rescale(0.01f, 0), epochs: 2, batchSize: 8);
        Assert.That(history.Epochs, Has.Count.EqualTo(2));
        Assert.That(history.Epochs[^1].Loss, Is.LessThan(history.Epochs[0].Loss));
    }

    private static float[] Firsts(Dataset data) => [.. data.Select(example => example.Features[0])];
}
