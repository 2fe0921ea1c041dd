using FastNN.Functions;
using FastNN.Kernels;

namespace FastNN.Tests.Optimizers;

internal sealed class OptimizerTests : OptimizerFixture
{
    protected override IReadOnlyList<IDevice> Devices => [One, Two];

    [TestCaseSource(nameof(Cases))]
    public void Threads_change_no_bit_and_a_step_allocates_nothing(OptimizerCase @case)
    {
        using var one = new OptimizerRun(One, @case.Create());
        using var two = new OptimizerRun(Two, @case.Create());
        for (int step = 1; step <= 3; step++)
        {
            one.Step(step);
            two.Step(step);
        }

        Near.SameBits(one.Values, two.Values);

        // The least of three: a semaphore of the runtime allocates once, when threads first meet at it.
        long least = long.MaxValue;
        for (int step = 4; step <= 6; step++)
        {
            long before = GC.GetAllocatedBytesForCurrentThread();
            two.State.Upload(step, 3);
            two.State.Update(null);
            least = Math.Min(least, GC.GetAllocatedBytesForCurrentThread() - before);
        }

        Assert.That(least, Is.Zero);
    }

    [Test]
    public void A_frozen_parameter_stays_as_it_was()
    {
        using var run = new OptimizerRun(One, new Sgd(0.1f, weightDecay: 0.5f), frozen: 3);
        float[] before = run.Read(3);
        run.Step(1);
        Near.SameBits(before, run.Read(3));
        Assert.That(run.Read(1), Is.Not.EqualTo(OptimizerRun.First(1)));
    }

    [TestCaseSource(nameof(Updates))]
    public void A_row_names_each_state_of_its_text(string name)
    {
        UpdateFunction update = FunctionTable.Updates.Single(row => row.Info.Name == name);
        Assert.That(update.Info.States, Has.Length.EqualTo(update.Accept(default(StateCount))));
        Assert.That(update.Info.States.Select(state => state.Name), Is.Unique);
    }

    [Test]
    public void Kernels_are_named_once() => Assert.That(FunctionTable.Updates.Select(update => update.Kernel), Is.Unique);

    [Test]
    public void NAdams_momentum_is_that_of_its_step_whatever_was_asked_before()
    {
        float[] At(NAdam optimizer, long step)
        {
            var scalars = new float[UpdateScalars.Row];
            optimizer.WriteScalars(scalars, step, 0.1f, 0);
            return scalars;
        }

        var walked = new NAdam();
        for (int step = 1; step < 40; step++)
        {
            At(walked, step);
        }

        Near.SameBits([At(new NAdam(), 40), At(new NAdam(), 7)], [At(walked, 40), At(walked, 7)]);
        Assert.That(At(walked, long.MaxValue), Has.All.Matches<float>(float.IsFinite));
    }

    [Test]
    public void Options_out_of_range_are_named()
    {
        Assert.That(() => new Sgd(-1), Throws.TypeOf<ArgumentOutOfRangeException>());
        Assert.That(() => new Sgd(float.NaN), Throws.TypeOf<ArgumentOutOfRangeException>());
        Assert.That(() => new Sgd(momentum: 1), Throws.TypeOf<ArgumentOutOfRangeException>().With.Message.Contains("momentum"));
        Assert.That(() => new Sgd(nesterov: true), Throws.ArgumentException.With.Message.Contains("Nesterov"));
        Assert.That(() => new Sgd(momentum: 0.9f, dampening: 0.1f, nesterov: true), Throws.ArgumentException);
        Assert.That(() => new Adam(beta1: 1), Throws.TypeOf<ArgumentOutOfRangeException>().With.Message.Contains("beta1"));
        Assert.That(() => new Adam(epsilon: -1), Throws.TypeOf<ArgumentOutOfRangeException>().With.Message.Contains("epsilon"));
        Assert.That(() => new RmsProp(alpha: 1), Throws.TypeOf<ArgumentOutOfRangeException>().With.Message.Contains("alpha"));
        Assert.That(
            () => new RmsProp(momentum: -0.1f), Throws.TypeOf<ArgumentOutOfRangeException>().With.Message.Contains("momentum"));
        Assert.That(
            () => new Adagrad(learningRateDecay: -1),
            Throws.TypeOf<ArgumentOutOfRangeException>().With.Message.Contains("learningRateDecay"));
        Assert.That(
            () => new Adagrad(initialSum: float.NaN),
            Throws.TypeOf<ArgumentOutOfRangeException>().With.Message.Contains("initialSum"));
        Assert.That(() => new Adadelta(rho: 1), Throws.TypeOf<ArgumentOutOfRangeException>().With.Message.Contains("rho"));
        Assert.That(() => new Adamax(beta2: 1), Throws.TypeOf<ArgumentOutOfRangeException>().With.Message.Contains("beta2"));
        Assert.That(
            () => new NAdam(momentumDecay: -1),
            Throws.TypeOf<ArgumentOutOfRangeException>().With.Message.Contains("momentumDecay"));
        Assert.That(() => new RAdam(beta2: 1), Throws.TypeOf<ArgumentOutOfRangeException>().With.Message.Contains("beta2"));
        Assert.That(() => new Lion(beta1: -1), Throws.TypeOf<ArgumentOutOfRangeException>().With.Message.Contains("beta1"));
        Assert.That(() => new Lamb(epsilon: -1), Throws.TypeOf<ArgumentOutOfRangeException>().With.Message.Contains("epsilon"));
        Assert.That(() => new Muon(momentum: 1), Throws.TypeOf<ArgumentOutOfRangeException>().With.Message.Contains("momentum"));
        Assert.That(() => new Muon(0), Throws.TypeOf<ArgumentOutOfRangeException>().With.Message.Contains("rate above 0"));
        Assert.That(
            () => new Muon(scale: (MuonScale)5),
            Throws.TypeOf<ArgumentOutOfRangeException>().With.Message.Contains("a scale of Original or LikeAdamW, got 5"));
        Assert.That(
            () => new Muon(adamLearningRate: -1),
            Throws.TypeOf<ArgumentOutOfRangeException>().With.Message.Contains("adamLearningRate"));
        Assert.That(
            () => WeightAverage.Exponential(1),
                Throws.TypeOf<ArgumentOutOfRangeException>().With.Message.Contains("[0, 1), got 1"));
        Assert.That(
            () => WeightAverage.Equal(every: 0), Throws.TypeOf<ArgumentOutOfRangeException>().With.Message.Contains("got 0"));
        Assert.That(
            () => WeightAverage.Equal(start: -1), Throws.TypeOf<ArgumentOutOfRangeException>().With.Message.Contains("got -1"));
        Assert.That(
            () => new AdamW(weightDecay: float.PositiveInfinity),
            Throws.TypeOf<ArgumentOutOfRangeException>().With.Message.Contains("weightDecay"));
    }

    private static IEnumerable<string> Updates => FunctionTable.Updates.Select(update => update.Info.Name);

    private readonly struct StateCount : IUpdateVisitor<int>
    {
        public int Visit<TUpdate>(UpdateFunction update)
            where TUpdate : struct, IUpdateFunction => TUpdate.States;
    }
}
