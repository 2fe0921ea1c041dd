using FastNN.Data;
using FastNN.Explain;

namespace FastNN.Users.Tests;

/// <summary>The examples of docs/explaining.md, as the page shows them, and what they must give.</summary>
internal sealed class ExplainTests(string kind) : UserFixture(kind)
{
    [Test]
    public void Images_are_explained()
    {
        Device device = Device;
        Dataset train = Bars(200);
        var model = new Sequential(
            new Conv2D(6, 3, Activation.ReLU) { Padding = 1, Name = "features" }, new GlobalMaxPool2D(), new Dense(2));
        using (var trainer = new Trainer(model, device, Loss.SparseCrossEntropy, new Adam(0.02f), seed: 1))
        {
            trainer.Fit(train, epochs: 15, batchSize: 20);
            Assert.That(trainer.Evaluate(train).Accuracy, Is.GreaterThan(0.95));
        }

        float[] image = [.. train[0].Features];
        int label = train[0].Label!.Value;
        using var explainer = new ModelExplainer(model, device);
        float[] saliency = Attributions.MaxOverChannels(explainer.Saliency(image, [label]), channels: 1);
        float[] smooth = explainer.SmoothGrad(image, [label], new SmoothGradOptions { Samples = 20, Noise = 0.1f, Seed = 1 });

        IntegratedGradients integrated = explainer.IntegratedGradients(image, [label]);
        Console.WriteLine($"{integrated.Attributions.Sum()} of {integrated.Scores[0] - integrated.BaselineScores[0]}");
        Console.WriteLine(integrated.CompletenessGaps[0]);      // far from 0: more Steps

        AttributionMaps cam = explainer.GradCam(image, [label], layer: "features").Resize(12, 12);
        AttributionMaps occluded = explainer.Occlusion(image, [label], new OcclusionOptions { Window = [3], Stride = [1] });
        ReadOnlySpan<float> map = occluded[0];                  // 12 x 12 numbers of the first image

        Assert.That((saliency.Length, smooth.Length, cam.Shape, map.Length), Is.EqualTo((144, 144, new Shape(12, 12), 144)));
        Assert.That(
            integrated.CompletenessGaps[0], Is.EqualTo(0).Within(0.05 * (integrated.Scores[0] - integrated.BaselineScores[0])));
        int[] bar = [.. Enumerable.Range(0, 144).Where(pixel => image[pixel] == 1)];
        Assert.That(bar.Average(pixel => integrated.Attributions[pixel]), Is.GreaterThan(10 * integrated.Attributions.Average()));
        int most = map.IndexOf(map.ToArray().Max());
        int distance = bar.Min(
            pixel => Math.Max(Math.Abs((pixel / 12) - (most / 12)), Math.Abs((pixel % 12) - (most % 12))));
        Assert.That(distance, Is.LessThan(3));
    }

