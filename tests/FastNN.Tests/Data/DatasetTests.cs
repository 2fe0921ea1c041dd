using FastNN.Data;

namespace FastNN.Tests.Data;

public sealed class DatasetTests
{
    [Test]
    public void Bytes_are_scaled_at_any_length([Values(1, 3, 7, 13, 31, 32, 33, 64, 129, 784)] int size)
    {
        byte[] bytes = [.. Enumerable.Range(0, 2 * size).Select(i => (byte)(i * 37))];
        Dataset data = Dataset.FromBytes(bytes, [size], [0, 1], ["a", "b"], scale: 0.25f);
        var row = new float[size + 1];
        row[size] = -1;
        data.CopyFeatures(1, row);
        for (int i = 0; i < size; i++)
            Assert.That(row[i], Is.EqualTo(bytes[size + i] * 0.25f));
        Assert.That(row[size], Is.EqualTo(-1), "nothing is written behind the row");
    }

    [Test]
    public void Take_keeps_the_first_examples()
    {
        Dataset data = Numbers(10);
        Assert.That(Ids(data.Take(3)), Is.EqualTo(new[] { 0, 1, 2 }));
        Assert.That(data.Take(100), Is.SameAs(data));
        Assert.That(() => data.Take(0), Throws.InstanceOf<ArgumentOutOfRangeException>());
        Assert.That(() => data.Take(3).LabelOf(3), Throws.InstanceOf<ArgumentOutOfRangeException>());
    }

    [Test]
    public void A_split_by_count_keeps_the_order()
    {
        DatasetSplit split = Numbers(10).Split(7);
        Assert.That(Ids(split.Train), Is.EqualTo(Enumerable.Range(0, 7)));
        Assert.That(Ids(split.Test), Is.EqualTo(Enumerable.Range(7, 3)));
        Assert.That(() => Numbers(10).Split(0), Throws.InstanceOf<ArgumentOutOfRangeException>());
        Assert.That(() => Numbers(10).Split(10), Throws.InstanceOf<ArgumentOutOfRangeException>());
    }

    [TestCase(569, 0.2, 114)]
    [TestCase(10, 0.25, 3)]
    [TestCase(2, 0.5, 1)]
    public void A_split_by_fraction_shuffles_by_the_seed(int count, double fraction, int held)
    {
        DatasetSplit one = Numbers(count).Split(fraction, seed: 5);
        DatasetSplit same = Numbers(count).Split(fraction, seed: 5);
        Assert.That(one.Test.Count, Is.EqualTo(held));
        Assert.That(Ids(one.Train).Concat(Ids(one.Test)), Is.EquivalentTo(Enumerable.Range(0, count)));
        Assert.That(Ids(same.Train), Is.EqualTo(Ids(one.Train)));
        if (count > 100)
            Assert.That(Ids(Numbers(count).Split(fraction, seed: 6).Test), Is.Not.EqualTo(Ids(one.Test)));
    }

    [TestCase(0)]
    [TestCase(1)]
    [TestCase(-0.5)]
    [TestCase(double.NaN)]
    [TestCase(0.001)]
    public void A_split_with_an_empty_part_is_refused(double fraction) =>
        Assert.That(() => Numbers(10).Split(fraction, 1), Throws.InstanceOf<ArgumentOutOfRangeException>());

    [Test]
    public void Splits_of_splits_stay_disjoint()
    {
        DatasetSplit outer = Numbers(100).Split(0.2, 1);
        DatasetSplit inner = outer.Train.Split(0.25, 2);
        Assert.That(
            Ids(outer.Test).Concat(Ids(inner.Train)).Concat(Ids(inner.Test)),
            Is.EquivalentTo(Enumerable.Range(0, 100)));
    }

