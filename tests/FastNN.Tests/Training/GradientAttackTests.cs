using FastNN.Data;

namespace FastNN.Tests.Training;

/// <summary>Adversarial examples of networks whose gradients are known.</summary>
internal sealed class GradientAttackTests : TrainingFixture
{
    private static readonly float[] X = [0.5f, 0.5f, 0.5f, 0.05f, 0.98f, 0.5f];

    [Test]
    public void A_single_step_moves_each_element_to_where_the_loss_grows()
    {
        using Trainer trainer = Linear();
        var result = new float[6];
        GradientAttack.FastGradientSign(0.1f).Apply(trainer, X, [0, 1], result);

        // The loss of class 0 grows towards column 1 of the weight less column 0: [-2, 3, 0]; that of class 1 the other way.
        Assert.That(result, Is.EqualTo(new[] { 0.4f, 0.6f, 0.5f, 0.15f, 0.88f, 0.5f }).Within(1e-6f));
    }

    [Test]
    public void Several_steps_end_at_the_same_corner_and_keep_the_range([Values] bool random)
    {
        using Trainer trainer = Linear();
        var result = new float[6];
        var attack = new GradientAttack(0.1f, steps: 10) { HasRandomStart = random, Range = (0, 0.55f) };
        attack.Apply(trainer, [0.5f, 0.5f, 0.5f, 0.05f, 0.5f, 0.5f], [0, 1], result);
        float[] expected = [0.4f, 0.55f, 0.5f, 0.15f, 0.4f, 0.5f];
        foreach (int i in (int[])[0, 1, 3, 4])
        {
            Assert.That(result[i], Is.EqualTo(expected[i]).Within(1e-6f), $"element {i}");
        }

        // No gradient arrives at the third element of an example: it stays where it began.
        Assert.That(Math.Abs(result[2] - 0.5f) + Math.Abs(result[5] - 0.5f) > 0.01f, Is.EqualTo(random));
    }

    [Test]
    public void A_random_start_is_a_function_of_the_seed_and_within_the_distance()
    {
        using Trainer trainer = Toy.Trainer(Device, Toy.Built());
        Dataset data = Toy.Points(64);
        var attack = new GradientAttack(0.25f, steps: 3) { Range = (-1, 1) };
        float[] Attacked(ulong seed)
        {
            Dataset attacked = attack.Apply(trainer, data, batchSize: 10, seed);
            return [.. attacked.SelectMany(example => example.Features)];
        }

        float[] original = [.. data.SelectMany(example => example.Features)], result = Attacked(7);
        Near.SameBits(result, Attacked(7));
        Assert.That(Attacked(8), Is.Not.EqualTo(result));
        for (int i = 0; i < result.Length; i++)
        {
            Assert.That(Math.Abs(result[i] - original[i]), Is.LessThanOrEqualTo(0.25001f));
            Assert.That(result[i], Is.InRange(-1, 1));
        }
    }

    [Test]
    public void An_attack_deceives_and_training_against_it_helps()
    {
        Dataset data = Toy.Points(512);
        var attack = new GradientAttack(0.1f, steps: 5) { Range = (-1, 1) };
        using Trainer trainer = Toy.Trainer(Device, Toy.Built());
        trainer.Fit(data, 20, 16);
        double clean = trainer.Evaluate(data).Accuracy!.Value;
        Dataset attacked = attack.Apply(trainer, data);
        Assert.That(attacked.LabelOf(3), Is.EqualTo(data.LabelOf(3)));
        double loss = trainer.Evaluate(attacked).Loss;

        // The quarters meet without a gap, so that points within 0.1 of the axes can always be moved across.
        Assert.That(clean, Is.GreaterThan(0.95));
        Assert.That(trainer.Evaluate(attacked).Accuracy!.Value, Is.LessThan(clean - 0.1));
        for (int step = 0; step < 200; step++)
        {
            Dataset batch = attack.Apply(trainer, data.Shuffle((ulong)step).Take(64), seed: (ulong)step);
            trainer.TrainBatch(
                [.. batch.SelectMany(example => example.Features)], [.. batch.Select(example => example.Label!.Value)]);
        }

        Assert.That(trainer.Evaluate(attack.Apply(trainer, data)).Loss, Is.LessThan(0.9 * loss));
    }

    [Test]
    public void What_does_not_fit_is_refused()
    {
        Assert.That(() => new GradientAttack(0), Throws.TypeOf<ArgumentOutOfRangeException>().With.Message.Contains("epsilon"));
        Assert.That(() => new GradientAttack(0.1f, 0), Throws.TypeOf<ArgumentOutOfRangeException>());
        Assert.That(
            () => new GradientAttack(0.1f, 1, float.NaN),
            Throws.TypeOf<ArgumentOutOfRangeException>().With.Message.Contains("stepSize"));
        Assert.That(
            () => new GradientAttack(0.1f) { Range = (1, 1) }, Throws.ArgumentException.With.Message.Contains("1 to 1"));
        using Trainer trainer = Linear();
        Assert.That(
            () => new GradientAttack(0.1f).Apply(trainer, X, [0, 1], new float[5]),
            Throws.TypeOf<ShapeException>().With.Message.Contains("room for 6 numbers, got 5"));
        Assert.That(
            () => new GradientAttack(0.1f).Apply(trainer, Toy.Points(4).OneHot()),
            Throws.InvalidOperationException.With.Message.Contains("class indices"));
    }

    private Trainer Linear()
    {
        var model = new Sequential(new Dense(2));
        model.Build([3], seed: 1);
        model.Parameters[0].Write([1, -1, -1, 2, 0, 0]);
        return new Trainer(model, Device, Loss.SparseCrossEntropy, new Sgd());
    }
}
