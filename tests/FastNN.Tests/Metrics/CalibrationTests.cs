namespace FastNN.Tests.Metrics;

/// <summary>Calibration beside numbers worked out by hand.</summary>
internal sealed class CalibrationTests
{
    [Test]
    public void The_error_is_the_distance_of_probability_and_accuracy_weighted_by_predictions()
    {
        var calibration = new Calibration(bins: 10);
        calibration.Add([0.95f, 0.05f, 0.95f, 0.05f, 0.05f, 0.95f, 0.1f, 0.9f], [0, 1, 1, 1]);    // 3 of 4 right at 0.9375
        calibration.Add([0.55f, 0.45f], [1]);                                                     // 0 of 1 right at 0.55
        IReadOnlyList<CalibrationBin> bins = calibration.Bins;
        Assert.Multiple(() =>
        {
            Assert.That(calibration.Total, Is.EqualTo(5));
            Assert.That(
                calibration.ExpectedError, Is.EqualTo((Math.Abs(3 - (4 * 0.9375)) + 0.55) / 5).Within(1e-6));
            Assert.That(bins, Has.Count.EqualTo(10));
            Assert.That((bins[9].Count, bins[5].Count, bins.Sum(bin => bin.Count)), Is.EqualTo((4, 1, 5)));
            Assert.That((bins[9].Low, bins[9].High), Is.EqualTo((0.9, 1.0)));
            Assert.That(bins[9].Accuracy, Is.EqualTo(0.75));
            Assert.That(bins[9].Confidence, Is.EqualTo(0.9375).Within(1e-6));
            Assert.That(bins[0].Accuracy, Is.NaN);
        });
    }

    [Test]
    public void A_certain_and_right_prediction_is_calibrated_and_nothing_is_zero()
    {
        var calibration = new Calibration();
        Assert.That(calibration.ExpectedError, Is.Zero);
        calibration.Add([0, 1, 0], [1]);
        Assert.That(calibration.ExpectedError, Is.Zero);
        Assert.That(calibration.Bins[^1].Count, Is.EqualTo(1));
    }

    /// <summary>
    /// Of four examples with logits l and 0 three are of the first class: softmax has to give 3/4, so that l / T is the logarithm
    /// of 3.
    /// </summary>
    [TestCase(0.5f)]
    [TestCase(1f)]
    [TestCase(4f)]
    public void The_temperature_makes_the_probability_the_share_that_is_right(float logit)
    {
        float temperature = Calibration.FitTemperature([logit, 0, logit, 0, logit, 0, logit, 0], [0, 0, 0, 1]);
        Assert.That(temperature, Is.EqualTo(logit / Math.Log(3)).Within(1e-5));
    }

    [Test]
    public void A_temperature_without_a_best_one_is_at_a_bound() => Assert.Multiple(() =>
    {
        Assert.That(Calibration.FitTemperature([1, 0], [0]), Is.EqualTo(0.05f).Within(1e-4f));
        Assert.That(Calibration.FitTemperature([1, 0], [1]), Is.EqualTo(20).Within(1e-3f));
    });

    [Test]
    public void The_diagram_has_a_row_for_each_bin_with_predictions()
    {
        var calibration = new Calibration(bins: 2);
        calibration.Add([0.75f, 0.25f, 0.75f, 0.25f], [0, 1]);
        Assert.That(calibration.ToString().Split('\n'), Is.EqualTo(new[]
        {
            "probability    predictions  accuracy",
            "0.50 to 1.00             2     0.500  ####################          |",
            "expected calibration error 0.2500",
        }));
    }

    [Test]
    public void Wrong_arguments_are_refused() => Assert.Multiple(() =>
    {
        var calibration = new Calibration();
        Assert.That(() => new Calibration(0), Throws.TypeOf<ArgumentOutOfRangeException>());
        Assert.That(
            () => calibration.Add([0.5f, 0.5f, 0.1f], [0, 1]), Throws.ArgumentException.With.Message.Contains("3 values"));
        Assert.That(() => calibration.Add([], []), Throws.ArgumentException);
        Assert.That(() => calibration.Add([0.5f, 0.5f], [2]), Throws.ArgumentException.With.Message.Contains("0..1"));
        Assert.That(() => calibration.Add([1.5f, 0], [0]), Throws.ArgumentException.With.Message.Contains("1.5"));
        Assert.That(() => calibration.Add([float.NaN, 0], [0]), Throws.ArgumentException.With.Message.Contains("NaN"));
        Assert.That(
            () => Calibration.FitTemperature([float.PositiveInfinity, 0], [0]),
            Throws.ArgumentException.With.Message.Contains("finite"));
        Assert.That(calibration.Total, Is.Zero, "counted in spite of the error");
    });
}