    [Test]
    public void Targets_as_one_hot_and_binary()
    {
        Dataset data = Dataset.FromFloats([1, 2, 3], [1], [0, 2, 1], 3);
        Dataset oneHot = data.OneHot();
        Assert.That(oneHot.HasLabels, Is.False);
        Assert.That(oneHot.TargetShape.ToArray(), Is.EqualTo(new[] { 3 }));
        Assert.That(oneHot.LabelOf(1), Is.EqualTo(2));
        Assert.That(oneHot.Classes, Is.EqualTo(3));
        Assert.That(Target(oneHot, 1), Is.EqualTo(new float[] { 0, 0, 1 }));
        Assert.That(Target(data.OneHot(5).Take(1), 0), Is.EqualTo(new float[] { 1, 0, 0, 0, 0 }));
        Assert.That(() => data.OneHot(2), Throws.InstanceOf<ArgumentOutOfRangeException>());
        Assert.That(() => oneHot.OneHot(), Throws.InvalidOperationException);
        Assert.That(() => data.BinaryTargets(), Throws.InvalidOperationException);
        Assert.That(() => data.CopyTarget(0, new float[3]), Throws.InvalidOperationException);

        Dataset binary = Dataset.FromFloats([1, 2], [1], [0, 1], 2).BinaryTargets();
        Assert.That(binary.TargetShape.ToArray(), Is.EqualTo(new[] { 1 }));
        Assert.That(Target(binary, 1), Is.EqualTo(new float[] { 1 }));
    }

    [Test]
    public void Float_targets()
    {
        Dataset data = Dataset.FromFloats([1, 2, 3, 4], [2], [5, 6, 7, 8, 9, 10], [3]);
        Assert.That(data.Count, Is.EqualTo(2));
        Assert.That(data.Classes, Is.Zero);
        Assert.That(data.ClassNames, Is.Empty);
        Assert.That(Target(data, 1), Is.EqualTo(new float[] { 8, 9, 10 }));
        Assert.That(() => data.LabelOf(0), Throws.InvalidOperationException);
    }

    [Test]
    public void What_does_not_fit_is_refused()
    {
        Assert.That(
            () => Dataset.FromFloats([1, 2, 3], [2], [0, 0], 1),
            Throws.ArgumentException.With.Message.Contains("need 4 values, got 3"));
        Assert.That(
            () => Dataset.FromFloats([1, float.NaN], [1], [0, 0], 1),
            Throws.ArgumentException.With.Message.Contains("feature 0 of example 1"));
        Assert.That(
            () => Dataset.FromFloats([1], [1], [3], 3),
            Throws.InstanceOf<ArgumentException>().With.Message.Contains("label 3 of example 0"));
        Assert.That(() => Dataset.FromFloats([1], [1], [-1], 3), Throws.InstanceOf<ArgumentException>());
        Assert.That(() => Dataset.FromFloats([1], [1], [0], 0), Throws.InstanceOf<ArgumentException>());
        Assert.That(() => Dataset.FromFloats([], [1], [], 1), Throws.InstanceOf<ArgumentException>());
        Assert.That(() => Dataset.FromFloats([1], [0], [0], 1), Throws.InstanceOf<ArgumentException>());
        Assert.That(() => Dataset.FromFloats([1], [65536, 65536], [0], 1), Throws.InstanceOf<ArgumentException>());
        Assert.That(() => Dataset.FromFloats([1], [1], [0], 2, ["one"]), Throws.InstanceOf<ArgumentException>());
        Assert.That(
            () => Dataset.FromFloats([1], [1], [1, float.PositiveInfinity], [2]),
            Throws.ArgumentException.With.Message.Contains("target 1"));
        Assert.That(() => Numbers(1).CopyFeatures(0, []), Throws.ArgumentException);
    }

    [Test]
    public void Rescaling_composes()
    {
        Dataset data = Dataset.FromBytes([0, 255], [1], [0, 0], ["a"]).Rescale(2, -1);
        Assert.That((Feature(data, 0), Feature(data, 1)), Is.EqualTo((-1f, 1f)));
        Assert.That(Feature(data.Rescale(3, 1), 1), Is.EqualTo(4));
        Assert.That(() => data.Rescale(float.NaN, 0), Throws.ArgumentException);
    }

