namespace FastNN.Testing;

/// <summary>
/// A loss that is not finite leaves a trainer as it was. On a GPU the first two steps launch kernel after kernel, and those from
/// the third on are captured.
/// </summary>
internal abstract class NonFiniteLossFixture
{
    private static readonly float[] X = [0.5f, 0.5f, -0.5f, 0.5f, 0.25f, -0.75f];
    private static readonly int[] Labels = [3, 2, 1];

    protected abstract Device Open();

    [Test]
    public void A_loss_that_is_not_finite_changes_no_bit_at_any_step([Range(1, 5)] int step, [Values] bool adam)
    {
        Sequential model = Toy.Built(), undisturbed = Toy.Built();
        using (Device device = Open())
        {
            Optimizer Create() => adam ? new Adam(0.01f) : new Sgd(0.1f, momentum: 0.9f);
            using Trainer trainer = Toy.Trainer(device, model, Create()), other = Toy.Trainer(device, undisturbed, Create());
            for (int i = 1; i < step; i++)
            {
                Assert.That(trainer.TrainBatch(X, Labels), Is.EqualTo(other.TrainBatch(X, Labels)));
            }

            float[] before = Toy.Parameters(model);
            float[] bad = [.. X];
            bad[^1] = float.NaN;
            Assert.That(
                () => trainer.TrainBatch(bad, Labels),
                Throws.TypeOf<NonFiniteLossException>().With.Message.Contains($"step {step};"));
            Assert.That(trainer.StepCount, Is.EqualTo(step - 1));
            Near.SameBits(before, Toy.Parameters(model));

            // The optimizer's state is whole as well: the next steps are those of a trainer that saw nothing bad.
            for (int i = 0; i < 3; i++)
            {
                Assert.That(trainer.TrainBatch(X, Labels), Is.EqualTo(other.TrainBatch(X, Labels)));
            }
        }

        Near.SameBits(Toy.Parameters(undisturbed), Toy.Parameters(model));
    }
}
