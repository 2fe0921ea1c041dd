using FastNN.Data;

namespace FastNN.Tests.Data.Audio;

internal sealed class MelSpectrogramTests
{
    [Test]
    public void Scales_have_the_values_they_are_known_for()
    {
        // 1000 hertz are about 1000 mel of the first scale and 15 of the second, which is linear below.
        Assert.That(MelScale.Htk.ToMel(1000), Is.EqualTo(999.9856).Within(1e-4));
        Assert.That(MelScale.Htk.ToMel(0), Is.Zero);
        Assert.That(MelScale.Slaney.ToMel(1000), Is.EqualTo(15).Within(1e-12));
        Assert.That(MelScale.Slaney.ToMel(500), Is.EqualTo(7.5).Within(1e-12));
        Assert.That(MelScale.Slaney.ToMel(6400), Is.EqualTo(42).Within(1e-12));
        foreach (MelScale scale in Enum.GetValues<MelScale>())
        {
            foreach (double hertz in (double[])[0, 60, 999, 1000, 1001, 7999])
            {
                Assert.That(scale.ToHertz(scale.ToMel(hertz)), Is.EqualTo(hertz).Within(1e-9));
            }
        }
    }

    [Test]
    public void A_transform_is_the_sum_it_stands_for([Values(1, 2, 4, 8, 64, 512)] int length)
    {
        var random = new Random(length);
        double[] a = [.. Enumerable.Range(0, length).Select(_ => random.NextDouble() - 0.5)];
        double[] b = [.. Enumerable.Range(0, length).Select(_ => random.NextDouble() - 0.5)];
        double[] re = [.. a], im = [.. b], first = new double[(length / 2) + 1], second = new double[first.Length];
        var transform = new FourierTransform(length);
        transform.Transform(re, im);
        transform.Powers(re, im, first, second);
        for (int k = 0; k < first.Length; k++)
        {
            Assert.That(first[k], Is.EqualTo(Power(a, k)).Within(1e-10 * length));
            Assert.That(second[k], Is.EqualTo(Power(b, k)).Within(1e-10 * length));
        }
    }

    [Test]
    public void Spectrograms_match_the_definition(
        [Values] MelScale scale, [Values] bool area, [Values(512, 1000, 1119, 1120, 1300)] int samples)
    {
        const int window = 400, hop = 120, mels = 11, rate = 16_000;
        MelSpectrogram With(double? offset) => new(rate)
        {
            Window = window,
            Hop = hop,
            Mels = mels,
            LowHertz = 80,
            HighHertz = 7000,
            Scale = scale,
            NormalizeArea = area,
            LogOffset = offset,
        };
        MelSpectrogram mel = With(null);
        var random = new Random(samples);
        float[] sound = [.. Enumerable.Range(0, samples).Select(_ => (float)(random.NextDouble() - 0.5))];
        float[] result = mel.Compute(sound);
        int frames = 1 + ((samples - window) / hop);
        Assert.That((mel.TransformLength, mel.FramesOf(samples), result.Length), Is.EqualTo((512, frames, frames * mels)));

        // Corners of the triangles in hertz, evenly apart in mel.
        double low = scale.ToMel(80), high = scale.ToMel(7000);
        double[] corners = [.. Enumerable.Range(0, mels + 2).Select(i => scale.ToHertz(low + (i * (high - low) / (mels + 1))))];
        for (int frame = 0; frame < frames; frame++)
        {
            var windowed = new double[512];
            for (int i = 0; i < window; i++)
            {
                windowed[i] = sound[(frame * hop) + i] * Math.Pow(Math.Sin(Math.PI * i / window), 2);
            }

            double[] powers = [.. Enumerable.Range(0, 257).Select(k => Power(windowed, k))];
            for (int i = 0; i < mels; i++)
            {
                double sum = 0;
                for (int k = 0; k < 257; k++)
                {
                    double hertz = k * rate / 512.0, left = corners[i], center = corners[i + 1], right = corners[i + 2];
                    double weight = hertz <= left || hertz >= right ? 0
                        : hertz <= center ? (hertz - left) / (center - left) : (right - hertz) / (right - center);
                    sum += weight * powers[k] * (area ? 2 / (right - left) : 1);
                }

                Assert.That(result[(frame * mels) + i], Is.EqualTo(sum).Within(1e-6 * (1 + sum)));
            }
        }

        Assert.That(With(1e-6).Compute(sound), Is.EqualTo(result.Select(value => (float)Math.Log(value + 1e-6))).Within(1e-4f));
    }

    [Test]
    public void A_tone_is_where_its_pitch_is_and_nothing_is_allocated()
    {
        var mel = new MelSpectrogram(8000) { LogOffset = null };
        Assert.That((mel.Window, mel.Hop, mel.Mels, mel.HighHertz), Is.EqualTo((200, 80, 40, 4000.0)));
        float[] sound = [.. Enumerable.Range(0, 8000).Select(i => (float)Math.Sin(2 * Math.PI * 1000 * i / 8000))];
        float[] result = mel.Compute(sound);
        Assert.That(result, Has.Length.EqualTo(98 * 40));

        // The filter whose center is nearest to 1000 hertz: 41 steps of mel to 4000.
        int expected = (int)Math.Round(MelScale.Htk.ToMel(1000) / MelScale.Htk.ToMel(4000) * 41) - 1;
        for (int frame = 0; frame < 98; frame++)
        {
            ReadOnlySpan<float> row = result.AsSpan(frame * 40, 40);
            Assert.That(row.IndexOf(row.ToArray().Max()), Is.EqualTo(expected));
        }

        long before = GC.GetAllocatedBytesForCurrentThread();
        mel.Compute(sound, result);
        Assert.That(GC.GetAllocatedBytesForCurrentThread() - before, Is.Zero);
    }

    [Test]
    public void Short_sounds_have_no_frames_and_wrong_settings_are_refused()
    {
        Assert.That(new MelSpectrogram(16_000).Compute(new float[399]), Is.Empty);
        Assert.That(new MelSpectrogram(16_000).FramesOf(400), Is.EqualTo(1));
        Assert.That(() => new MelSpectrogram(0), Throws.InstanceOf<ArgumentOutOfRangeException>());
        Assert.That(() => new MelSpectrogram(1) { Hop = 0 }, Throws.InstanceOf<ArgumentOutOfRangeException>());
        Assert.That(() => new MelSpectrogram(1) { Mels = 0 }, Throws.InstanceOf<ArgumentOutOfRangeException>());
        Assert.That(() => new MelSpectrogram(1) { Window = 1 << 21 }, Throws.InstanceOf<ArgumentOutOfRangeException>());
        Assert.That(() => new MelSpectrogram(8000).Compute(new float[200], new float[1]), Throws.ArgumentException);
        foreach ((double low, double high) in (ReadOnlySpan<(double, double)>)[(-1, 10), (10, 10), (0, 4001), (0, double.NaN)])
        {
            var mel = new MelSpectrogram(8000) { LowHertz = low, HighHertz = high };
            Assert.That(() => mel.Compute(new float[200]), Throws.ArgumentException.With.Message.Contains("LowHertz"));
        }
    }

    private static double Power(double[] signal, int k)
    {
        double re = 0, im = 0;
        for (int n = 0; n < signal.Length; n++)
        {
            (double sin, double cos) = Math.SinCos(-2 * Math.PI * ((long)k * n % signal.Length) / signal.Length);
            (re, im) = (re + (signal[n] * cos), im + (signal[n] * sin));
        }

        return (re * re) + (im * im);
    }
}
