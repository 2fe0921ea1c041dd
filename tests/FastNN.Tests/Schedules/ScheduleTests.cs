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
    public void Restarts_begin_anew_after_periods_that_grow()
    {
        // PyTorch's CosineAnnealingWarmRestarts of lr 1, T_0 = 2: 1, 1/2, and so on; T_mult = 2 doubles the period.
        Assert.That(Schedule.CosineRestarts(1, 2).First(5), Is.EqualTo(new[] { 1, 0.5f, 1, 0.5f, 1 }).Within(1e-7f));
        Assert.That(
            Schedule.CosineRestarts(1, 2, multiplier: 2, final: 0.5f).First(8),
            Is.EqualTo(new[] { 1, 0.75f, 1, 0.9267767f, 0.75f, 0.5732233f, 1, 0.9809699f }).Within(1e-6f));
        Assert.That(Schedule.CosineRestarts(1, 3, multiplier: 5).At(long.MaxValue), Is.InRange(0, 1));
    }

    [Test]
    public void Cycles_rise_and_fall_in_lines()
    {
        Assert.That(
            Schedule.Cyclic(1, 2, up: 2).First(7), Is.EqualTo(new[] { 1, 1.5f, 2, 1.5f, 1, 1.5f, 2 }).Within(1e-6f));
        Assert.That(
            Schedule.Cyclic(1, 2, up: 1, down: 2, CycleMode.Halving).First(6),
            Is.EqualTo(new[] { 1, 2, 1.5f, 1, 1.5f, 1.25f }).Within(1e-6f));
        Assert.That(
            Schedule.Cyclic(0, 1, up: 1, mode: CycleMode.Exponential, factor: 0.5f).First(4),
            Is.EqualTo(new[] { 0, 0.5f, 0, 0.125f }).Within(1e-6f));
    }

    [Test]
    public void One_cycle_has_a_momentum_that_is_low_where_the_rate_is_high()
    {
        float[] rates = Schedule.OneCycle(1, 11, 0.4f).First(12), momentum = Schedule.OneCycleMomentum(11, 0.4f).First(12);
        Assert.That((rates[0], rates[11]), Is.EqualTo((0.04f, 4e-6f)));
        Assert.That(momentum[0], Is.EqualTo(0.95f));
        Assert.That(Array.IndexOf(momentum, momentum.Min()), Is.EqualTo(Array.IndexOf(rates, rates.Max())));

        // Of three phases the second ends where the first began.
        float[] three = Schedule.OneCycle(1, 12, 0.25f, Annealing.Linear, threePhases: true).First(12);
        Assert.That((three[2], three[4]), Is.EqualTo((1f, 0.04f)));
    }

    /// <summary>PyTorch's phases end at pct_start * total - 1 and 2 * pct_start * total - 2, which may be too late.</summary>
    [Test]
    public void A_cycle_that_rises_in_more_than_half_of_its_steps_ends_while_it_falls()
    {
        float[] rates = Schedule.OneCycle(1, 10, 0.7f, Annealing.Linear, threePhases: true).First(12);
        float[] momentum = Schedule.OneCycleMomentum(10, 0.7f, Annealing.Linear, threePhases: true).First(10);
        Assert.That(
            rates,
            Is.EqualTo(new[] { 0.04f, 0.2f, 0.36f, 0.52f, 0.68f, 0.84f, 1, 0.84f, 0.68f, 0.52f, 0.52f, 0.52f }).Within(1e-6f));
        Assert.That(momentum[^3..], Is.EqualTo(new[] { 0.8666667f, 0.8833333f, 0.9f }).Within(1e-6f));
        Assert.That(Schedule.OneCycle(1, 7, 0.99f, threePhases: true).First(8)[^1], Is.InRange(0.9f, 1f));
    }

    [Test]
    public void Rates_are_multiplied_step_by_step() => Assert.That(
        Schedule.From(step => step + 1).Times(Schedule.Decay(1, 0.5f)).First(4), Is.EqualTo(new[] { 1, 1, 0.75f, 0.5f }));

    [Test]
    public void A_momentum_follows_its_schedule()
    {
        using var device = Device.Cpu(1);
        float[] scheduled = Train(new Sgd(0.1f, 0.5f) { MomentumSchedule = Schedule.From(step => step < 2 ? 0.5f : 0.9f) }, 2);
        float[] plain = Train(new Sgd(0.1f, 0.5f), 2), longer = Train(
            new Sgd(0.1f, 0.5f) { MomentumSchedule = Schedule.From(step => step < 2 ? 0.5f : 0.9f) }, 3);
        Assert.That(scheduled, Is.EqualTo(plain));
        Assert.That(longer, Is.Not.EqualTo(Train(new Sgd(0.1f, 0.5f), 3)));
        Assert.That(
            () => new Sgd { MomentumSchedule = Schedule.Constant(0.5f) },
            Throws.ArgumentException.With.Message.Contains("Sgd with a momentum above 0"));

        float[] Train(Sgd optimizer, int steps)
        {
            Sequential model = Toy.Built();
            using Trainer trainer = Toy.Trainer(device, model, optimizer);
            for (int step = 0; step < steps; step++)
            {
                trainer.TrainBatch([0.5f, -0.25f, -0.75f, 0.125f], [1, 2]);
            }

            return Toy.Parameters(model);
        }
    }

    [Test]
    public void A_plateau_takes_larger_numbers_for_better_where_told_so()
    {
        var plateau = new ReduceOnPlateau(0.5f, patience: 0, threshold: 0.1, moreIsBetter: true, least: 0.3f);
        float rate = 1;
        float[] rates = [.. new[] { 1.0, 1.2, 1.25, 1.4, 1.4, 1.4 }.Select(value => rate = plateau.Next(value, rate))];
        Assert.That(rates, Is.EqualTo(new[] { 1, 1, 0.5f, 0.5f, 0.3f, 0.3f }));
    }

    private static IEnumerable<TestCaseData> Mistakes =>
    [
        Of("a power", () => Schedule.Polynomial(1, 3, 0), "a finite power above 0, got 0"),
        Of("steps of a power", () => Schedule.Polynomial(1, 0), "at least 1 step, got 0"),
        Of("milestones that fall", () => Schedule.MultiStep(1, 0.5f, 3, 2), "rising milestones above 0, got 3, 2"),
        Of("no milestones", () => Schedule.MultiStep(1, 0.5f), "at least one milestone"),
        Of("a factor of milestones", () => Schedule.MultiStep(1, 2, 3), "a factor in (0, 1], got 2"),
        Of("a multiplier", () => Schedule.CosineRestarts(1, 3, 0), "a multiplier of at least 1, got 0"),
        Of("a period", () => Schedule.CosineRestarts(1, 0), "at least 1 step, got 0"),
        Of("a short cycle", () => Schedule.OneCycle(1, 1), "a cycle of at least 2 steps, got 1"),
        Of("a share", () => Schedule.OneCycle(1, 10, 1), "a share in (0, 1), got 1"),
        Of("a divisor", () => Schedule.OneCycle(1, 10, divisor: 0), "a finite divisor above 0, got 0"),
        Of("an annealing", () => Schedule.OneCycle(1, 10, annealing: (Annealing)7), "an annealing of Cosine or Linear, got 7"),
        Of("a momentum of 1", () => Schedule.OneCycleMomentum(10, highest: 1), "to below 1, got 1"),
        Of("a top", () => Schedule.Cyclic(2, 1, 3), "at least the lowest, 2, got 1"),
        Of("steps up", () => Schedule.Cyclic(1, 2, 0), "at least 1 step, got 0"),
        Of("steps down", () => Schedule.Cyclic(1, 2, 3, -1), "at least 1 step, got -1"),
        Of("a cycle's factor", () => Schedule.Cyclic(1, 2, 3, factor: 0), "a factor in (0, 1], got 0"),
        Of("a mode", () => Schedule.Cyclic(1, 2, 3, mode: (CycleMode)9), "a mode of Triangular, Halving or Exponential, got 9"),
        Of("a plateau's factor", () => new ReduceOnPlateau(1), "a factor in (0, 1), got 1"),
        Of("a patience", () => new ReduceOnPlateau(patience: -1), "a patience of at least 0, got -1"),
        Of("a threshold", () => new ReduceOnPlateau(threshold: double.NaN), "a finite threshold of at least 0, got NaN"),
        Of("a cooldown", () => new ReduceOnPlateau(cooldown: -2), "a cooldown of at least 0, got -2"),
        Of("a least rate", () => new ReduceOnPlateau(least: -1), "a finite least rate of at least 0, got -1"),
        Of("an order", () => new Sgd { ClipNormOrder = 3 }, "expected 2 or infinity, got 3"),
    ];

    [TestCaseSource(nameof(Mistakes))]
    public void A_mistake_is_named(Func<object> act, string expected) =>
        Assert.That(() => act(), Throws.InstanceOf<ArgumentOutOfRangeException>().With.Message.Contains(expected));

    private static TestCaseData Of(string what, Func<object> act, string expected) =>
        new TestCaseData(act, expected).SetArgDisplayNames(what);

    [Test]
    public void A_function_that_gives_no_rate_is_named() => Assert.That(
        () => Schedule.From(_ => -1).At(3), Throws.InvalidOperationException.With.Message.Contains("got -1 for step 3"));

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
