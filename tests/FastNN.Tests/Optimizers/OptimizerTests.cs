using FastNN.Kernels;

namespace FastNN.Tests.Optimizers;

internal sealed class OptimizerTests : OptimizerFixture
{
    protected override IReadOnlyList<IDevice> Devices => [One, Two];

    [TestCaseSource(nameof(Cases))]
    public void Threads_change_no_bit_and_a_step_allocates_nothing(Case @case)
    {
        using var one = new Run(One, @case.Create());
        using var two = new Run(Two, @case.Create());
        for (int step = 1; step <= 3; step++)
        {
            one.Step(step);
            two.Step(step);
        }

        Near.SameBits(Array.ConvertAll(one.Parameters, Read), Array.ConvertAll(two.Parameters, Read));
        long before = GC.GetAllocatedBytesForCurrentThread();
        two.State.Upload(4, 3);
        two.State.Update(null);
        Assert.That(GC.GetAllocatedBytesForCurrentThread() - before, Is.Zero);
    }

    [Test]
    public void A_frozen_parameter_stays_as_it_was()
    {
        using var run = new Run(One, new Sgd(0.1f, weightDecay: 0.5f), frozen: 3);
        float[] before = Read(run.Parameters[3]);
        run.Step(1);
        Near.SameBits(before, Read(run.Parameters[3]));
        Assert.That(Read(run.Parameters[1]), Is.Not.EqualTo(Run.First(1)));
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
        Assert.That(() => new AdamW(weightDecay: float.PositiveInfinity), Throws.TypeOf<ArgumentOutOfRangeException>().With.Message.Contains("weightDecay"));
    }
}
