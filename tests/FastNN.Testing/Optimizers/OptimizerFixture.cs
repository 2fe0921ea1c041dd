using FastNN.Kernels;
using FastNN.Tensors;

namespace FastNN.Testing;

/// <summary>Optimizers over several parameters and steps against the double references: values and state.</summary>
internal abstract class OptimizerFixture : DeviceFixture
{
    protected static IEnumerable<OptimizerCase> Cases => OptimizerCase.All;

    protected abstract IReadOnlyList<IDevice> Devices { get; }

    [TestCaseSource(nameof(Cases))]
    [Category("Rungs")]
    public void Steps_follow_the_double_reference(OptimizerCase @case)
    {
        foreach (IDevice device in Devices)
        {
            Near.Require(OptimizerChecks.Run(@case, device));
        }
    }

    [Test]
    public void A_loss_that_is_not_finite_changes_nothing(
        [Values(float.NaN, float.PositiveInfinity, float.NegativeInfinity)] float loss, [Values] bool adam)
    {
        IDevice device = Devices[^1];
        using var run = new OptimizerRun(
            device, adam ? new Adam(OptimizerCase.Rate) : new Sgd(OptimizerCase.Rate, momentum: 0.9f));
        run.Step(1);
        float[][] Snapshot() =>
            [
                .. run.Values,
                .. run.State.Optimizers[0].States.SelectMany(state => run.Parameters.Select((_, i) => run.Read(state.Index, i)))];
        float[][] before = Snapshot();
        nint block = device.Allocate(sizeof(float));
        var tensor = new Tensor(block, DType.Float32, default);
        device.Memory.Fill(tensor, loss);
        run.State.Upload(2, 1);
        run.State.Update(tensor);
        Near.SameBits(before, Snapshot());
        device.Memory.Fill(tensor, 1);
        run.State.Update(tensor);
        Assert.That(Snapshot()[0], Is.Not.EqualTo(before[0]), "a finite loss does");
        device.Free(block);
    }
}
