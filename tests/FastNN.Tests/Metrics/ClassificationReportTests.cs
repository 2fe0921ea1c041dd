namespace FastNN.Tests.Metrics;

public sealed class ClassificationReportTests
{
    // The example of scikit-learn's documentation: y_true = [0, 1, 2, 2, 2], y_pred = [0, 0, 2, 2, 1].
    private static ConfusionMatrix Example()
    {
        var matrix = new ConfusionMatrix(["class 0", "class 1", "class 2"]);
        foreach ((int actual, int predicted) in new[] { (0, 0), (1, 0), (2, 2), (2, 2), (2, 1) })
        {
            matrix.Add(actual, predicted);
        }

        return matrix;
    }

    [Test]
    public void The_text_is_that_of_scikit_learn() => Assert.That(new ClassificationReport(Example()).ToString(), Is.EqualTo("""
                      precision    recall  f1-score   support

             class 0       0.50      1.00      0.67         1
             class 1       0.00      0.00      0.00         1
             class 2       1.00      0.67      0.80         3

            accuracy                           0.60         5
           macro avg       0.50      0.56      0.49         5
        weighted avg       0.70      0.60      0.61         5
        """));

    [Test]
    public void The_numbers_are_those_worked_out_by_hand()
    {
        var report = new ClassificationReport(Example());
        Assert.Multiple(() =>
        {
            Assert.That(report.Classes[0].Precision, Is.EqualTo(1.0 / 2));
            Assert.That(report.Classes[0].Recall, Is.EqualTo(1));
            Assert.That(report.Classes[0].F1, Is.EqualTo(2.0 / 3).Within(1e-15));
            Assert.That(report.Classes[2].Recall, Is.EqualTo(2.0 / 3));
            Assert.That(report.Classes[2].F1, Is.EqualTo(0.8).Within(1e-15));
            Assert.That(report.MacroAverage.F1, Is.EqualTo(((2.0 / 3) + 0 + 0.8) / 3).Within(1e-15));
            Assert.That(report.WeightedAverage.F1, Is.EqualTo(((2.0 / 3) + 0 + (3 * 0.8)) / 5).Within(1e-15));
            Assert.That(
                report.WeightedAverage.Recall, Is.EqualTo(report.Accuracy).Within(1e-15), "the weighted recall is the accuracy");
            Assert.That(report.WeightedAverage.Support, Is.EqualTo(5));
        });
    }

    [Test]
    public void A_class_without_support_counts_as_zero_in_the_macro_average_and_not_in_the_weighted_one()
    {
        var matrix = new ConfusionMatrix(2);
        matrix.Add(0, 0);
        matrix.Add(0, 0);
        var report = new ClassificationReport(matrix);
        Assert.Multiple(() =>
        {
            Assert.That(report.Classes[1], Is.EqualTo(new ClassMetrics { Name = "1" }));
            Assert.That(report.MacroAverage.F1, Is.EqualTo(0.5));
            Assert.That(report.WeightedAverage.F1, Is.EqualTo(1));
        });
    }

    [Test]
    public void A_single_class_is_always_right()
    {
        var matrix = new ConfusionMatrix(1);
        matrix.Add(0, 0);
        Assert.That(
            new ClassificationReport(matrix).Classes,
            Is.EqualTo(new[] { new ClassMetrics { Name = "0", Precision = 1, Recall = 1, F1 = 1, Support = 1 } }));
    }

    [Test]
    public void Nothing_counted_gives_zeros_and_no_division_by_zero()
    {
        var report = new ClassificationReport(new ConfusionMatrix(2));
        Assert.That((report.Accuracy, report.MacroAverage.F1, report.WeightedAverage.Precision), Is.EqualTo((0.0, 0.0, 0.0)));
        Assert.That(report.ToString(), Does.Not.Contain("NaN"));
    }

    [Test]
    public void The_report_does_not_follow_later_counts()
    {
        ConfusionMatrix matrix = Example();
        var report = new ClassificationReport(matrix);
        matrix.Add(0, 0);
        Assert.That(report.Total, Is.EqualTo(5));
    }

    [Test]
    public void Digits_and_long_names_widen_the_columns()
    {
        var matrix = new ConfusionMatrix(["a class of a long name", "b"]);
        matrix.Add(0, 0);
        string[] lines = new ClassificationReport(matrix).ToString(4).Split('\n');
        Assert.That(lines[2], Is.EqualTo("a class of a long name     1.0000    1.0000    1.0000         1"));
        Assert.That(() => new ClassificationReport(matrix).ToString(-1), Throws.TypeOf<ArgumentOutOfRangeException>());
    }
}
