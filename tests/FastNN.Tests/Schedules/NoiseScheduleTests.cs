namespace FastNN.Tests.Schedules;

/// <summary>Diffusion: how data turn into noise, and the steps back.</summary>
internal sealed class NoiseScheduleTests
{
    private static readonly float[] Data = [-1, -0.25f, 0, 0.5f, 1];
    private static readonly float[] Noise = [0.3f, -1.2f, 2, 0.7f, -0.1f];

    [Test]
    public void The_linear_schedule_is_that_of_the_paper()
    {
        NoiseSchedule schedule = NoiseSchedule.Linear(1000);
        double signal = 1;
        for (int step = 1; step <= 1000; step++)
        {
            signal *= 1 - (1e-4 + ((0.02 - 1e-4) * (step - 1) / 999));
            Assert.That(schedule.Signal(step), Is.EqualTo(signal).Within(1e-6 * signal), $"step {step}");
        }

        Assert.That(schedule.Signal(1000), Is.EqualTo(4.0358e-5).Within(1e-8));
    }

    [Test]
    public void The_cosine_schedule_is_that_of_the_paper([Values(1, 2, 50, 1000)] int steps)
    {
        NoiseSchedule schedule = NoiseSchedule.Cosine(steps);
        Assert.That((schedule.Steps, schedule.Signal(0)), Is.EqualTo((steps, 1.0)));
        for (int step = 1; step < steps; step++)
        {
            double expected = Math.Pow(Math.Cos(((step / (double)steps) + 0.008) / 1.008 * Math.PI / 2), 2)
                / Math.Pow(Math.Cos(0.008 / 1.008 * Math.PI / 2), 2);
            Assert.That(schedule.Signal(step), Is.EqualTo(expected).Within(1e-9), $"step {step}");
        }

        Assert.That(schedule.Signal(steps), Is.InRange(1e-12, 1.1e-3));
    }

    [Test]
    public void The_true_velocity_leads_from_any_step_to_any_earlier_one([Values(1, 7, 49, 50)] int from, [Values(0, 6)] int to)
    {
        NoiseSchedule schedule = NoiseSchedule.Linear(50, 1e-3f, 0.2f);
        float[] x = new float[5], velocity = new float[5], expected = new float[5];
        schedule.Diffuse(Data, Noise, from, x);
        schedule.Velocity(Data, Noise, from, velocity);
        schedule.Diffuse(Data, Noise, to, expected);
        if (from <= to)
        {
            Assert.That(
                () => schedule.Denoise(x, velocity, from, to),
                Throws.TypeOf<ArgumentOutOfRangeException>().With.Message.Contains($"a step before {from}, got {to}"));
            return;
        }

        schedule.Denoise(x, velocity, from, to);
        Assert.That(x, Is.EqualTo(expected).Within(2e-5f));
    }

    [Test]
    public void A_random_step_has_the_mean_and_variance_of_the_posterior([Values(1, 2, 30)] int step)
    {
        NoiseSchedule schedule = NoiseSchedule.Linear(30, 1e-3f, 0.2f);
        float[] x = new float[5], velocity = new float[5], drawn = [0.5f, -1, 0, 2, 1];
        schedule.Diffuse(Data, Noise, step, x);
        schedule.Velocity(Data, Noise, step, velocity);
        double now = schedule.Signal(step), before = schedule.Signal(step - 1), beta = 1 - (now / before);
        double deviation = Math.Sqrt((1 - before) / (1 - now) * beta);
        double[] expected =
        [
            .. x.Select((value, i) => (Math.Sqrt(before) * beta / (1 - now) * Data[i])
                + (Math.Sqrt(1 - beta) * (1 - before) / (1 - now) * value) + (deviation * drawn[i])),
        ];
        schedule.Denoise(x, velocity, step, step - 1, drawn);
        Near.Check("posterior", x, expected, 2e-5);
    }

    [Test]
    public void Predicted_data_are_clipped()
    {
        NoiseSchedule schedule = NoiseSchedule.Cosine(10);
        float[] x = new float[5], velocity = new float[5];
        schedule.Diffuse(Data, Noise, 5, x);
        schedule.Velocity(Data, Noise, 5, velocity);
        schedule.Denoise(x, velocity, 5, 0, limit: 0.4f);
        Assert.That(x, Is.EqualTo(new[] { -0.4f, -0.25f, 0, 0.4f, 0.4f }).Within(1e-5f));
    }

    [Test]
    public void Steps_to_sample_by_are_spread_evenly()
    {
        Assert.That(NoiseSchedule.Cosine(10).Respace(4), Is.EqualTo(new[] { 10, 7, 5, 2, 0 }));
        Assert.That(NoiseSchedule.Cosine(3).Respace(3), Is.EqualTo(new[] { 3, 2, 1, 0 }));
        Assert.That(NoiseSchedule.Cosine(200).Respace(1), Is.EqualTo(new[] { 200, 0 }));
    }

    [Test]
    public void What_does_not_fit_is_refused()
    {
        NoiseSchedule schedule = NoiseSchedule.Cosine(10);
        Assert.That(() => NoiseSchedule.Cosine(0), Throws.TypeOf<ArgumentOutOfRangeException>());
        Assert.That(
            () => NoiseSchedule.Linear(10, 0.5f, 0.1f),
            Throws.TypeOf<ArgumentOutOfRangeException>().With.Message.Contains("0 < first <= last < 1, got 0.5 and 0.1"));
        Assert.That(
            () => schedule.Signal(11), Throws.TypeOf<ArgumentOutOfRangeException>().With.Message.Contains("from 0 to 10"));
        Assert.That(() => schedule.Respace(11), Throws.TypeOf<ArgumentOutOfRangeException>().With.Message.Contains("1 to 10"));
        Assert.That(
            () => schedule.Diffuse(Data, Noise.AsSpan(1), 3, new float[5]),
            Throws.ArgumentException.With.Message.Contains("expected 5 numbers, got 4"));
        Assert.That(
            () => schedule.Denoise(new float[5], new float[5], 3, 2, new float[4]),
            Throws.ArgumentException.With.Message.Contains("expected 5 numbers, got 4"));
    }
}
