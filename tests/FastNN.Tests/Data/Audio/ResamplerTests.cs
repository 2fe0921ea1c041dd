using FastNN.Data;

namespace FastNN.Tests.Data.Audio;

internal sealed class ResamplerTests
{
    [Test]
    public void A_tone_below_the_cut_stays([Values(8000, 16_000, 22_050, 44_100)] int from, [Values(8000, 16_000)] int to)
    {
        float[] result = Resampler.Resample(Tone(from, 1000, from / 2), from, to);
        Assert.That(result, Has.Length.EqualTo(to / 2));

        // Away from the ends, where the filter reaches beyond the sound.
        float[] expected = Tone(to, 1000, to / 2);
        int edge = to / 50;
        Assert.That(result[edge..^edge], Is.EqualTo(expected[edge..^edge]).Within(2e-3f));
    }

    [Test]
    public void A_tone_above_the_cut_goes()
    {
        float[] result = Resampler.Resample(Tone(22_050, 6000, 22_050), 22_050, 8000);
        Assert.That(result[200..^200].Max(Math.Abs), Is.LessThan(2e-3f));
    }

    [Test]
    public void Lengths_are_rounded_up_and_a_level_stays()
    {
        Assert.That(Resampler.Resample([], 3, 2), Is.Empty);
        Assert.That(Resampler.Resample([1], 3, 2), Has.Length.EqualTo(1));
        Assert.That(Resampler.Resample(new float[4], 3, 2), Has.Length.EqualTo(3));
        Assert.That(Resampler.Resample([1, 2, 3], 5, 5), Is.EqualTo(new[] { 1f, 2, 3 }));
        float[] level = [.. Enumerable.Repeat(0.25f, 1000)];
        Assert.That(Resampler.Resample(level, 3, 2)[50..^50], Is.All.EqualTo(0.25f).Within(1e-3f));
        Assert.That(() => Resampler.Resample(level, 0, 2), Throws.InstanceOf<ArgumentOutOfRangeException>());
        Assert.That(() => Resampler.Resample(level, 1, -2), Throws.InstanceOf<ArgumentOutOfRangeException>());
        Assert.That(() => Resampler.Resample(level, 1, int.MaxValue), Throws.ArgumentException);
    }

    private static float[] Tone(int rate, double hertz, int samples) =>
        [.. Enumerable.Range(0, samples).Select(i => (float)Math.Sin(2 * Math.PI * hertz * i / rate))];
}
