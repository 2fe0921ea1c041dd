using FastNN.Explain;
using FastNN.Tests.Training;

namespace FastNN.Tests.Explain;

/// <summary>What a training step does inside: statistics beside known numbers, faults that are made and must be named.</summary>
internal sealed class DiagnosticsTests : TrainingFixture
{
    private static readonly float[] X = [0.5f, 0.5f, -0.5f, 0.5f, 0.25f, -0.75f, -1, 0.5f];
    private static readonly int[] Labels = [3, 2, 1, 2];

    [Test]
    public void Statistics_are_those_of_the_step()
    {
        Sequential model = Networks.Linear(2, [1, 2, 3, 4], [0, -1]);
        TrainingReport report = TrainingDiagnostics.Inspect(
            model, Device, Loss.MeanSquaredError, new float[] { 1, 0, 0, 1 }, new float[] { 0, 1, 3, 0 });

        // Outputs 1, 1, 3, 3; errors 1, 0, 0, 3; their gradients 2 / 4 of that.
        LayerReport layer = report.Layers.Single();
        ParameterReport weight = report.Parameters[0];
        Assert.Multiple(() =>
        {
            Assert.That(report.Loss, Is.EqualTo(2.5f));
            Assert.That((layer.Path, layer.Kind, layer.OutputShape), Is.EqualTo(("linear", "Dense", new Shape(2, 2))));
            Assert.That((layer.Activations.Mean, layer.Activations.StandardDeviation), Is.EqualTo((2d, 1d)));
            Assert.That(layer.Activations.Largest, Is.EqualTo(3));
            Assert.That(layer.ActivationGradients.Norm, Is.EqualTo(Math.Sqrt(2.5)).Within(1e-6));
            Assert.That(layer.ActivationGradients.ZeroShare, Is.EqualTo(0.5));
            Assert.That(weight.Name, Is.EqualTo("linear.weight"));
            Assert.That(weight.Values.Norm, Is.EqualTo(Math.Sqrt(30)).Within(1e-6));
            Assert.That(weight.Gradients.Norm, Is.EqualTo(Math.Sqrt(2.5)).Within(1e-6));
            Assert.That(report.GradientNorm, Is.EqualTo(Math.Sqrt(5)).Within(1e-6));
            Assert.That(report.Findings, Is.Empty);
            Assert.That(report.ToString(), Does.Contain("linear (Dense)").And.Contain("loss 2.5"));
        });
    }

    [Test]
    public void It_is_the_step_of_a_trainer_and_changes_nothing()
    {
        Sequential model = Toy.Built(dropout: 0.5f);
        using Trainer trainer = Toy.Trainer(Device, model);
        for (int i = 0; i < 3; i++)
        {
            trainer.TrainBatch(X, Labels);
        }

        float[] before = Toy.Parameters(model);
        TrainingReport report = TrainingDiagnostics.Inspect(
            model, Device, Loss.SparseCrossEntropy, X, Labels, new InspectionOptions { Seed = 5, Step = 3 });
        Assert.That(Toy.Parameters(model), Is.EqualTo(before));
        float loss = trainer.Forward(X, Labels);
        trainer.Backward();
        var gradient = new float[model.Parameters[0].Count];
        trainer.ReadGradient(model.Parameters[0], gradient);
        Assert.Multiple(() =>
        {
            Assert.That(report.Loss, Is.EqualTo(loss).Within(1e-6f), "with the dropout of the fourth step");
            Assert.That(
                report.Parameters[0].Gradients.Norm,
                Is.EqualTo(Math.Sqrt(gradient.Sum(value => (double)value * value))).Within(1e-6));
            Assert.That(report.Layers.Select(layer => layer.Path), Is.EqualTo(new[] { "hidden", "1", "logits" }));
        });
    }