    [Test]
    public void Tables_are_explained()
    {
        Device device = Device;
        Dataset data = Loans(600);
        (Dataset train, Dataset test) = data.Split(0.25, seed: 1);
        var model = new Sequential(new Dense(16, Activation.Tanh), new Dense(2));
        using (var trainer = new Trainer(model, device, Loss.SparseCrossEntropy, new Adam(0.02f), seed: 1))
        {
            trainer.Fit(train, epochs: 20, batchSize: 20);
        }

        using Predictor predictor = model.CreatePredictor(device);
        PermutationImportances importances = PermutationImportance.Measure(
            predictor, test, TableScores.Accuracy(test), new PermutationOptions { Repeats = 10, Seed = 1 });
        foreach (FeatureImportance feature in importances.Features.OrderByDescending(feature => feature.Mean))
        {
            Console.WriteLine(feature);                         // income: 0.31 +- 0.02
        }

        float[] applicant = [-0.8f, 0.4f, 0.3f];
        ShapleyValues values = ShapleySampling.Explain(
            predictor, applicant, target: 1, train.Take(50), new ShapleyOptions { Orders = 200, Seed = 1 });
        Console.WriteLine($"{values.Output} = {values.BaseValue} + {string.Join(" + ", values.Features)}");

        using var explainer = new ModelExplainer(model, device);
        Counterfactual? otherwise = Counterfactuals.Find(
            explainer, applicant, CounterfactualGoal.Class(1, margin: 0.2f), new CounterfactualOptions
            {
                Scales = Counterfactuals.MedianAbsoluteDeviations(train),
                Lowest = [-3, -3, -3],
                Highest = [3, 3, 3],
                Fixed = [2],
            });
        foreach (CounterfactualChange change in otherwise?.Changes ?? [])
        {
            Console.WriteLine($"{data.FeatureNames[change.Column]}: {change.To} rather than {change.From}");
        }

        using var near = new NearestExamples(model, device, train, layer: "0");
        foreach (NearExample example in near.Find(applicant, 3))
        {
            Console.WriteLine($"{train.ClassNames[train.LabelOf(example.Example)]}, {example.Distance}");
        }

        Assert.That(importances.Features[0].Mean, Is.GreaterThan(0.1).And.GreaterThan(5 * importances.Features[2].Mean));
        Assert.That(values.BaseValue + values.Features.Sum(value => value.Value), Is.EqualTo(values.Output).Within(1e-4));
        Assert.That(otherwise!.Outputs[1] - otherwise.Outputs[0], Is.GreaterThanOrEqualTo(0.2f));
        Assert.That(otherwise.Changes.Select(change => change.Column), Does.Not.Contain(2));
    }

    [Test]
    public void A_training_step_is_looked_into()
    {
        Device device = Device;
        float[] x = Numbers(40, 1);
        int[] labels = [.. Enumerable.Range(0, 20).Select(i => i % 2)];
        var model = new Sequential(new Dense(8, Activation.ReLU), new Dense(2));
        using var trainer = new Trainer(model, device, Loss.SparseCrossEntropy, new Adam(), seed: 1);
        model.Build([2], seed: 1);

        TrainingReport report = TrainingDiagnostics.Inspect(model, device, trainer.Loss, x, labels);
        Console.WriteLine(report);                              // a table of the layers, then what is the matter
        foreach (TrainingFinding finding in report.Findings)
        {
            Console.WriteLine($"{finding.Fault} at {finding.Place}");
        }

        x[7] = float.NaN;
        try
        {
            trainer.TrainBatch(x, labels);
        }
        catch (NonFiniteLossException)
        {
            NonFiniteReport found = TrainingDiagnostics.FindNonFinite(trainer);
            Console.WriteLine(found.Origins[0]);                // input: element 7 of [40] is NaN, 1 of 40 are not finite
            Assert.That(found.Origins[0].ToString(), Is.EqualTo("input: element 7 of [40] is NaN, 1 of 40 are not finite"));
            return;
        }

        Assert.Fail("the step should have failed");
    }

    /// <summary>A bar of three pixels somewhere, lying or standing.</summary>
    private static Dataset Bars(int count)
    {
        var images = new float[count * 144];
        var labels = new int[count];
        float[] random = Numbers(count * 2, 3);
        for (int i = 0; i < count; i++)
        {
            labels[i] = i % 2;
            int row = 1 + (int)((random[2 * i] + 1) * 4.9f), column = 1 + (int)((random[(2 * i) + 1] + 1) * 4.9f);
            for (int step = -1; step <= 1; step++)
            {
                images[(i * 144) + ((row + (labels[i] * step)) * 12) + column + ((1 - labels[i]) * step)] = 1;
            }
        }

        return Dataset.FromFloats(images, [12, 12, 1], labels, classes: 2, classNames: ["lying", "standing"]);
    }

    /// <summary>Who is given a loan: income counts most, debt against it, and the shoe size not at all.</summary>
    private static Dataset Loans(int count)
    {
        float[] x = Numbers(count * 3, 5);
        int[] labels = [.. Enumerable.Range(0, count).Select(i => (2 * x[3 * i]) - x[(3 * i) + 1] > 0 ? 1 : 0)];
        return Dataset.FromFloats(
            x, [3], labels, classes: 2, classNames: ["refused", "given"], featureNames: ["income", "debt", "shoe size"]);
    }
}
