using FastNN.Explain;
using FastNN.Tests.Training;

namespace FastNN.Tests.Explain;

/// <summary>Gradients, SmoothGrad and integrated gradients, beside what is known of linear models and beside
/// differences.</summary>
internal sealed class GradientTests : TrainingFixture
{
    private static readonly float[] Weights = [0.5f, -1, 2, 0.25f, -3, 1.5f];

    [Test]
    public void The_gradients_of_a_linear_model_are_its_weights()
    {
        using var explainer = new ModelExplainer(Networks.Linear(3, Weights, [1, 2]), Device);
        float[] x = [1, 2, 3, -4, 5, -6];
        Assert.That(explainer.Gradients(x, [0, 1]), Is.EqualTo(new[] { 0.5f, 2, -3, -1, 0.25f, 1.5f }));
        Assert.That(explainer.Saliency(x, [1]), Is.EqualTo(new[] { 1, 0.25f, 1.5f, 1, 0.25f, 1.5f }));
        Assert.That(explainer.Scores(x, [1, 0]), Is.EqualTo(new[] { 6, 27f }));
    }

    [Test]
    public void Gradients_are_those_of_what_a_predictor_computes()
    {
        Sequential model = Networks.Image();
        using var explainer = new ModelExplainer(model, Device, maxBatch: 2);
        using Predictor predictor = model.CreatePredictor(Device);
        float[] x = Networks.Numbers(3 * 128, 1);
        int[] targets = [2, 0, 1];
        float[] gradients = explainer.Gradients(x, targets);
        for (int i = 0; i < x.Length; i++)
        {
            int output = (i / 128 * 3) + targets[i / 128];
            float[] more = [.. x], less = [.. x];
            more[i] += 2e-3f;
            less[i] -= 2e-3f;
            double difference = ((double)predictor.Predict(more)[output] - predictor.Predict(less)[output]) / 4e-3;
            Assert.That(gradients[i], Is.EqualTo(difference).Within(2e-3), $"input {i}");
        }
    }

    [Test]
    public void Later_training_does_not_change_what_is_explained()
    {
        Sequential model = Toy.Built();
        using var explainer = new ModelExplainer(model, Device);
        float[] before = explainer.Gradients([0.3f, -0.2f], [1]);
        using (Trainer trainer = Toy.Trainer(Device, model))
        {
            trainer.TrainBatch([0.3f, -0.2f], [0]);
            using var during = new ModelExplainer(model, Device);
            Assert.That(during.Gradients([0.3f, -0.2f], [1]), Is.Not.EqualTo(before));
        }

        Assert.That(explainer.Gradients([0.3f, -0.2f], [1]), Is.EqualTo(before));
    }

    [Test]
    public void Preprocessing_is_part_of_what_is_explained_unless_it_is_left_out()
    {
        var model = Model.Of(Networks.Linear(3, Weights, [1, 2]));
        model.Preprocessing = Preprocessing.Standardizing([1, 2, 3], [2, 4, 0.5f]);
        using var raw = new ModelExplainer(model, Device);
        using var inner = new ModelExplainer(model, Device, applyPreprocessing: false);
        Assert.That(raw.Gradients([5, 6, 7], [0]), Is.EqualTo(new[] { 0.25f, 0.5f, -6 }));
        Assert.That(inner.Gradients([5, 6, 7], [0]), Is.EqualTo(new[] { 0.5f, 2, -3 }));
    }

    [Test]
    public void SmoothGrad_without_noise_is_the_gradient()
    {
        using var explainer = new ModelExplainer(Networks.Image(), Device);
        float[] x = Networks.Numbers(256, 2);
        float[] smooth = explainer.SmoothGrad(x, [1, 2], new SmoothGradOptions { Noise = 0, Samples = 3 });
        Assert.That(smooth, Is.EqualTo(explainer.Gradients(x, [1, 2])).Within(1e-6f));
    }

    [Test]
    public void SmoothGrad_is_a_function_of_its_seed_and_not_of_the_batch()
    {
        Sequential model = Networks.Image();
        using var explainer = new ModelExplainer(model, Device);
        using var small = new ModelExplainer(model, Device, maxBatch: 3);
        float[] x = Networks.Numbers(256, 3);
        var options = new SmoothGradOptions { Samples = 10, Seed = 5 };
        float[] first = explainer.SmoothGrad(x, [0], options);
        Assert.That(explainer.SmoothGrad(x, [0], options), Is.EqualTo(first));
        Assert.That(small.SmoothGrad(x, [0], options), Is.EqualTo(first).Within(1e-5f));
        Assert.That(explainer.SmoothGrad(x, [0], options with { Seed = 6 }), Is.Not.EqualTo(first).Within(1e-3f));
    }

    [Test]
    public void The_noise_has_the_deviation_that_was_asked_for()
    {
        // The gradient of x^2 / 2 is x: the mean of magnitudes at 0 and noise of deviation s is s sqrt(2 / pi).
        var model = new Sequential(new Recorded(x => (x.Square() * 0.5f).Sum([1])));
        model.Build(new Shape(2000));
        using var explainer = new ModelExplainer(model, Device);
        var x = new float[2000];
        (x[0], x[1]) = (-1, 3);
        float[] means = explainer.SmoothGrad(x, [0], new SmoothGradOptions { Noise = 0.25f, OfMagnitudes = true, Samples = 20 });
        Assert.That(means[2..].Average(), Is.EqualTo(Math.Sqrt(2 / Math.PI)).Within(0.02), "4 times 0.25 is 1");
    }

