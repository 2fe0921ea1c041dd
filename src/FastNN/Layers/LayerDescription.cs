using System.Globalization;
using System.Text;
using FastNN.Formats;

namespace FastNN;

/// <summary>
/// What a layer was made with, as model files keep it: its kind, its attributes by name, and the layers that it contains.
/// Attributes are numbers, truth values, texts and rows of numbers.
/// </summary>
public sealed class LayerDescription
{
    private readonly Dictionary<string, object> _attributes = new(StringComparer.Ordinal);

    internal LayerDescription(string kind, string? name, IReadOnlyList<Layer> layers) =>
        (Kind, Name, Layers) = (kind, name, layers);

    /// <summary>The kind of layer, as it was registered.</summary>
    public string Kind { get; }

    /// <summary>The layer's own <see cref="Layer.Name"/>, or null.</summary>
    public string? Name { get; }

    /// <summary>The layers that it contains, where its kind keeps them.</summary>
    public IReadOnlyList<Layer> Layers { get; private set; }

    /// <summary>The attributes by name: double, bool, string, double[] or string[].</summary>
    internal IReadOnlyDictionary<string, object> Attributes => _attributes;

    /// <summary>Notes a whole number.</summary>
    /// <param name="name">The attribute's name.</param>
    /// <param name="value">Its value.</param>
    /// <returns>This description.</returns>
    public LayerDescription Set(string name, int value) => Add(name, (double)value);

    /// <summary>Notes a number.</summary>
    /// <param name="name">The attribute's name.</param>
    /// <param name="value">Its value; finite.</param>
    /// <returns>This description.</returns>
    public LayerDescription Set(string name, float value) => Add(name, (double)value);

    /// <summary>Notes a truth value.</summary>
    /// <param name="name">The attribute's name.</param>
    /// <param name="value">Its value.</param>
    /// <returns>This description.</returns>
    public LayerDescription Set(string name, bool value) => Add(name, value);

    /// <summary>Notes a text.</summary>
    /// <param name="name">The attribute's name.</param>
    /// <param name="value">Its value.</param>
    /// <returns>This description.</returns>
    public LayerDescription Set(string name, string value) => Add(name, value);

    /// <summary>Notes a row of whole numbers.</summary>
    /// <param name="name">The attribute's name.</param>
    /// <param name="values">Its values.</param>
    /// <returns>This description.</returns>
    public LayerDescription Set(string name, params ReadOnlySpan<int> values) =>
        Add(name, Array.ConvertAll(values.ToArray(), value => (double)value));

    /// <summary>Notes a row of texts.</summary>
    /// <param name="name">The attribute's name.</param>
    /// <param name="values">Its values.</param>
    /// <returns>This description.</returns>
    public LayerDescription Set(string name, params ReadOnlySpan<string> values) => Add(name, values.ToArray());

    /// <summary>Notes the layers that this one contains, for a kind that is made of layers given to it.</summary>
    /// <param name="layers">The layers, in order.</param>
    /// <returns>This description.</returns>
    public LayerDescription SetLayers(IReadOnlyList<Layer> layers)
    {
        ArgumentNullException.ThrowIfNull(layers);
        Layers = layers;
        return this;
    }

    /// <summary>Whether an attribute was noted.</summary>
    /// <param name="name">The attribute's name.</param>
    public bool Has(string name) => _attributes.ContainsKey(name);

    /// <summary>A whole number.</summary>
    /// <param name="name">The attribute's name.</param>
    /// <exception cref="ArgumentException">The attribute is missing or is not a whole number.</exception>
    public int Int32(string name) =>
        Get<double>(name, "a whole number") is var number && number == Math.Floor(number) && Math.Abs(number) <= int.MaxValue
        ? (int)number
        : throw Wrong(name, "a whole number");

    /// <summary>A number.</summary>
    /// <param name="name">The attribute's name.</param>
    /// <exception cref="ArgumentException">The attribute is missing or is not a number.</exception>
    public float Single(string name) => (float)Get<double>(name, "a number");

    /// <summary>A truth value.</summary>
    /// <param name="name">The attribute's name.</param>
    /// <exception cref="ArgumentException">The attribute is missing or is not a truth value.</exception>
    public bool Boolean(string name) => Get<bool>(name, "true or false");

    /// <summary>A text.</summary>
    /// <param name="name">The attribute's name.</param>
    /// <exception cref="ArgumentException">The attribute is missing or is not a text.</exception>
    public string Text(string name) => Get<string>(name, "a text");

    /// <summary>A row of whole numbers.</summary>
    /// <param name="name">The attribute's name.</param>
    /// <exception cref="ArgumentException">The attribute is missing or is not a list of whole numbers.</exception>
    public int[] Int32s(string name)
    {
        double[] numbers = Get<double[]>(name, "whole numbers");
        return Array.TrueForAll(numbers, number => number == Math.Floor(number) && Math.Abs(number) <= int.MaxValue)
            ? Array.ConvertAll(numbers, number => (int)number)
            : throw Wrong(name, "whole numbers");
    }

    /// <summary>A row of texts.</summary>
    /// <param name="name">The attribute's name.</param>
    /// <exception cref="ArgumentException">The attribute is missing or is not a list of texts.</exception>
    public string[] Texts(string name) => Get<string[]>(name, "texts");

    /// <summary>The kind with its attributes, as in <c>Dense(units: 64, activation: ReLU)</c>.</summary>
    public override string ToString()
    {
        var text = new StringBuilder(Kind);
        if (_attributes.Count > 0)
        {
            text.Append('(').AppendJoin(", ", _attributes.Select(attribute => $"{attribute.Key}: {Format(attribute.Value)}"))
                .Append(')');
        }

        return text.ToString();
    }

    internal LayerDescription Add(string name, object value)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        ArgumentNullException.ThrowIfNull(value);
        if (value is double and not (>= double.MinValue and <= double.MaxValue))
        {
            throw new ArgumentException($"{Kind}: expected a finite number for {name}, got {value}.", nameof(value));
        }

        _attributes[name] = value;
        return this;
    }

    private static string Format(object value) => value switch
    {
        double number => number.ToString("R", CultureInfo.InvariantCulture),
        bool truth => truth ? "true" : "false",
        string[] texts => $"[{string.Join(", ", texts)}]",
        double[] numbers =>
            $"[{string.Join(", ", numbers.Select(number => number.ToString("R", CultureInfo.InvariantCulture)))}]",
        _ => (string)value,
    };

    private T Get<T>(string name, string expected) =>
        _attributes.TryGetValue(name, out object? value) && value is T typed ? typed : throw Wrong(name, expected);

    private ArgumentException Wrong(string name, string expected) => new(
        $"{Quote.Text(Kind)}: expected {expected} as attribute '{name}', got {(_attributes.TryGetValue(name, out object? value) ? Quote.Text(Format(value)) : "nothing")}.");
}
