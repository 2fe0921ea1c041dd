using FastNN.Data;
using FastNN.Explain;
using FastNN.Tests.Training;

namespace FastNN.Tests.Explain;

/// <summary>Permutation importance, Shapley values and near examples, beside what is known of linear models.</summary>
internal sealed class TableTests : TrainingFixture
{
    private static Dataset Table(int count, int columns, ulong seed = 1)
    {
        float[] x = Networks.Numbers(count * columns, seed);
        return Dataset.FromFloats(x, [columns], new float[count], [1]);
    }

    [Test]
    public void The_importance_of_a_column_is_what_its_weight_gives()
    {
        using Predictor model = Networks.Linear(3, [3, 0, -1], [0.5f]).CreatePredictor(Device);
        float[] x = Networks.Numbers(3000, 2);
        Dataset data = Dataset.FromFloats(x, [3], model.Predict(x), [1], featureNames: ["a", "b", "c"]);
        PermutationImportances found = PermutationImportance.Measure(
            model, data, TableScores.NegativeMeanSquaredError(data), new PermutationOptions { Repeats = 8 });
        Assert.Multiple(() =>
        {
            Assert.That(found.Score, Is.EqualTo(0).Within(1e-9));
            Assert.That(found.Features.Select(feature => feature.Name), Is.EqualTo(new[] { "a", "b", "c" }));

            // An independent copy of a column is off by 2 w^2 times its variance.
            Assert.That(found.Features[0].Mean, Is.EqualTo(18 * Variance(x, 0)).Within(3).Percent);
            Assert.That(found.Features[1].Mean, Is.EqualTo(0).Within(1e-9));
            Assert.That(found.Features[2].Mean, Is.EqualTo(2 * Variance(x, 2)).Within(3).Percent);
            Assert.That(found.Features[0].StandardDeviation, Is.InRange(0.01, 2));
            Assert.That(found.Features[0].Drops, Has.Count.EqualTo(8).And.Unique);
        });
    }

    private static double Variance(float[] x, int column)
    {
        double[] values = [.. x.Where((_, i) => i % 3 == column).Select(value => (double)value)];
        return values.Average(value => Math.Pow(value - values.Average(), 2));
    }

    [Test]
    public void Columns_of_a_group_are_dealt_out_together_and_a_seed_gives_the_same()
    {
        // The model looks at whether two columns are equal, which dealing them out together keeps.
        using Predictor model = Networks.Linear(3, [1, -1, 0.1f], [0]).CreatePredictor(Device);
        var x = new float[600];
        for (int i = 0; i < 200; i++)
        {
            x[3 * i] = x[(3 * i) + 1] = i;
        }

        Dataset data = Dataset.FromFloats(x, [3], new float[200], [1]);
        var options = new PermutationOptions { Groups = [new FeatureGroup("pair", 0, 1), new FeatureGroup("first", 2)] };
        Func<float[], double> score = TableScores.NegativeMeanSquaredError(data);
        Assert.That(PermutationImportance.Measure(model, data, score, options).Features[0].Mean, Is.EqualTo(0).Within(1e-6));
        PermutationImportances alone = PermutationImportance.Measure(model, data, score);
        Assert.That(alone.Features[0].Mean, Is.GreaterThan(1000));
        Assert.That(
            PermutationImportance.Measure(model, data, score).Features[0].Drops, Is.EqualTo(alone.Features[0].Drops));
        Assert.That(
            PermutationImportance.Measure(model, data, score, new PermutationOptions { Seed = 1 }).Features[0].Drops,
            Is.Not.EqualTo(alone.Features[0].Drops));
        Assert.That(
            () => PermutationImportance.Measure(
                model, data, score, new PermutationOptions { Groups = [new FeatureGroup("a", 0), new FeatureGroup("b", 3)] }),
            Throws.ArgumentException.With.Message.Contains("columns 0..2").And.Message.Contains("group 'b' has column 3"));
    }

