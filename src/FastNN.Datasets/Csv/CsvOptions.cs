namespace FastNN.Data;

/// <summary>What the target column of a table holds.</summary>
public enum CsvTarget
{
    /// <summary>Classes: whole numbers from 0, or names.</summary>
    Class,

    /// <summary>A number to predict; the dataset has targets of shape <c>[1]</c>.</summary>
    Value,
}

/// <summary>How a table is read.</summary>
public sealed record CsvOptions
{
    /// <summary>The character between cells; a comma by default.</summary>
    public char Separator { get; init; } = ',';

    /// <summary>Lines before the header or the first record that are passed over.</summary>
    public int SkipLines { get; init; }

    /// <summary>Whether the first record names the columns; true by default.</summary>
    public bool HasHeader { get; init; } = true;

    /// <summary>
    /// The target column by its place; the last one by default. Not looked at where <see cref="TargetName"/> is set.
    /// </summary>
    public Index TargetColumn { get; init; } = ^1;

    /// <summary>The target column by its name in the header.</summary>
    public string? TargetName { get; init; }

    /// <summary>Columns that are passed over, such as numbers of rows, by their names in the header; their cells may hold any text.</summary>
    public IReadOnlyList<string> Ignore { get; init; } = [];

    /// <summary>What the target column holds.</summary>
    public CsvTarget Target { get; init; } = CsvTarget.Class;

    /// <summary>
    /// The classes in the order of their indices, so that several files agree on them. A cell holds a name or an index.
    /// Without them whole numbers from 0 to 65535 are class indices; any other text is a name, and the names are numbered in
    /// ordinal order.
    /// </summary>
    public IReadOnlyList<string>? ClassNames { get; init; }
}
