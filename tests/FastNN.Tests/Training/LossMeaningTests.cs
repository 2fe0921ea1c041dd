using FastNN.Data;

namespace FastNN.Tests.Training;

/// <summary>What outputs mean is the loss's own statement.</summary>
internal sealed class LossMeaningTests : TrainingFixture
{
    [Test]
    public void A_regression_loss_of_a_users_own_has_no_accuracy_and_can_be_evaluated([Values(1, 2)] int outputs)
    {
        var data = Dataset.FromFloats(
            [0, 1, 2, 3, 4, 5, 6, 7], [1], [.. Enumerable.Range(0, 8 * outputs).Select(i => 10f * i)], [outputs]);
        using var trainer = new Trainer(new Sequential(new Dense(outputs)), Device, new SquaredDifference(), new Sgd(1e-4f));
        History history = trainer.Fit(data, epochs: 2, batchSize: 4, validation: data);
        Assert.That(
            history.Epochs.Select(epoch => (epoch.Accuracy, epoch.ValidationAccuracy)),
            Has.All.EqualTo(((double?)null, (double?)null)));
        Evaluation evaluation = trainer.Evaluate(data);
        Assert.That((evaluation.Accuracy, evaluation.Confusion), Is.EqualTo(((double?)null, (ConfusionMatrix?)null)));
        Assert.That(double.IsFinite(evaluation.Loss));
    }

    [Test]
    public void The_losses_of_the_library_say_what_outputs_mean()
    {
        Shape one = new(8, 1), four = new(8, 4);
        Assert.That(Loss.SparseCrossEntropy.ClassCount(four), Is.EqualTo(4));
        Assert.That(Loss.CrossEntropy.ClassCount(four), Is.EqualTo(4));
        Assert.That(
            (Loss.BinaryCrossEntropy.ClassCount(one), Loss.BinaryCrossEntropy.ClassCount(four)),
            Is.EqualTo(((int?)2, (int?)null)));
        Assert.That((Loss.BinaryCrossEntropy.Threshold, Loss.BinaryCrossEntropyWithLogits.Threshold), Is.EqualTo((0.5f, 0f)));
        Assert.That(Loss.MeanSquaredError.ClassCount(four), Is.Null);
    }

    private sealed class SquaredDifference : Loss
    {
        public override string Name => "SquaredDifference";

        public override Value Apply(Value output, Value target) => MeanSquaredError.Apply(output, target);
    }
}
