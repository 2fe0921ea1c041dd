namespace FastNN.Tests.Metrics;

public sealed class AccuracyTests
{
    [Test]
    public void Sparse_compares_the_greatest_score_with_the_label() =>
        Assert.That(Accuracy.Sparse([0, 1, 1], [2, 1, 0, 3, 9, 8]), Is.EqualTo(2.0 / 3));

    [Test]
    public void Categorical_compares_the_places_of_the_greatest() =>
        Assert.That(Accuracy.Categorical([1, 0, 0, 0, 0.4f, 0.6f], [5, 1, 1, 2, 3, 1], 3), Is.EqualTo(0.5));

    [Test]
    public void Binary_compares_each_element_with_the_threshold() =>
        Assert.That(Accuracy.Binary([0, 1, 1, 0], [0.5f, 0.5f, 0.9f, 0.1f]), Is.EqualTo(0.75));

    [Test]
    public void Of_nothing_it_is_zero() =>
        Assert.That(
            (Accuracy.Sparse([], []), Accuracy.Categorical([], [], 3), Accuracy.Binary([], [])), Is.EqualTo((0.0, 0.0, 0.0)));

    [Test]
    public void Labels_and_lengths_are_checked()
    {
        Assert.That(
            () => Accuracy.Sparse([2], [1, 0]), Throws.TypeOf<InvalidDatasetException>().With.Message.Contains("class 2"));
        Assert.That(() => Accuracy.Sparse([-1], [1, 0]), Throws.TypeOf<InvalidDatasetException>());
        Assert.That(() => Accuracy.Sparse([0, 1], [1, 0, 1]), Throws.TypeOf<ShapeException>());
        Assert.That(() => Accuracy.Sparse([0], []), Throws.TypeOf<ShapeException>());
        Assert.That(() => Accuracy.Sparse([0], [1, float.NaN]), Throws.TypeOf<InvalidDatasetException>());
        Assert.That(() => Accuracy.Categorical([1, 0], [1, 0], 3), Throws.TypeOf<ShapeException>());
        Assert.That(() => Accuracy.Binary([0.5f], [1]), Throws.TypeOf<InvalidDatasetException>().With.Message.Contains("0.5"));
        Assert.That(() => Accuracy.Binary([1], [float.NaN]), Throws.TypeOf<InvalidDatasetException>());
        Assert.That(() => Accuracy.Binary([1, 0], [1]), Throws.TypeOf<ShapeException>());
    }
}