    [Test]
    public void Integrated_gradients_of_a_linear_model_are_exact([Values] IntegrationRule rule)
    {
        using var explainer = new ModelExplainer(Networks.Linear(3, Weights, [1, 2]), Device);
        IntegratedGradients found = explainer.IntegratedGradients(
            [1, 2, 3, -4, 5, -6], [0], new IntegratedGradientsOptions { Rule = rule, Steps = 7, Baseline = [1, -1, 2] });
        Assert.That(found.Attributions, Is.EqualTo(new[] { 0, 6, -3, -2.5f, 12, 24 }).Within(1e-5f));
        Assert.That(found.CompletenessGaps, Is.All.EqualTo(0).Within(1e-5));
        Assert.That(found.Scores, Is.EqualTo(new[] { -3.5f, 27 }).Within(1e-5f));
        Assert.That(found.BaselineScores, Is.All.EqualTo(-6.5f).Within(1e-5f));
    }

    [Test]
    public void Integrated_gradients_are_complete_where_there_are_enough_steps()
    {
        var model = new Sequential(new Dense(16, Activation.Tanh), new Dense(16, Activation.Tanh), new Dense(3));
        model.Build(new Shape(5), seed: 9);
        using var explainer = new ModelExplainer(model, Device);
        float[] x = Networks.Numbers(20, 4);
        double Gap(int steps, IntegrationRule rule) => explainer.IntegratedGradients(
            x, [0, 1, 2, 0], new IntegratedGradientsOptions { Steps = steps, Rule = rule }).CompletenessGaps.Max(Math.Abs);
        Assert.Multiple(() =>
        {
            Assert.That(Gap(50, IntegrationRule.GaussLegendre), Is.LessThan(1e-5));
            Assert.That(Gap(2, IntegrationRule.GaussLegendre), Is.GreaterThan(1e-4), "two steps are too few");
            Assert.That(Gap(100, IntegrationRule.Trapezoid), Is.LessThan(Gap(10, IntegrationRule.Trapezoid) / 20));
        });
    }

    /// <summary>Sensitivity: what the model does not use is given nothing; and the axiom holds on a network with kinks.</summary>
    [Test]
    public void Integrated_gradients_of_a_trained_network_are_complete()
    {
        Sequential model = Toy.Built();
        using (Trainer trainer = Toy.Trainer(Device, model))
        {
            trainer.Fit(Toy.Points(400), epochs: 10, batchSize: 16);
        }

        using var explainer = new ModelExplainer(model, Device);
        IntegratedGradients found = explainer.IntegratedGradients(
            [0.7f, -0.6f], [1], new IntegratedGradientsOptions { Steps = 500, Rule = IntegrationRule.Trapezoid });
        double difference = found.Scores[0] - found.BaselineScores[0];
        Assert.That(difference, Is.GreaterThan(1), "the point is of the class");
        Assert.That(found.Attributions.Sum(), Is.EqualTo(difference).Within(0.01 * difference));
        Assert.That(found.CompletenessGaps[0], Is.EqualTo(found.Attributions.Sum() - difference).Within(1e-5));
    }

    [Test]
    public void Gauss_and_Legendres_rule_is_exact_for_polynomials([Values(2, 3, 8, 50)] int points)
    {
        (double At, double Weight)[] rule = GaussLegendre.Rule(points);
        for (int power = 0; power < 2 * points; power++)
        {
            Assert.That(
                rule.Sum(point => point.Weight * Math.Pow(point.At, power)), Is.EqualTo(1.0 / (power + 1)).Within(1e-13),
                $"x^{power}");
        }

        Assert.That(rule.Select(point => point.At), Is.Ordered);
    }

    [Test]
    public void Wrong_arguments_are_named()
    {
        using var explainer = new ModelExplainer(Networks.Linear(3, Weights, [1, 2]), Device);
        Assert.Multiple(() =>
        {
            Assert.That(
                () => explainer.Gradients([1, 2], [0]),
                Throws.TypeOf<ShapeException>().With.Message.Contains("a multiple of 3 values").And.Message.Contains("got 2"));
            Assert.That(
                () => explainer.Gradients([1, 2, 3], [2]),
                Throws.TypeOf<ArgumentOutOfRangeException>().With.Message.Contains("targets in 0..1"));
            Assert.That(
                () => explainer.Gradients(new float[9], [0, 1]),
                Throws.ArgumentException.With.Message.Contains("one target for each of 3 examples, or one for all, got 2"));
            Assert.That(
                () => explainer.IntegratedGradients([1, 2, 3], [0], new IntegratedGradientsOptions { Baseline = [1, 2] }),
                Throws.TypeOf<ShapeException>().With.Message.Contains("baseline").And.Message.Contains("got 2"));
            Assert.That(
                () => new IntegratedGradientsOptions { Steps = 1 },
                Throws.TypeOf<ArgumentOutOfRangeException>().With.Message.Contains("at least 2"));
            Assert.That(
                () => new ModelExplainer(new Sequential(new Dense(2)), Device),
                Throws.InvalidOperationException.With.Message.Contains("not built"));
        });
        explainer.Dispose();
        Assert.That(() => explainer.Gradients([1, 2, 3], [0]), Throws.TypeOf<ObjectDisposedException>());
    }

    [Test]
    public void A_model_of_indices_or_of_several_inputs_is_refused()
    {
        Symbol words = Model.Input("words", new Shape(4), DType.Int32), table = Model.Input("table", new Shape(4));
        var indices = new Model(words, new Flatten().Apply(new Embedding(10, 3).Apply(words)));
        indices.Build();
        var two = new Model([table, Model.Input("more", new Shape(4))], [("y", new Dense(2).Apply(table))]);
        two.Build();
        Assert.That(
            () => new ModelExplainer(indices, Device), Throws.InvalidOperationException.With.Message.Contains("words: Int32[4]"));
        Assert.That(() => new ModelExplainer(two, Device), Throws.InvalidOperationException.With.Message.Contains("more"));
    }
}
