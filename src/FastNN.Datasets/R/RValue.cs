namespace FastNN.Data;

/// <summary>A value of R. Vectors have their type's class; everything else that a file may hold is read past.</summary>
internal abstract class RValue
{
    private static readonly Dictionary<string, RValue> None = [];
    private Dictionary<string, RValue>? _attributes;

    /// <summary>Names, classes, levels and other attributes.</summary>
    public IReadOnlyDictionary<string, RValue> Attributes => _attributes ?? None;

    /// <summary>The number of elements.</summary>
    public virtual int Count => 0;

    /// <summary>What messages call the value.</summary>
    public abstract string Kind { get; }

    /// <summary>Takes attributes over.</summary>
    public void SetAttributes(RPairs pairs)
    {
        _attributes ??= new Dictionary<string, RValue>(StringComparer.Ordinal);
        foreach ((string? tag, RValue value) in pairs.Items)
        {
            _attributes[tag ?? ""] = value;
        }
    }

    /// <summary>The texts of an attribute, or null where there is none or it is no text.</summary>
    public string?[]? Texts(string attribute) => (Attributes.GetValueOrDefault(attribute) as RText)?.Values;

    /// <summary>Whether R says that the value is of a class, such as "factor".</summary>
    public bool Is(string name) => Texts("class")?.Contains(name) == true;
}

/// <summary>Truth values, whole numbers and the codes of factors.</summary>
internal sealed class RIntegers(int[] values, bool isLogical) : RValue
{
    /// <summary>What stands for a missing value.</summary>
    public const int Missing = int.MinValue;

    public int[] Values { get; } = values;

    public override int Count => Values.Length;

    public override string Kind => isLogical ? "truth values" : "whole numbers";
}

/// <summary>Numbers; a missing one is NaN.</summary>
internal sealed class RNumbers(double[] values) : RValue
{
    public double[] Values { get; } = values;

    public override int Count => Values.Length;

    public override string Kind => "numbers";
}

/// <summary>Texts; a missing one is null.</summary>
internal sealed class RText(string?[] values) : RValue
{
    public string?[] Values { get; } = values;

    public override int Count => Values.Length;

    public override string Kind => "texts";
}

/// <summary>Bytes.</summary>
internal sealed class RBytes(byte[] values) : RValue
{
    public byte[] Values { get; } = values;

    public override int Count => Values.Length;

    public override string Kind => "bytes";
}

/// <summary>Values of any kind: a list, an expression, or a table, which is a list of columns.</summary>
internal sealed class RList(RValue[] values) : RValue
{
    public RValue[] Values { get; } = values;

    public override int Count => Values.Length;

    public override string Kind => "a list";
}

/// <summary>A chain of values with tags, as which R keeps attributes and calls.</summary>
internal sealed class RPairs(List<(string? Tag, RValue Value)> items, RValue? tail) : RValue
{
    public List<(string? Tag, RValue Value)> Items { get; } = items;

    /// <summary>What the chain ends with where that is not nothing.</summary>
    public RValue? Tail { get; } = tail;

    public override int Count => Items.Count;

    public override string Kind => "pairs";
}

/// <summary>A name.</summary>
internal sealed class RSymbol(string name) : RValue
{
    public string Name { get; } = name;

    public override string Kind => "a symbol";
}

/// <summary>Nothing, or something without a meaning outside of R: an environment, a function, a pointer.</summary>
internal sealed class ROther(string kind) : RValue
{
    public override string Kind { get; } = kind;
}
