namespace FastNN.Tests.Schedules;

/// <summary>Learning rates as functions of the step.</summary>
internal sealed class ScheduleTests
{
    [Test]
    public void A_cosine_falls_from_its_rate_to_its_final_rate_and_stays_there()
    {
        Schedule schedule = Schedule.Cosine(0.1f, steps: 4, final: 0.02f);

        // PyTorch 2: CosineAnnealingLR(optimizer of lr 0.1, T_max=4, eta_min=0.02).
        Assert.That(schedule.First(5), Is.EqualTo(new[] { 0.1f, 0.08828427f, 0.06f, 0.03171573f, 0.02f }).Within(1e-7f));
        Assert.That(schedule.At(1_000_000_000_000), Is.EqualTo(0.02f));
    }

    [Test]
    public void A_warm_up_rises_to_the_first_rate_of_what_follows()
    {
        Schedule schedule = Schedule.Warmup(4).Then(Schedule.Cosine(1, steps: 2));
        Assert.That(schedule.First(8), Is.EqualTo(new[] { 0.25f, 0.5f, 0.75f, 1f, 1f, 0.5f, 0f, 0f }).Within(1e-7f));
    }

    [Test]
    public void A_decay_multiplies_after_every_so_many_steps()
    {
        Assert.That(Schedule.Decay(1, 0.5f, every: 2).First(6), Is.EqualTo(new[] { 1, 1, 0.5f, 0.5f, 0.25f, 0.25f }));

        // ExponentialLR(gamma=0.9) after 500 steps.
        Assert.That(Schedule.Decay(1, 0.9f).At(500) / Math.Pow(0.9, 500), Is.EqualTo(1).Within(1e-6));
    }

    [Test]
    public void A_line_is_straight_and_schedules_follow_each_other()
    {
        Assert.That(Schedule.Linear(1, steps: 4).First(6), Is.EqualTo(new[] { 1, 0.75f, 0.5f, 0.25f, 0, 0 }));
        Assert.That(
            Schedule.Constant(3).For(2, Schedule.Linear(1, steps: 2)).First(5), Is.EqualTo(new float[] { 3, 3, 1, 0.5f, 0 }));
    }

    [Test]
    public void Arguments_out_of_range_are_named()
    {
        Assert.That(() => Schedule.Cosine(-1, 3), Throws.TypeOf<ArgumentOutOfRangeException>().With.Message.Contains("got -1"));
        Assert.That(
            () => Schedule.Constant(float.NaN), Throws.TypeOf<ArgumentOutOfRangeException>().With.Message.Contains("NaN"));
        Assert.That(
            () => Schedule.Warmup(0), Throws.TypeOf<ArgumentOutOfRangeException>().With.Message.Contains("at least 1 step"));
        Assert.That(() => Schedule.Decay(1, 1.5f), Throws.TypeOf<ArgumentOutOfRangeException>().With.Message.Contains("(0, 1]"));
    }

    [Test]
    public void Training_takes_each_updates_rate_from_the_schedule()
    {
        using var device = Device.Cpu(1);
        Schedule schedule = Schedule.Warmup(3).Then(Schedule.Cosine(0.05f, steps: 6));
        float[] scheduled = Train(new Sgd { Schedule = schedule }, (_, _) => { });
        float[] byHand = Train(new Sgd(), (optimizer, step) => optimizer.LearningRate = schedule.At(step));
        Assert.That(scheduled, Is.EqualTo(byHand));

        float[] Train(Sgd optimizer, Action<Sgd, int> beforeStep)
        {
            Sequential model = Toy.Built();
            using Trainer trainer = Toy.Trainer(device, model, optimizer);
            float[] x = [0.5f, -0.25f, -0.75f, 0.125f];
            for (int step = 0; step < 8; step++)
            {
                beforeStep(optimizer, step);
                trainer.TrainBatch(x, [1, 2]);
                Assert.That(optimizer.LearningRate, Is.EqualTo(schedule.At(step)));
            }

            return Toy.Parameters(model);
        }
    }
}
