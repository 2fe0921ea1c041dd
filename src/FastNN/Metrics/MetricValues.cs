using System.Globalization;

namespace FastNN;

/// <summary>Metrics by name, in the order in which they were asked for.</summary>
public sealed class MetricValues : IEquatable<MetricValues>
{
    private readonly KeyValuePair<string, double>[] _values;

    /// <summary>Metrics by name.</summary>
    /// <param name="values">Names, each once, with their values.</param>
    public MetricValues(params IEnumerable<KeyValuePair<string, double>> values) => _values = [.. values];

    /// <summary>No metrics.</summary>
    public static MetricValues Empty { get; } = new();

    /// <summary>How many there are.</summary>
    public int Count => _values.Length;

    /// <summary>Their names.</summary>
    public IReadOnlyList<string> Names => Array.ConvertAll(_values, pair => pair.Key);

    /// <summary>A metric.</summary>
    /// <param name="name">Its name.</param>
    /// <exception cref="KeyNotFoundException">No metric has this name.</exception>
    public double this[string name] => TryGetValue(name, out double value)
        ? value
        : throw new KeyNotFoundException(
            $"There is no metric '{name}'; there {(Count == 0 ? "are none" : $"is {string.Join(", ", Names)}")}.");

    /// <summary>A metric, where it is among these.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="value">Its value; 0 where it is not.</param>
    /// <returns>Whether it is.</returns>
    public bool TryGetValue(string name, out double value)
    {
        foreach ((string key, double number) in _values)
        {
            if (key == name)
            {
                value = number;
                return true;
            }
        }

        value = 0;
        return false;
    }

    /// <inheritdoc/>
    public bool Equals(MetricValues? other) => other is not null && _values.AsSpan().SequenceEqual(other._values);

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as MetricValues);

    /// <inheritdoc/>
    public override int GetHashCode() => _values.Aggregate(Count, HashCode.Combine);

    /// <summary>As in <c>MeanAbsoluteError 0.0312, R2 0.9876</c>.</summary>
    public override string ToString() => Text("");

    /// <summary>With words in front of each name.</summary>
    internal string Text(string prefix) =>
        string.Join(
            ", ", _values.Select(pair => string.Create(CultureInfo.InvariantCulture, $"{prefix}{pair.Key} {pair.Value:F4}")));
}