    [Test]
    public void Dead_units_are_named_where_they_die()
    {
        Sequential model = Toy.Built();
        var bias = new float[16];
        bias[3] = bias[7] = -100;
        model.Parameters[1].Write(bias);
        TrainingReport report = TrainingDiagnostics.Inspect(model, Device, Loss.SparseCrossEntropy, X, Labels);
        TrainingFinding finding = report.Findings.Single(found => found.Fault == TrainingFault.DeadUnits);
        Assert.That(finding.Place, Is.EqualTo("hidden"));
        Assert.That(report.Layers[0].DeadUnits, Does.Contain(3).And.Contain(7));
        Assert.That(finding.Message, Does.Contain("of 16 units are 0 for the whole batch").And.Contain("3").And.Contain("7"));
    }

    [Test]
    public void Vanishing_and_exploding_gradients_are_named()
    {
        TrainingReport Inspect(Func<Layer> layer, float scale)
        {
            var model = new Sequential([.. Enumerable.Range(0, 12).Select(_ => layer()), new Dense(4)]);
            model.Build(new Shape(2), seed: 1);
            foreach (Parameter parameter in model.Parameters.SkipLast(2).Where(parameter => parameter.Name == "weight"))
            {
                var values = new float[parameter.Count];
                parameter.Read(values);
                parameter.Write([.. values.Select(value => value * scale)]);
            }

            return TrainingDiagnostics.Inspect(model, Device, Loss.SparseCrossEntropy, X, Labels);
        }

        Dictionary<TrainingFault, string[]> Found(TrainingReport report) =>
            report.Findings.GroupBy(finding => finding.Fault).ToDictionary(
                group => group.Key, group => group.Select(finding => finding.Place).ToArray());

        Dictionary<TrainingFault, string[]> vanishing = Found(Inspect(() => new Dense(16, Activation.Sigmoid), 1));
        Dictionary<TrainingFault, string[]> exploding = Found(Inspect(() => new Dense(16), 20));
        TrainingReport healthy = Inspect(() => new Dense(16, Activation.Tanh), 1);
        Assert.Multiple(() =>
        {
            Assert.That(vanishing.Keys, Is.EqualTo(new[] { TrainingFault.VanishingGradient }));
            Assert.That(vanishing[TrainingFault.VanishingGradient], Does.Contain("0").And.Not.Contain("11"));
            Assert.That(exploding[TrainingFault.ExplodingGradient], Does.Contain("0").And.Not.Contain("11"));
            Assert.That(healthy.Findings, Is.Empty);
        });
    }

    [Test]
    public void A_layer_that_no_gradient_reaches_is_named()
    {
        var model = new Sequential(new Dense(4), new Recorded(x => x * 0), new Dense(4) { Name = "head" });
        model.Build(new Shape(2));
        TrainingReport report = TrainingDiagnostics.Inspect(model, Device, Loss.SparseCrossEntropy, X, Labels);
        Assert.That(
            report.Findings.Where(finding => finding.Fault == TrainingFault.NoGradient).Select(finding => finding.Place),
            Is.EqualTo(new[] { "0" }));
    }

    [Test]
    public void A_layer_that_is_applied_twice_is_reported_twice()
    {
        var shared = new Dense(2) { Name = "shared" };
        Symbol input = Model.Input("x", new Shape(2));
        var model = new Model(input, new Dense(4).Apply(shared.Apply(shared.Apply(input))));
        model.Build(seed: 2);
        TrainingReport report = TrainingDiagnostics.Inspect(model, Device, Loss.SparseCrossEntropy, X, Labels);
        Assert.That(report.Layers.Select(layer => layer.Path), Is.EqualTo(new[] { "shared", "shared (2)", "1" }));
        Assert.That(report.Parameters.Select(parameter => parameter.Name), Is.Unique.And.Exactly(4).Items);
    }

    [Test]
    public void The_operator_that_makes_the_first_NaN_is_named_with_its_layer()
    {
        var model = new Sequential(new Dense(3) { Name = "in" }, new Recorded(x => x.Log()) { }, new Dense(4) { Name = "head" });
        model.Build(new Shape(2));
        using (Trainer trainer = Toy.Trainer(Device, model))
        {
            Assert.That(() => trainer.TrainBatch(X, Labels), Throws.TypeOf<NonFiniteLossException>());
            NonFiniteReport report = TrainingDiagnostics.FindNonFinite(model, Device, Loss.SparseCrossEntropy, X, Labels);
            NonFiniteOrigin origin = report.Origins.Single();
            Assert.Multiple(() =>
            {
                Assert.That((origin.Place, origin.Name, origin.Layer), Is.EqualTo((NonFinitePlace.Forward, "Log", "1")));
                Assert.That(origin.Shape, Is.EqualTo(new Shape(4, 3)));
                Assert.That(report.Loss, Is.NaN);
                Assert.That(origin.ToString(), Does.StartWith("Log in layer 1, from numbers in -").And.Contain("is NaN"));
            });
        }
    }

