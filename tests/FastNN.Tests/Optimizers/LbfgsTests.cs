using FastNN.Tests.Training;

namespace FastNN.Tests.Optimizers;

/// <summary>L-BFGS on functions whose minima are known, and on a training step.</summary>
internal sealed class LbfgsTests : TrainingFixture
{
    [Test]
    public void Rosenbrocks_valley_is_followed_to_its_end([Values(2, 10)] int size)
    {
        double[] x = [.. Enumerable.Range(0, size).Select(i => i % 2 == 0 ? -1.2 : 1.0)];
        LbfgsResult result = new Lbfgs(maxIterations: 300, changeTolerance: 1e-14).Minimize(x, (p, g) =>
        {
            g.Clear();
            double loss = 0;
            for (int i = 0; i + 1 < p.Length; i++)
            {
                double bend = p[i + 1] - (p[i] * p[i]), rest = 1 - p[i];
                loss += (100 * bend * bend) + (rest * rest);
                g[i] += (-400 * bend * p[i]) - (2 * rest);
                g[i + 1] += 200 * bend;
            }

            return loss;
        });
        Assert.That(result.HasConverged);
        Assert.That(x, Has.All.EqualTo(1).Within(1e-5));
        Assert.That(result.Evaluations, Is.LessThan(size == 2 ? 60 : 120));
    }

    [Test]
    public void A_quadratic_of_n_dimensions_takes_about_n_steps([Values] bool lineSearch)
    {
        double[] scales = [1, 3, 9, 27], x = [5, -4, 3, -2];
        LbfgsResult result = new Lbfgs(maxIterations: 60, lineSearch: lineSearch).Minimize(x, (p, g) =>
        {
            double loss = 0;
            for (int i = 0; i < p.Length; i++)
            {
                loss += scales[i] * p[i] * p[i] / 2;
                g[i] = scales[i] * p[i];
            }

            return loss;
        });
        Assert.That(result.HasConverged);
        Assert.That(x, Has.All.EqualTo(0).Within(1e-4));
        Assert.That(result.Iterations, Is.LessThan(40));
    }

    [Test]
    public void A_place_beyond_which_the_loss_is_no_number_is_not_left()
    {
        double[] x = [1e-3];
        LbfgsResult result = new Lbfgs(maxIterations: 100).Minimize(x, (p, g) =>
        {
            g[0] = 1 - (2 / p[0]);
            return p[0] - (2 * Math.Log(p[0]));
        });
        Assert.That(x[0], Is.EqualTo(2).Within(1e-4));
        Assert.That(double.IsFinite(result.Loss));
    }

    [Test]
    public void A_least_squares_problem_in_a_training_step_is_solved()
    {
        float[] x = [1, 0, 0, 1, 1, 1, 2, -1], y = [3, 5, 8, 1];
        var model = new Sequential(new Dense(1));
        model.Build(new Shape(2), seed: 1);
        using var weights = new DeviceWeights(Device, model);
        using var step = new TrainingStep(
            weights, s => s.Loss("loss", Loss.MeanSquaredError.Apply(
                model.Apply(s.Input("x", [Dim.Batch, 2])), s.Input("y", [Dim.Batch, 1]))), [(new Sgd(), model.Parameters)]);
        step.Begin([4, 2], [4, 1]);
        LbfgsResult result = new Lbfgs(maxIterations: 50).Minimize(step, [.. model.Parameters], s =>
        {
            s.Write("x", x);
            s.Write("y", y);
        });
        Assert.That(result.Loss, Is.LessThan(1e-9));
        Assert.That(Toy.Parameters(model).Order(), Is.EqualTo(new float[] { 0, 3, 5 }).Within(1e-3f));
    }

    [Test]
    public void Mistakes_are_named()
    {
        void Named(Func<object> act, string expected) =>
            Assert.That(() => act(), Throws.TypeOf<ArgumentOutOfRangeException>().With.Message.Contains(expected));
        Named(() => new Lbfgs(0), "a finite learning rate above 0, got 0");
        Named(() => new Lbfgs(maxIterations: 0), "at least 1 iteration, got 0");
        Named(() => new Lbfgs(maxEvaluations: 0), "at least 1 evaluation, got 0");
        Named(() => new Lbfgs(history: 0), "a history of at least 1, got 0");
        Named(() => new Lbfgs(gradientTolerance: double.NaN), "a tolerance of at least 0, got NaN");
        Named(() => new Lbfgs(changeTolerance: -1), "a tolerance of at least 0, got -1");
        Assert.That(
            () => new Lbfgs().Minimize([1.0], (_, _) => double.NaN),
            Throws.TypeOf<NonFiniteLossException>().With.Message.Contains("got the loss NaN"));
    }
}
