using System.Text.Json;

namespace FastNN.Tests.Training;

/// <summary>Training steps measured operator by operator.</summary>
internal sealed class ProfileTests : TrainingFixture
{
    private static readonly float[] X = [0.5f, 0.5f, -0.5f, 0.5f, 0.25f, -0.75f];
    private static readonly int[] Labels = [3, 2, 1];

    [Test]
    public void Each_operator_of_a_step_has_a_row_with_its_calls_operations_and_bytes()
    {
        using Trainer trainer = Toy.Trainer(Device, Toy.Built());
        SessionProfile profile = trainer.Profile(() => Repeat(3, () => trainer.TrainBatch(X, Labels)));
        ProfileRow hidden = profile.Rows.Single(row => row.Operator == "Dense + ReLU");
        ProfileRow logits = profile.Rows.Single(row => row.Operator == "Dense backward");
        ProfileRow update = profile.Rows.Single(row => row.Operator == "Adam update");
        Assert.Multiple(() =>
        {
            Assert.That(profile.Rows.Select(row => row.Calls), Is.All.EqualTo(3));
            Assert.That(profile.Rows.Select(row => row.Pass).Distinct(), Is.EquivalentTo(Enum.GetValues<ProfilePass>()));
            Assert.That(profile.Rows.Sum(row => row.Share), Is.EqualTo(1).Within(1e-9));

            // 3 examples of 2 into 16, and back from 4 into 16 for both the inputs and the weights.
            Assert.That((hidden.Pass, hidden.FlopsPerCall), Is.EqualTo((ProfilePass.Forward, 2.0 * 3 * 2 * 16)));
            Assert.That(hidden.BytesPerCall, Is.EqualTo(sizeof(float) * ((3 * 2) + (2 * 16) + 16 + (3 * 16))));
            Assert.That((logits.Pass, logits.FlopsPerCall), Is.EqualTo((ProfilePass.Backward, 2 * 2.0 * 3 * 16 * 4)));
            Assert.That(update.BytesPerCall, Is.Positive);
            Assert.That(profile.ToString(), Does.Contain("Adam update").And.Contain("MFLOP"));
        });
    }

    [Test]
    public void Steps_that_are_measured_give_the_same_bits()
    {
        Sequential model = Toy.Built(dropout: 0.2f), plain = Toy.Built(dropout: 0.2f);
        using (Trainer trainer = Toy.Trainer(Device, model), other = Toy.Trainer(Device, plain))
        {
            trainer.Profile(() => trainer.Fit(Toy.Points(40), epochs: 2, batchSize: 16, accumulate: 2, metrics: [Metric.F1]));
            other.Fit(Toy.Points(40), epochs: 2, batchSize: 16, accumulate: 2, metrics: [Metric.F1]);
            trainer.Profile(() => Repeat(2, () => trainer.TrainBatch(X, Labels)));
            Repeat(2, () => other.TrainBatch(X, Labels));
        }

        Near.SameBits(Toy.Parameters(plain), Toy.Parameters(model));
    }

    [Test]
    public void A_trace_has_each_call_in_its_pass()
    {
        using Trainer trainer = Toy.Trainer(Device, Toy.Built());
        SessionProfile profile = trainer.Profile(() => Repeat(2, () => trainer.TrainBatch(X, Labels)));
        using var stream = new MemoryStream();
        profile.WriteTrace(stream);
        using JsonDocument json = JsonDocument.Parse(stream.ToArray());
        JsonElement[] events = [.. json.RootElement.GetProperty("traceEvents").EnumerateArray()];
        Assert.That(events, Has.Length.EqualTo(profile.Rows.Sum(row => row.Calls)));
        Assert.That(
            events.Select(one => one.GetProperty("cat").GetString()).Distinct(),
            Is.EqualTo(new[] { "forward", "backward", "update" }));
        Assert.That(
            events.Select(one => one.GetProperty("ts").GetDouble()), Is.Ordered, "the steps follow each other");
    }

    [Test]
    public void Measuring_allocates_next_to_nothing_per_step()
    {
        using Trainer trainer = Toy.Trainer(Device, Toy.Built());
        long bytes = 0;
        trainer.Profile(() =>
        {
            Repeat(10, () => trainer.TrainBatch(X, Labels));
            long before = GC.GetAllocatedBytesForCurrentThread();
            for (int i = 0; i < 100; i++)
            {
                trainer.TrainBatch(X, Labels);
            }

            bytes = GC.GetAllocatedBytesForCurrentThread() - before;
        });

        // The times of some hundred steps, kept for the trace.
        Assert.That(bytes, Is.LessThan(100 * 2000));
    }

    [Test]
    public void A_trainer_is_measured_by_one_at_a_time_and_only_where_that_is_possible()
    {
        using Trainer trainer = Toy.Trainer(Device, Toy.Built());
        Assert.That(
            () => trainer.Profile(() => trainer.Profile(() => { })),
            Throws.InvalidOperationException.With.Message.Contains("already"));
        using Trainer unbuilt = Toy.Trainer(Device);
        Assert.That(() => unbuilt.Profile(() => { }), Throws.InvalidOperationException.With.Message.Contains("not built"));
        trainer.Profile(() => { });
    }

    private static void Repeat(int times, Action step)
    {
        for (int i = 0; i < times; i++)
        {
            step();
        }
    }
}