    [Test]
    public void Standardised_features_have_mean_0_and_deviation_1()
    {
        var values = new float[300];
        for (int i = 0; i < 100; i++)
            (values[3 * i], values[(3 * i) + 1], values[(3 * i) + 2]) = (1e6f + i, 7, (i * i % 17) * 1e-3f);
        Dataset data = Dataset.FromFloats(values, [3], new int[100], 1);
        Standardizer standardizer = Standardizer.Fit(data);
        Assert.That(standardizer.Mean[0], Is.EqualTo(1e6f + 49.5f).Within(0.1));
        Assert.That(standardizer.StandardDeviation[0], Is.EqualTo(Math.Sqrt(9999 / 12.0)).Within(1e-4));
        Assert.That(standardizer.StandardDeviation[1], Is.EqualTo(1));

        Dataset scaled = standardizer.Apply(data);
        var row = new float[3];
        var sums = new double[6];
        for (int i = 0; i < 100; i++)
        {
            scaled.CopyFeatures(i, row);
            for (int k = 0; k < 3; k++)
                (sums[k], sums[3 + k]) = (sums[k] + row[k], sums[3 + k] + (row[k] * row[k]));
            float[] one = [values[3 * i], values[(3 * i) + 1], values[(3 * i) + 2]];
            standardizer.Apply(one);
            Assert.That(row, Is.EqualTo(one));
        }

        Assert.That(sums[..3], Has.All.EqualTo(0).Within(0.2));
        Assert.That(sums[3], Is.EqualTo(100).Within(0.1));
        Assert.That(sums[4], Is.Zero);
        Assert.That(sums[5], Is.EqualTo(100).Within(0.01));
    }

    [Test]
    public void A_standardizer_of_other_features_is_refused()
    {
        Assert.That(() => new Standardizer([1, 2], [1, 1]).Apply(Numbers(3)), Throws.ArgumentException);
        Assert.That(() => new Standardizer([1], [0]), Throws.ArgumentException);
        Assert.That(() => new Standardizer([float.NaN], [1]), Throws.ArgumentException);
        Assert.That(() => new Standardizer([1], [1, 2]), Throws.ArgumentException);
    }

    internal static Dataset Numbers(int count) => Dataset.FromFloats(
        [.. Enumerable.Range(0, count).Select(i => (float)i)], [1], [.. Enumerable.Range(0, count)], count);

    private static int[] Ids(Dataset data) => [.. Enumerable.Range(0, data.Count).Select(data.LabelOf)];

    private static float Feature(Dataset data, int example)
    {
        var row = new float[1];
        data.CopyFeatures(example, row);
        return row[0];
    }

    private static float[] Target(Dataset data, int example)
    {
        var target = new float[data.TargetSize];
        data.CopyTarget(example, target);
        return target;
    }

    [Test]
    public void A_fraction_that_leaves_a_part_empty_is_told_as_the_fraction_it_is()
    {
        Dataset two = Dataset.FromFloats([1, 2], [1], [0, 1], 2);
        Assert.That(
            () => two.Split(0.2, seed: 0),
            Throws.TypeOf<ArgumentOutOfRangeException>().With.Message.StartsWith(
                "a fraction of 0.2 of 2 examples leaves one part empty"));
        Assert.That(
            () => two.Split(0.9, seed: 0),
            Throws.TypeOf<ArgumentOutOfRangeException>().With.Message.StartsWith(
                "a fraction of 0.9 of 2 examples leaves one part empty"));
        Assert.That(
            () => two.Split(2),
            Throws.TypeOf<ArgumentOutOfRangeException>().With.Message.StartsWith(
                "expected 1 to 1 of 2 examples in the first part"));
    }
}
