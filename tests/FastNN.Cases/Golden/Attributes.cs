using System.Text.Json;

namespace FastNN.Testing;

/// <summary>
/// A case's attributes. Each one that is read counts as understood; those left at the end make the case unsupported, so that no
/// option is ever ignored in silence.
/// </summary>
internal sealed class Attributes(string json)
{
    private readonly Dictionary<string, JsonElement> _unread = Parse(json);

    /// <summary>Names that were never asked for; "note" is for people.</summary>
    public IEnumerable<string> Unread => _unread.Keys.Where(name => name != "note");

    public bool Has(string name) => _unread.ContainsKey(name);

    public bool IsNull(string name) => _unread[name].ValueKind == JsonValueKind.Null;

    public bool IsString(string name) => _unread[name].ValueKind == JsonValueKind.String;

    public int Int(string name) => Take(name).GetInt32();

    public int Int(string name, int fallback) => Has(name) ? Int(name) : fallback;

    public double Double(string name) => Take(name).GetDouble();

    public float Float(string name) => (float)Double(name);

    public bool Bool(string name) => Take(name).GetBoolean();

    public string String(string name) =>
        Take(name).GetString() ?? throw new UnsupportedCaseException($"attribute {name} is null");

    /// <summary>An array, or a single number as an array of one.</summary>
    public int[] Ints(string name)
    {
        JsonElement value = Take(name);
        return value.ValueKind == JsonValueKind.Array
            ? [.. value.EnumerateArray().Select(item => item.GetInt32())]
            : [value.GetInt32()];
    }

    public double[] Doubles(string name) => [.. Take(name).EnumerateArray().Select(item => item.GetDouble())];

    public float[] Floats(string name) => [.. Take(name).EnumerateArray().Select(item => (float)item.GetDouble())];

    /// <summary>Counts an attribute as understood without using it, where a tensor's shape says the same.</summary>
    public void Skip(params ReadOnlySpan<string> names)
    {
        foreach (string name in names)
        {
            _unread.Remove(name);
        }
    }

    /// <summary>An attribute that the engine has for one value only.</summary>
    public void Require(string name, string only)
    {
        string value = Take(name).ToString();
        if (value != only)
        {
            throw new UnsupportedCaseException($"{name} = {value}; the engine has {only} only");
        }
    }

    private static Dictionary<string, JsonElement> Parse(string json)
    {
        using var document = JsonDocument.Parse(json);
        return document.RootElement.EnumerateObject().ToDictionary(
            item => item.Name, item => item.Value.Clone(), StringComparer.Ordinal);
    }

    private JsonElement Take(string name) => _unread.Remove(name, out JsonElement value)
        ? value
        : throw new UnsupportedCaseException($"attribute {name} is missing");
}
