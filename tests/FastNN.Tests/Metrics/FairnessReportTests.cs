namespace FastNN.Tests.Metrics;

internal sealed class FairnessReportTests
{
    // Group 7: four examples, two selected; group 9: five, one selected.
    private static readonly int[] Groups = [7, 7, 7, 7, 9, 9, 9, 9, 9];
    private static readonly bool[] Actual = [true, true, false, false, true, true, true, false, false];
    private static readonly bool[] Predicted = [true, false, true, false, true, false, false, false, false];

    [Test]
    public void Rates_are_those_counted_by_hand()
    {
        var report = new FairnessReport(Predicted, Actual, Groups);
        Assert.That(report.Groups.Keys, Is.EqualTo(new[] { 7, 9 }));
        Assert.That(report.Groups[7], Is.EqualTo(new GroupRates(4, 0.5, 0.5, 0.5, 0.5)));
        Assert.That(report.Groups[9], Is.EqualTo(new GroupRates(5, 0.2, 1 / 3.0, 0, 0.6)));
        Assert.That(report.DemographicParityDifference, Is.EqualTo(0.3).Within(1e-12));
        Assert.That(report.EqualizedOddsDifference, Is.EqualTo(0.5).Within(1e-12));
        Assert.That(report.Accuracy, Is.EqualTo(5 / 9.0).Within(1e-12));
        Assert.That(
            report.ToString(),
            Does.StartWith("group 7: 4 examples, 50.0 % selected, accuracy 50.0 %\ngroup 9: 5 examples"));
    }

    [Test]
    public void A_group_without_positive_examples_has_no_rate_among_them()
    {
        var report = new FairnessReport([true, false, true], [true, false, false], [0, 1, 1]);
        Assert.That(report.Groups[1].TruePositive, Is.NaN);
        Assert.That(report.Groups[0].FalsePositive, Is.NaN);
        Assert.That(report.EqualizedOddsDifference, Is.Zero);
    }

    [Test]
    public void Weights_make_group_and_class_independent()
    {
        float[] weights = FairnessReport.Reweigh(Actual, Groups);
        Assert.That(weights.Sum(), Is.EqualTo(9).Within(1e-5));
        double Positive(int group) => Enumerable.Range(0, 9).Where(i => Groups[i] == group && Actual[i]).Sum(i => weights[i])
            / Enumerable.Range(0, 9).Where(i => Groups[i] == group).Sum(i => weights[i]);
        Assert.That(Positive(7), Is.EqualTo(5 / 9.0).Within(1e-6));
        Assert.That(Positive(9), Is.EqualTo(5 / 9.0).Within(1e-6));
    }

    [Test]
    public void Lengths_that_differ_are_named()
    {
        Assert.That(
            () => new FairnessReport([true], [true, false], [1]),
            Throws.ArgumentException.With.Message.Contains("got 1, 2 and 1"));
        Assert.That(() => new FairnessReport([], [], []), Throws.ArgumentException);
        Assert.That(() => FairnessReport.Reweigh([true], []), Throws.ArgumentException.With.Message.Contains("got 1 and 0"));
    }
}
