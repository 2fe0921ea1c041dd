using FastNN.Explain;
using FastNN.Tests.Training;

namespace FastNN.Tests.Explain;

/// <summary>The step at which a trainer failed is looked into.</summary>
internal sealed class FailedStepTests : TrainingFixture
{
    [TestCase(1)]
    [TestCase(2)]
    public void The_operator_that_made_the_first_number_that_is_not_finite_is_named(int accumulate)
    {
        // Parameters of 1e30 after the first step: products of two of them overflow.
        using var trainer = new Trainer(Toy.Built(), Device, Loss.SparseCrossEntropy, new Sgd(1e30f), seed: 5);
        Assert.That(
            () => trainer.Fit(Toy.Points(64), epochs: 4, batchSize: 16, accumulate: accumulate),
            Throws.TypeOf<NonFiniteLossException>());
        float[] before = Toy.Parameters(trainer.Model);
        NonFiniteReport report = TrainingDiagnostics.FindNonFinite(trainer);
        Assert.Multiple(() =>
        {
            Assert.That(report.Loss, Is.NaN.Or.EqualTo(float.PositiveInfinity));
            Assert.That(report.Origins[0].Place, Is.EqualTo(NonFinitePlace.Forward));
            Assert.That(report.Origins[0].ToString(), Does.StartWith("Dense in layer logits"));
            Assert.That(Toy.Parameters(trainer.Model), Is.EqualTo(before));
        });
    }

    [Test]
    public void A_bad_input_is_named_where_a_single_step_fails()
    {
        using Trainer trainer = Toy.Trainer(Device, Toy.Built());
        Assert.That(() => trainer.TrainBatch([0, float.NaN], [1]), Throws.TypeOf<NonFiniteLossException>());
        NonFiniteReport report = TrainingDiagnostics.FindNonFinite(trainer);
        Assert.That(report.Origins[0].Place, Is.EqualTo(NonFinitePlace.Input));
        Assert.That(report.Origins[0].Element, Is.EqualTo(1));
    }

    [Test]
    public void A_batch_in_slices_is_looked_at_slice_by_slice()
    {
        var model = new Sequential(new Dense(4096, Activation.ReLU), new Dense(4096, Activation.ReLU), new Dense(2));
        model.Build([1], seed: 1);
        float[] x = [.. Enumerable.Repeat(0.5f, 2048)];
        x[2000] = float.PositiveInfinity;
        using var trainer = new Trainer(model, Device, Loss.SparseCrossEntropy, new Sgd(0.1f));
        Assert.That(() => trainer.TrainBatch(x, new int[2048]), Throws.TypeOf<NonFiniteLossException>());
        Assert.That(TrainingDiagnostics.FindNonFinite(trainer).Origins[0].Name, Is.EqualTo("input"));
    }

    [Test]
    public void A_trainer_at_which_no_step_failed_is_refused()
    {
        using Trainer trainer = Toy.Trainer(Device, Toy.Built());
        trainer.TrainBatch([0, 1], [1]);
        Assert.That(
            () => TrainingDiagnostics.FindNonFinite(trainer),
            Throws.InvalidOperationException.With.Message.Contains("NonFiniteLossException"));
    }
}