    [Test]
    public void Batches_and_parameters_that_bring_NaN_are_named()
    {
        Sequential model = Toy.Built();
        float[] x = [.. X];
        x[5] = float.PositiveInfinity;
        NonFiniteReport report = TrainingDiagnostics.FindNonFinite(model, Device, Loss.SparseCrossEntropy, x, Labels);
        Assert.That(report.Origins[0].ToString(), Is.EqualTo("input: element 5 of [8] is Infinity, 1 of 8 are not finite"));
        Assert.That(
            report.Origins.Select(origin => origin.Place), Does.Not.Contain(NonFinitePlace.Forward), "what follows from it");
        var bias = new float[16];
        bias[2] = float.NaN;
        model.Parameters[1].Write(bias);
        report = TrainingDiagnostics.FindNonFinite(model, Device, Loss.SparseCrossEntropy, X, Labels);
        Assert.That(
            report.Origins.Select(origin => (origin.Place, origin.Name, origin.Element)),
            Is.EqualTo(new[] { (NonFinitePlace.Parameter, "hidden.bias", 2) }));
        TrainingReport inspected = TrainingDiagnostics.Inspect(model, Device, Loss.SparseCrossEntropy, X, Labels);
        Assert.That(inspected.Findings[0].Fault, Is.EqualTo(TrainingFault.NonFinite));
    }

    [Test]
    public void An_operator_whose_gradient_is_infinite_is_named()
    {
        // The slope of the square root is infinite at 0, where forward is finite.
        var model = new Sequential(new Dense(4) { Name = "in" }, new Recorded(x => x.Activate(Activation.ReLU).Sqrt()));
        model.Build(new Shape(2));
        model.Parameters[1].Write([-9, 1, -9, 1]);
        NonFiniteReport report = TrainingDiagnostics.FindNonFinite(model, Device, Loss.SparseCrossEntropy, X, Labels);
        Assert.That(report.Loss, Is.Not.NaN.And.LessThan(100));
        Assert.That(
            (report.Origins[0].Place, report.Origins[0].Name, report.Origins[0].Layer),
            Is.EqualTo((NonFinitePlace.Backward, "Sqrt", "1")));
    }

    [Test]
    public void Where_all_is_finite_nothing_is_found()
    {
        NonFiniteReport report = TrainingDiagnostics.FindNonFinite(
            Networks.Image(), Device, Loss.SparseCrossEntropy, Networks.Numbers(256, 1), new[] { 0, 2 });
        Assert.That(report.Origins, Is.Empty);
        Assert.That(report.ToString(), Does.StartWith("all numbers are finite, the loss is "));
    }

    [Test]
    public void Wrong_arguments_are_named() => Assert.Multiple(() =>
    {
        Sequential model = Toy.Built();
        Assert.That(
            () => TrainingDiagnostics.Inspect(model, Device, Loss.SparseCrossEntropy, X, new float[4]),
            Throws.ArgumentException.With.Message.Contains("class indices"));
        Assert.That(
            () => TrainingDiagnostics.Inspect(model, Device, Loss.SparseCrossEntropy, X, new[] { 1 }),
            Throws.TypeOf<ShapeException>().With.Message.Contains("targets of shape [4] for a batch of 4, got 1"));
        Assert.That(
            () => TrainingDiagnostics.Inspect(model, Device, Loss.SparseCrossEntropy, X, new[] { 1, 2, 3, 4 }),
            Throws.TypeOf<InvalidDatasetException>());
        Assert.That(
            () => TrainingDiagnostics.Inspect(Toy.Model(), Device, Loss.SparseCrossEntropy, X, Labels),
            Throws.InvalidOperationException.With.Message.Contains("built"));
    });
}
