using System.Collections;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;

namespace FastNN;

/// <summary>Metrics by name, in the order in which they were asked for.</summary>
public sealed class MetricValues : IReadOnlyDictionary<string, double>, IEquatable<MetricValues>
{
    private readonly KeyValuePair<string, double>[] _values;

    /// <summary>Metrics by name.</summary>
    /// <param name="values">Names, each once, with their values.</param>
    public MetricValues(params IEnumerable<KeyValuePair<string, double>> values) => _values = [.. values];

    /// <summary>No metrics.</summary>
    public static MetricValues Empty { get; } = new();

    /// <inheritdoc/>
    public int Count => _values.Length;

    /// <inheritdoc/>
    public IEnumerable<string> Keys => _values.Select(pair => pair.Key);

    /// <inheritdoc/>
    public IEnumerable<double> Values => _values.Select(pair => pair.Value);

    /// <summary>A metric.</summary>
    /// <param name="key">Its name.</param>
    /// <exception cref="KeyNotFoundException">There is no such metric.</exception>
    public double this[string key] => TryGetValue(key, out double value)
        ? value
        : throw new KeyNotFoundException($"There is no metric '{key}'; there {(Count == 0 ? "are none" : $"is {string.Join(", ", Keys)}")}.");

    /// <inheritdoc/>
    public bool ContainsKey(string key) => TryGetValue(key, out _);

    /// <inheritdoc/>
    public bool TryGetValue(string key, [MaybeNullWhen(false)] out double value)
    {
        foreach ((string name, double number) in _values)
        {
            if (name == key)
            {
                value = number;
                return true;
            }
        }

        value = default;
        return false;
    }

    /// <inheritdoc/>
    public IEnumerator<KeyValuePair<string, double>> GetEnumerator() => _values.AsEnumerable().GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

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
        string.Join(", ", _values.Select(pair => string.Create(CultureInfo.InvariantCulture, $"{prefix}{pair.Key} {pair.Value:F4}")));
}
