using FastNN.Data;
using FastNN.Explain;
using FastNN.Tests.Training;

namespace FastNN.Tests.Explain;

/// <summary>
/// Counterfactuals of linear models: the nearest by the sum of changes in scales changes the column with the largest weight times
/// scale alone.
/// </summary>
internal sealed class CounterfactualTests : TrainingFixture
{
    private static readonly float[] Example = [1, 1, 1];

    private ModelExplainer _explainer = null!;

    [SetUp]
    public void MakeExplainer() => _explainer = new ModelExplainer(Networks.Linear(3, [1, -4, 2], [-1]), Device);

    [TearDown]
    public void DisposeExplainer() => _explainer.Dispose();

    [Test]
    public void The_column_that_does_most_is_changed_and_no_other()
    {
        // The output is -2 and should be 1: column 1 by -3 / 4.
        Counterfactual found = Counterfactuals.Find(_explainer, Example, CounterfactualGoal.AtLeast(1))!;
        CounterfactualChange change = found.Changes.Single();
        Assert.That((change.Column, change.From), Is.EqualTo((1, 1f)));
        Assert.That(change.To, Is.EqualTo(0.25f).Within(1e-3f));
        Assert.That(found.Outputs[0], Is.GreaterThanOrEqualTo(1).And.LessThan(1.01f));
        Assert.That(found.Distance, Is.EqualTo(0.75).Within(1e-3));
    }

    [Test]
    public void Scales_say_what_a_change_costs()
    {
        Counterfactual found = Counterfactuals.Find(
            _explainer, Example, CounterfactualGoal.AtLeast(1), new CounterfactualOptions { Scales = [10, 1, 1] })!;
        Assert.That(found.Changes.Single().Column, Is.Zero);
        Assert.That(found.Values[0], Is.EqualTo(4).Within(0.02));
        Assert.That(found.Distance, Is.EqualTo(0.3).Within(0.002));
    }

    [Test]
    public void Fixed_columns_stay_and_ranges_are_kept()
    {
        Counterfactual without = Counterfactuals.Find(
            _explainer, Example, CounterfactualGoal.AtLeast(1), new CounterfactualOptions { Fixed = [1] })!;
        Assert.That(without.Changes.Single().Column, Is.EqualTo(2));
        Assert.That(without.Values[2], Is.EqualTo(2.5f).Within(1e-3f));

        // Column 1 goes to its end, which gives 2 of 3, and column 2 does the rest.
        Counterfactual within = Counterfactuals.Find(
            _explainer, Example, CounterfactualGoal.AtLeast(1),
            new CounterfactualOptions { Lowest = [-9, 0.5f, -9], Highest = [9, 9, 9] })!;
        Assert.That(within.Values[1], Is.EqualTo(0.5f).Within(0.02f).And.GreaterThanOrEqualTo(0.5f));
        Assert.That(within.Values[2], Is.EqualTo(1.5f).Within(0.05f));
        Assert.That(within.Values[0], Is.EqualTo(1));
        Assert.That(within.Outputs[0], Is.GreaterThanOrEqualTo(1));
    }

    [Test]
    public void Whole_numbers_stay_whole()
    {
        Counterfactual found = Counterfactuals.Find(
            _explainer, Example, CounterfactualGoal.AtMost(-9), new CounterfactualOptions { Integers = [0, 1, 2] })!;
        Assert.That(found.Values, Is.EqualTo(new[] { 1, 3, 1f }), "-2 less 4 times 2");
        Assert.That(found.Outputs[0], Is.EqualTo(-10).Within(1e-4));
    }

    [Test]
    public void What_cannot_be_reached_is_not_found()
    {
        Assert.That(
            Counterfactuals.Find(
                _explainer, Example, CounterfactualGoal.AtLeast(100),
                new CounterfactualOptions { Lowest = [0, 0, 0], Highest = [1, 1, 1], Steps = 10 }), Is.Null);
        Counterfactual already = Counterfactuals.Find(_explainer, Example, CounterfactualGoal.AtMost(0))!;
        Assert.That((already.Changes, already.Distance), Is.EqualTo((Array.Empty<CounterfactualChange>(), 0d)));
    }

    [Test]
    public void Another_class_of_a_trained_network_is_reached()
    {
        Sequential model = Toy.Built();
        using (Trainer trainer = Toy.Trainer(Device, model))
        {
            trainer.Fit(Toy.Points(400), epochs: 20, batchSize: 16);
        }

        // Class 0 is where both are negative, class 1 where the first is positive: the way is along the first.
        using var explainer = new ModelExplainer(model, Device);
        Counterfactual found = Counterfactuals.Find(explainer, [-0.3f, -0.6f], CounterfactualGoal.Class(1, margin: 0.5f))!;
        Assert.That(found.Changes[0].Column, Is.Zero);
        Assert.That(found.Values[0], Is.InRange(-0.1f, 0.4f));
        Assert.That(Math.Abs(found.Values[1] + 0.6f), Is.LessThan(0.1f));
        Assert.That(found.Outputs[1] - found.Outputs.Where((_, i) => i != 1).Max(), Is.GreaterThanOrEqualTo(0.5f));
        Counterfactual again = Counterfactuals.Find(explainer, [-0.3f, -0.6f], CounterfactualGoal.Class(1, margin: 0.5f))!;
        Assert.That(again.Values, Is.EqualTo(found.Values));
    }

    [Test]
    public void Median_absolute_deviations()
    {
        Dataset data = Dataset.FromFloats([1, 5, 7, 2, 5, 7, 4, 5, 7, 9, 5, 9], [3], new float[4], [1]);
        float[] scales = Counterfactuals.MedianAbsoluteDeviations(data);

        // |x - 3| is 2, 1, 1, 6; the second never changes; more than half of the third are the same.
        Assert.That(scales, Is.EqualTo(new[] { 1.5f, 1, MathF.Sqrt(0.75f) }).Within(1e-6f));
    }

    [Test]
    public void Wrong_arguments_are_named() => Assert.Multiple(() =>
    {
        var goal = CounterfactualGoal.AtLeast(1);
        Assert.That(
            () => Counterfactuals.Find(_explainer, [1, 2], goal),
            Throws.TypeOf<ShapeException>().With.Message.Contains("one example of 3 values, got 2"));
        Assert.That(
            () => Counterfactuals.Find(_explainer, Example, CounterfactualGoal.Class(0)),
            Throws.ArgumentException.With.Message.Contains("two outputs or more, got 0 of 1"));
        Assert.That(
            () => Counterfactuals.Find(_explainer, Example, goal, new CounterfactualOptions { Scales = [1, 0, 1] }),
            Throws.ArgumentException.With.Message.Contains("column 1 has 0"));
        Assert.That(
            () => Counterfactuals.Find(_explainer, Example, goal, new CounterfactualOptions { Highest = [1, 0, 1] }),
            Throws.ArgumentException.With.Message.Contains("column 1 of the example"));
        Assert.That(
            () => Counterfactuals.Find(_explainer, Example, goal, new CounterfactualOptions { Fixed = [3] }),
            Throws.TypeOf<ArgumentOutOfRangeException>().With.Message.Contains("columns 0..2"));
        Assert.That(() => CounterfactualGoal.Between(2, 1), Throws.ArgumentException.With.Message.Contains("low <= high"));
    });
}
