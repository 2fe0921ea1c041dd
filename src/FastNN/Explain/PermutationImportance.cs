using FastNN.Data;
using FastNN.Tensors;

namespace FastNN.Explain;

/// <summary>
/// How much a model's score falls when the values of a column are dealt out anew among the examples (Breiman, "Random forests",
/// 2001). It tells what this model uses, and of columns that say the same it may use either.
/// </summary>
public static class PermutationImportance
{
    /// <summary>Measures the importance of each column, or of groups of columns that are dealt out together.</summary>
    /// <param name="model">The model.</param>
    /// <param name="data">Examples that it was not trained on.</param>
    /// <param name="score">From the outputs of all examples, one after the other, a number that is larger where the model is
    /// better:
    /// <see cref="TableScores"/>, or any function.</param>
    /// <param name="options">How often, and which groups; null for the defaults.</param>
    /// <returns>The importances, in the order of the columns.</returns>
    /// <exception cref="ShapeException">The model takes other examples.</exception>
    /// <exception cref="ArgumentException">A group has a column that is not there, or that another has.</exception>
    public static PermutationImportances Measure(
        Predictor model, Dataset data, Func<float[], double> score, PermutationOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(data);
        ArgumentNullException.ThrowIfNull(score);
        options ??= new PermutationOptions();
        FeatureGroup.Require(model, data, nameof(PermutationImportance));
        FeatureGroup[] groups = FeatureGroup.Of(options.Groups, data, nameof(PermutationImportance));
        float[] x = data.Features(), changed = [.. x];
        double whole = score(model.Predict(x));
        ulong stream = Philox.Stream(RandomUse.Explanation, (uint)ExplanationMethod.Permutation);
        var importances = new FeatureImportance[groups.Length];
        var order = new int[data.Count];
        uint place = 0;
        for (int group = 0; group < groups.Length; group++)
        {
            var drops = new double[options.Repeats];
            for (int repeat = 0; repeat < drops.Length; repeat++)
            {
                Philox.Shuffle(Reset(order), options.Seed, Philox.AtPlace(stream, place++));
                Deal(x, changed, order, groups[group], data.ExampleSize);
                drops[repeat] = whole - score(model.Predict(changed));
            }

            Deal(x, changed, Reset(order), groups[group], data.ExampleSize);
            importances[group] = new FeatureImportance(groups[group], drops);
        }

        return new PermutationImportances(whole, importances);
    }

    private static int[] Reset(int[] order)
    {
        for (int i = 0; i < order.Length; i++)
        {
            order[i] = i;
        }

        return order;
    }

    private static void Deal(float[] from, float[] to, int[] order, FeatureGroup group, int size)
    {
        for (int i = 0; i < order.Length; i++)
        {
            foreach (int column in group.Columns)
            {
                to[(i * size) + column] = from[(order[i] * size) + column];
            }
        }
    }
}

/// <summary>How permutation importance is measured.</summary>
public sealed record PermutationOptions
{
    /// <summary>How often each group is dealt out; default 5.</summary>
    /// <exception cref="ArgumentOutOfRangeException">It is not positive.</exception>
    public int Repeats { get; init => field = Requirements.AtLeast(value, 1, nameof(Repeats)); } = 5;

    /// <summary>Columns that are dealt out together; default null for each by itself.</summary>
    public IReadOnlyList<FeatureGroup>? Groups { get; init; }

    /// <summary>What the orders are drawn from; default 0.</summary>
    public ulong Seed { get; init; }
}

/// <summary>The importances of a model's columns.</summary>
public sealed class PermutationImportances
{
    internal PermutationImportances(double score, IReadOnlyList<FeatureImportance> features) =>
        (Score, Features) = (score, features);

    /// <summary>The score with all columns as they are.</summary>
    public double Score { get; }

    /// <summary>The features in the order of their columns.</summary>
    public IReadOnlyList<FeatureImportance> Features { get; }
}

/// <summary>How much a model needs a feature.</summary>
public sealed class FeatureImportance
{
    internal FeatureImportance(FeatureGroup group, double[] drops)
    {
        (Name, Columns, Drops, Mean) = (group.Name, group.Columns, drops, drops.Average());
        StandardDeviation = drops.Length > 1
            ? Math.Sqrt(drops.Sum(drop => (drop - Mean) * (drop - Mean)) / (drops.Length - 1))
            : 0;
    }

    /// <summary>The feature's name.</summary>
    public string Name { get; }

    /// <summary>Its columns.</summary>
    public IReadOnlyList<int> Columns { get; }

    /// <summary>How much the score fell on average.</summary>
    public double Mean { get; }

    /// <summary>The standard deviation among the repeats; 0 for a single one.</summary>
    public double StandardDeviation { get; }

    /// <summary>How much the score fell in each repeat.</summary>
    public IReadOnlyList<double> Drops { get; }

    /// <inheritdoc/>
    public override string ToString() => FormattableString.Invariant($"{Name}: {Mean:g4} +- {StandardDeviation:g2}");
}

/// <summary>Scores of a model's outputs for the examples of a dataset, larger where the model is better.</summary>
public static class TableScores
{
    /// <summary>The share of examples whose class is that of the largest output, or of a single output above a
    /// threshold.</summary>
    /// <param name="data">A dataset of classes.</param>
    /// <param name="threshold">Where a single output stands for two classes: above it is the second; default 0.5, as for
    /// probabilities, and 0 for logits.</param>
    /// <returns>The score.</returns>
    /// <exception cref="InvalidOperationException">The dataset has no classes.</exception>
    public static Func<float[], double> Accuracy(Dataset data, float threshold = 0.5f)
    {
        ArgumentNullException.ThrowIfNull(data);
        int[] labels = [.. Enumerable.Range(0, data.Count).Select(data.LabelOf)];
        return outputs =>
        {
            int columns = outputs.Length / labels.Length, correct = 0;
            for (int i = 0; i < labels.Length; i++)
            {
                ReadOnlySpan<float> row = outputs.AsSpan(i * columns, columns);
                int found = columns == 1 ? row[0] > threshold ? 1 : 0 : System.Numerics.Tensors.TensorPrimitives.IndexOfMax(row);
                correct += found == labels[i] ? 1 : 0;
            }

            return (double)correct / labels.Length;
        };
    }

    /// <summary>The mean of squared errors times -1.</summary>
    /// <param name="data">A dataset of float targets, of the model's output shape.</param>
    /// <returns>The score.</returns>
    /// <exception cref="InvalidOperationException">The targets are class indices.</exception>
    public static Func<float[], double> NegativeMeanSquaredError(Dataset data)
    {
        ArgumentNullException.ThrowIfNull(data);
        var targets = new float[data.Count * data.TargetSize];
        for (int i = 0; i < data.Count; i++)
        {
            data.CopyTarget(i, targets.AsSpan(i * data.TargetSize));
        }

        return outputs =>
        {
            if (outputs.Length != targets.Length)
            {
                throw new ShapeException(
                    $"TableScores: expected {targets.Length} outputs, one per target, got {outputs.Length}.");
            }

            double sum = 0;
            for (int i = 0; i < targets.Length; i++)
            {
                double error = (double)outputs[i] - targets[i];
                sum += error * error;
            }

            return -sum / targets.Length;
        };
    }
}
