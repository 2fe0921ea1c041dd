namespace FastNN.Tests.Metrics;

public sealed class ConfusionMatrixTests
{
    [Test]
    public void Counts_by_actual_row_and_predicted_column()
    {
        var matrix = new ConfusionMatrix(3);
        foreach ((int actual, int predicted) in new[] { (0, 0), (0, 1), (1, 1), (2, 1), (2, 2), (2, 2) })
        {
            matrix.Add(actual, predicted);
        }

        Assert.Multiple(() =>
        {
            Assert.That(matrix[0, 0], Is.EqualTo(1));
            Assert.That(matrix[0, 1], Is.EqualTo(1));
            Assert.That(matrix[1, 0], Is.Zero);
            Assert.That(matrix[2, 1], Is.EqualTo(1));
            Assert.That(matrix[2, 2], Is.EqualTo(2));
            Assert.That(matrix.Support(2), Is.EqualTo(3));
            Assert.That(matrix.Predicted(1), Is.EqualTo(3));
            Assert.That(matrix.Total, Is.EqualTo(6));
            Assert.That(matrix.Correct, Is.EqualTo(4));
            Assert.That(matrix.Accuracy, Is.EqualTo(4.0 / 6));
        });
    }

    [Test]
    public void Scores_count_by_their_greatest_and_the_first_of_equals()
    {
        var matrix = new ConfusionMatrix(3);
        matrix.AddScores([2, 1, 0], [0.1f, 0.2f, 0.7f, -3, -1, -1, float.NegativeInfinity, 5, float.PositiveInfinity]);

        Assert.Multiple(() =>
        {
            Assert.That(matrix[2, 2], Is.EqualTo(1));
            Assert.That(matrix[1, 1], Is.EqualTo(1), "the first of two equal scores");
            Assert.That(matrix[0, 2], Is.EqualTo(1));
        });
    }

    [TestCase(0.5f, 0)]
    [TestCase(0.50001f, 1)]
    [TestCase(0f, 0)]
    [TestCase(1f, 1)]
    public void One_probability_counts_by_the_threshold(float probability, int expected)
    {
        var matrix = new ConfusionMatrix(2);
        matrix.AddProbabilities([1], [probability]);
        Assert.That(matrix[1, expected], Is.EqualTo(1));
    }

    [Test]
    public void Another_threshold_moves_the_border()
    {
        var matrix = new ConfusionMatrix(2);
        matrix.AddProbabilities([0, 1], [0.3f, 0.3f], threshold: 0.2f);
        Assert.That((matrix[0, 1], matrix[1, 1]), Is.EqualTo((1L, 1L)));
    }

    [TestCase(-1, 0, "actual class -1")]
    [TestCase(3, 0, "actual class 3")]
    [TestCase(0, 3, "predicted class 3")]
    [TestCase(0, int.MinValue, "predicted class -2147483648")]
    public void A_class_out_of_range_is_named_and_not_counted(int actual, int predicted, string message)
    {
        var matrix = new ConfusionMatrix(3);
        Assert.That(() => matrix.Add(actual, predicted), Throws.TypeOf<InvalidDatasetException>().With.Message.Contains(message));
        Assert.That(matrix.Total, Is.Zero);
    }

    [Test]
    public void Wrong_lengths_are_refused()
    {
        var matrix = new ConfusionMatrix(3);
        Assert.That(
            () => matrix.AddScores([0, 1], new float[5]), Throws.TypeOf<ShapeException>().With.Message.Contains("5 scores"));
        Assert.That(
            () => matrix.AddProbabilities([0], [0.5f]), Throws.TypeOf<ShapeException>().With.Message.Contains("3 classes"));
        Assert.That(() => new ConfusionMatrix(2).AddProbabilities([0, 1], [0.5f]), Throws.TypeOf<ShapeException>());
        Assert.That(() => matrix.Add(new ConfusionMatrix(2)), Throws.TypeOf<ShapeException>());
    }

    [Test]
    public void A_score_that_is_no_number_is_refused()
    {
        var matrix = new ConfusionMatrix(2);
        Assert.That(
            () => matrix.AddScores([0, 1], [1, 0, 0, float.NaN]),
            Throws.TypeOf<InvalidDatasetException>().With.Message.Contains("example 1"));
        Assert.That(() => matrix.AddProbabilities([0], [float.NaN]), Throws.TypeOf<InvalidDatasetException>());
    }

    [TestCase(0)]
    [TestCase(-1)]
    [TestCase(46341)]
    public void A_number_of_classes_that_makes_no_matrix_is_refused(int classes) =>
        Assert.That(() => new ConfusionMatrix(classes), Throws.TypeOf<ArgumentOutOfRangeException>());

    [Test]
    public void Matrices_add_up()
    {
        var sum = new ConfusionMatrix(2);
        sum.Add(0, 1);
        var other = new ConfusionMatrix(2);
        other.Add(0, 1);
        other.Add(1, 1);
        sum.Add(other);
        Assert.That((sum[0, 1], sum[1, 1], sum.Total, sum.Correct), Is.EqualTo((2L, 1L, 3L, 1L)));
    }

    [Test]
    public void An_empty_matrix_has_accuracy_zero() => Assert.That(new ConfusionMatrix(4).Accuracy, Is.Zero);

    [Test]
    public void The_table_aligns_names_and_counts()
    {
        var matrix = new ConfusionMatrix(["malignant", "ok"]);
        for (int i = 0; i < 120; i++)
        {
            matrix.Add(1, 1);
        }

        matrix.Add(0, 1);
        Assert.That(matrix.ToString(), Is.EqualTo("""
            actual     predicted
                       malignant   ok
            malignant          0    1
            ok                 0  120
            """));
    }
}