    [Test]
    public void Accuracy_counts_classes_of_one_output_or_several()
    {
        Dataset data = Dataset.FromFloats([1, 2, 3, 4], [1], [0, 1, 1, 0], 2);
        Assert.That(TableScores.Accuracy(data)([0.1f, 0.9f, 0.4f, 0.2f]), Is.EqualTo(0.75));
        Assert.That(TableScores.Accuracy(data, threshold: 0)([-1, 0.9f, 0.4f, 0.2f]), Is.EqualTo(0.75));
        Assert.That(TableScores.Accuracy(data)([1, 0, 0, 1, 1, 0, 0, 1]), Is.EqualTo(0.5));
    }

    /// <summary>Where each background example is taken equally often, its mean is exact, and so are the values.</summary>
    [Test]
    public void Shapley_values_of_a_linear_model_are_exact([Values] bool antithetic)
    {
        float[] weights = [2, -3, 0.5f, 0];
        using Predictor model = Networks.Linear(4, weights, [1]).CreatePredictor(Device);
        Dataset background = Table(10, 4);
        float[] x = [1, -2, 0.5f, 7];
        ShapleyValues found = ShapleySampling.Explain(
            model, x, 0, background, new ShapleyOptions { Orders = 30, Antithetic = antithetic });
        for (int i = 0; i < 4; i++)
        {
            double mean = Enumerable.Range(0, 10).Average(row => (double)background[row].Features[i]);
            Assert.That(found.Features[i].Value, Is.EqualTo(weights[i] * (x[i] - mean)).Within(1e-5), $"column {i}");
        }

        Assert.That(found.Output, Is.EqualTo(9.25).Within(1e-5));
        Assert.That(found.BaseValue + found.Features.Sum(feature => feature.Value), Is.EqualTo(found.Output).Within(1e-5));
    }

    [Test]
    public void Shapley_values_add_up_for_any_model_and_follow_from_the_seed()
    {
        Sequential network = Toy.Built();
        using Predictor model = network.CreatePredictor(Device);
        Dataset background = Toy.Points(7);
        float[] x = [0.8f, 0.4f];
        ShapleyValues first = ShapleySampling.Explain(model, x, 3, background, new ShapleyOptions { Orders = 5, Seed = 2 });
        ShapleyValues again = ShapleySampling.Explain(model, x, 3, background, new ShapleyOptions { Orders = 5, Seed = 2 });
        ShapleyValues other = ShapleySampling.Explain(model, x, 3, background, new ShapleyOptions { Orders = 5, Seed = 3 });
        Assert.Multiple(() =>
        {
            Assert.That(first.Output, Is.EqualTo(model.Predict(x)[3]).Within(1e-6));
            Assert.That(first.BaseValue + first.Features.Sum(feature => feature.Value), Is.EqualTo(first.Output).Within(1e-5));
            Assert.That(
                again.Features.Select(feature => feature.Value), Is.EqualTo(first.Features.Select(feature => feature.Value)));
            Assert.That(
                other.Features.Select(feature => feature.Value), Is.Not.EqualTo(first.Features.Select(feature => feature.Value)));
        });
    }

    /// <summary>The values by their definition, over all orders of three features.</summary>
    [Test]
    public void Sampled_values_are_near_the_true_ones()
    {
        var network = new Sequential(new Dense(8, Activation.Tanh), new Dense(1));
        network.Build(new Shape(3), seed: 8);
        using Predictor model = network.CreatePredictor(Device);
        float[] x = [1.5f, -1, 2], from = [-0.5f, 1, 0.5f];
        Dataset background = Dataset.FromFloats(from, [3], new float[1], [1]);
        int[][] orders = [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]];
        var expected = new double[3];
        foreach (int[] order in orders)
        {
            float[] at = [.. from];
            foreach (int feature in order)
            {
                float before = model.Predict(at)[0];
                at[feature] = x[feature];
                expected[feature] += ((double)model.Predict(at)[0] - before) / 6;
            }
        }

