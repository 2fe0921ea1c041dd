using FastNN.Cli.Running;

namespace FastNN.Tests.Cli;

internal sealed class ProgressTextTests
{
    private static readonly EpochResult Whole = new()
    {
        Epoch = 9,
        Loss = 0.0340,
        Accuracy = 0.9898,
        ValidationLoss = 0.0268,
        ValidationAccuracy = 0.9905,
        Duration = TimeSpan.FromSeconds(124.04),
        LearningRate = 1e-3f,
    };

    private static readonly BatchResult Step = new()
    {
        Epoch = 9,
        Batch = 100,
        Batches = 938,
        Count = 64,
        Step = 7000,
        Loss = 0.1f,
        MeanLoss = 0.1234,
        Accuracy = 0.9712,
    };

    [Test]
    public void No_line_is_wider_than_the_terminal([Range(1, 130)] int width)
    {
        string line = ProgressText.Epoch(Whole, 1000, "test", 123456, width);
        (int done, int cells, string tail) = ProgressText.Bar(
            0.5, TimeSpan.FromHours(30), ProgressText.Step(Step, 1000, 123456), width);
        Assert.That(line.Length, Is.LessThanOrEqualTo(width));
        Assert.That(cells + tail.Length, Is.LessThanOrEqualTo(width));
        Assert.That(done, Is.LessThanOrEqualTo(cells));
    }

    [TestCase(200, "epoch  9/10  loss 0.0340  accuracy 98.98 %  val loss 0.0268  val accuracy 99.05 %  124.0 s  13,915 images/s")]
    [TestCase(80, "epoch  9/10  loss 0.0340  acc 98.98 %  val loss 0.0268  val acc 99.05 %  124.0 s")]
    [TestCase(79, "epoch  9/10  loss 0.0340  acc 98.98 %  val 0.0268  99.05 %  124.0 s")]
    [TestCase(60, " 9/10  loss 0.0340  acc 98.98 %  val 0.0268  99.05 %")]
    [TestCase(40, " 9/10  0.0340  98.98 %  0.0268  99.05 %")]
    [TestCase(10, " 9/10  0.0")]
    public void An_epoch_s_line_says_what_fits(int width, string expected) =>
        Assert.That(ProgressText.Epoch(Whole, 10, "val", 13915, width), Is.EqualTo(expected));

    [Test]
    public void What_a_recipe_does_not_have_is_left_out()
    {
        var plain = new EpochResult { Epoch = 1, Loss = 0.5, Duration = TimeSpan.FromSeconds(1), LearningRate = 1e-3f };
        Assert.That(ProgressText.Epoch(plain, 5, "val", 1000, 200), Is.EqualTo("epoch  1/5  loss 0.5000  1.0 s  1,000 images/s"));
        Assert.That(
            ProgressText.Step(Step with { Accuracy = double.NaN }, 10, 1000)[0],
            Is.EqualTo("epoch 9/10  loss 0.1234  1,000 images/s"));
    }

    [TestCase(120, 40, "  25 %  02:03  epoch 9/10  loss 0.1234  accuracy 97.12 %  14,595 images/s")]
    [TestCase(80, 25, "  25 %  02:03  9/10  loss 0.1234  acc 97.12 %  14,595/s")]
    [TestCase(60, 15, "  25 %  02:03  9/10  loss 0.1234  acc 97.12 %")]
    [TestCase(30, 11, "  25 %  02:03  9/10")]
    [TestCase(20, 0, "9/10  loss 0.1234")]
    public void A_bar_takes_what_the_text_leaves(int width, int cells, string tail)
    {
        (int done, int got, string text) = ProgressText.Bar(
            0.25, TimeSpan.FromSeconds(123), ProgressText.Step(Step, 10, 14595), width);
        Assert.That((got, text), Is.EqualTo((cells, tail)));
        Assert.That(done, Is.EqualTo((int)Math.Round(0.25 * cells)));
    }
}
