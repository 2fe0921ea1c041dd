using FastNN.Data;

namespace FastNN.Tests.Data.Augmentations;

internal sealed class NormalizeTests
{
    [Test]
    public void Each_channel_gets_its_mean_and_deviation()
    {
        var augment = new Normalize([0.5f, 0.25f], [0.5f, 2]);
        Assert.That(
            Images.Run(augment, [0, 0.25f, 1, 2.25f], [2, 1, 2]), Is.EqualTo(new float[] { -1, 0, 1, 1 }));
    }

    [Test]
    public void Wrong_numbers_are_refused()
    {
        Assert.That(() => new Normalize([], []), Throws.ArgumentException.With.Message.Contains("for each channel, got 0 and 0"));
        Assert.That(() => new Normalize([1, 2], [1]), Throws.ArgumentException.With.Message.Contains("got 2 and 1"));
        Assert.That(
            () => new Normalize([1], [0]),
            Throws.InstanceOf<ArgumentOutOfRangeException>().With.Message.Contains(
                "Normalize: expected standardDeviation to be a positive number, got 0."));
        Assert.That(
            () => new Normalize([1], [1]).OutputShape([2, 2, 3]),
            Throws.TypeOf<ShapeException>().With.Message.EqualTo("Normalize: expected images of 1 channels, got [2, 2, 3]."));
    }
}