        ShapleyValues found = ShapleySampling.Explain(
            model, x, 0, background, new ShapleyOptions { Orders = 2000, Antithetic = false });
        for (int i = 0; i < 3; i++)
        {
            ShapleyValue value = found.Features[i];
            Assert.That(value.StandardError, Is.InRange(1e-5, 0.02));
            Assert.That(value.Value, Is.EqualTo(expected[i]).Within(5 * value.StandardError), $"feature {i}");
        }
    }

    [Test]
    public void Groups_are_one_player_and_columns_in_none_stay_unknown()
    {
        using Predictor model = Networks.Linear(3, [1, 10, 100], [0]).CreatePredictor(Device);
        Dataset background = Dataset.FromFloats([1, 1, 1], [3], new float[1], [1]);
        ShapleyValues found = ShapleySampling.Explain(
            model, [2, 3, 4], 0, background, new ShapleyOptions { Groups = [new FeatureGroup("ends", 0, 2)], Orders = 2 });
        Assert.That(found.Features.Single().Value, Is.EqualTo(301).Within(1e-4));
        Assert.That((found.BaseValue, found.Output), Is.EqualTo((111d, 412d)));
        Assert.That(
            () => ShapleySampling.Explain(model, [2, 3], 0, background),
            Throws.TypeOf<ShapeException>().With.Message.Contains("one example of 3 values, got 2"));
        Assert.That(
            () => ShapleySampling.Explain(model, [2, 3, 4], 1, background),
            Throws.TypeOf<ArgumentOutOfRangeException>().With.Message.Contains("a target in 0..0"));
        Assert.That(() => new FeatureGroup("none"), Throws.ArgumentException.With.Message.Contains("at least one column"));
    }

    [Test]
    public void Near_examples_are_those_that_lie_near()
    {
        Dataset data = Dataset.FromFloats([0, 0, 3, 4, 1, 1, 0, 0, -5, -5], [2], new float[5], [1]);
        using var euclidean = new NearestExamples(data);
        Assert.That(
            euclidean.Find([0, 0], 3),
            Is.EqualTo(new NearExample[] { new(0, 0), new(3, 0), new(2, MathF.Sqrt(2)) }),
            "equal ones in the order of the dataset");
        Assert.That(euclidean.Find([0, 0], 99), Has.Count.EqualTo(5));
        using var cosine = new NearestExamples(data, Distance.Cosine);
        IReadOnlyList<NearExample> found = cosine.Find([2, 2], 5);
        Assert.That(found.Select(example => example.Example), Is.EqualTo(new[] { 2, 1, 0, 3, 4 }));
        Assert.That(
            found.Select(example => example.Distance),
            Is.EqualTo(new[] { 0, 1 - (7 / (5 * Math.Sqrt(2))), 1, 1, 2 }).Within(1e-6));
    }

    [Test]
    public void Near_examples_by_a_layer()
    {
        // The first layer sees the difference of the two columns alone.
        var model = new Sequential(new Dense(1) { Name = "difference" }, new Dense(3) { Name = "head" });
        model.Build(new Shape(2));
        model.Parameters[0].Write([1, -1]);
        model.Parameters[1].Write([0]);
        Dataset data = Dataset.FromFloats([5, 5, 1, 4, 9, 7, -1, 1], [2], new float[4], [1]);
        using var near = new NearestExamples(model, Device, data, "difference", Distance.Euclidean, maxBatch: 3);
        IReadOnlyList<NearExample> found = near.Find([100, 102], 4);
        Assert.That(found.Select(example => example.Example), Is.EqualTo(new[] { 3, 1, 0, 2 }));
        Assert.That(found.Select(example => example.Distance), Is.EqualTo(new[] { 0, 1, 2, 4f }).Within(1e-5f));
        Assert.That(
            () => near.Find([1, 2, 3], 1),
            Throws.TypeOf<ShapeException>().With.Message.Contains("one example of shape [2], got 3"));
        Assert.That(
            () => new NearestExamples(model, Device, data, "body"),
            Throws.ArgumentException.With.Message.Contains("no layer 'body'; the layers are difference, head"));
        Assert.That(
            () => new NearestExamples(model, Device, Table(2, 3), "head"),
            Throws.TypeOf<ShapeException>().With.Message.Contains("shape [2], as the model takes, the dataset has [3]"));
    }
}
