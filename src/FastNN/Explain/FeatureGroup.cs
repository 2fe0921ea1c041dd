using FastNN.Data;

namespace FastNN.Explain;

/// <summary>Columns of a table that are explained as one feature, such as those of a one-hot encoded category.</summary>
public sealed class FeatureGroup
{
    /// <summary>A group of columns.</summary>
    /// <param name="name">What reports call it.</param>
    /// <param name="columns">The columns, counted from 0.</param>
    /// <exception cref="ArgumentException">There are no columns, or one is given twice.</exception>
    public FeatureGroup(string name, params IReadOnlyList<int> columns)
    {
        ArgumentNullException.ThrowIfNull(name);
        ArgumentNullException.ThrowIfNull(columns);
        if (columns.Count == 0 || columns.Distinct().Count() != columns.Count)
        {
            throw new ArgumentException(
                $"FeatureGroup '{name}': expected at least one column and each once, got {string.Join(", ", columns)}.", nameof(columns));
        }

        (Name, Columns) = (name, [.. columns]);
    }

    /// <summary>What reports call it.</summary>
    public string Name { get; }

    /// <summary>Its columns, counted from 0.</summary>
    public IReadOnlyList<int> Columns { get; }

    /// <summary>The groups to explain: those given, else each column by itself under the dataset's name for it.</summary>
    internal static FeatureGroup[] Of(IReadOnlyList<FeatureGroup>? groups, Dataset data, string what)
    {
        if (groups is null)
        {
            return [.. Enumerable.Range(0, data.ExampleSize).Select(column => new FeatureGroup(
                column < data.FeatureNames.Count ? data.FeatureNames[column] : $"column {column}", column))];
        }

        var seen = new HashSet<int>();
        foreach (FeatureGroup group in groups)
        {
            foreach (int column in group.Columns)
            {
                if ((uint)column >= (uint)data.ExampleSize || !seen.Add(column))
                {
                    throw new ArgumentException(
                        $"{what}: expected columns 0..{data.ExampleSize - 1}, each in one group at most; group '{group.Name}' has column {column}.",
                        nameof(groups));
                }
            }
        }

        return groups.Count > 0
            ? [.. groups]
            : throw new ArgumentException($"{what}: expected at least one group of columns, got none.", nameof(groups));
    }

    /// <summary>Fails unless a model takes the examples of a dataset.</summary>
    internal static void Require(Predictor model, Dataset data, string what)
    {
        if (model.InputShape.Count != data.ExampleSize)
        {
            throw new ShapeException(
                $"{what}: expected examples of {model.InputShape.Count} values, as the model takes, the dataset has {data.ExampleSize}.");
        }
    }
}
