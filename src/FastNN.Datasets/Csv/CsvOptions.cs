namespace FastNN.Data;

/// <summary>What the target column of a table holds.</summary>
public enum CsvTarget
{
    /// <summary>Classes: whole numbers from 0, or names.</summary>
    Class,

    /// <summary>A number to predict; the dataset has targets of shape <c>[1]</c>.</summary>
    Value,
}

/// <summary>What stands for a number that is missing.</summary>
public enum CsvMissing
{
    /// <summary>Nothing: an empty cell is an error.</summary>
    Error,

    /// <summary>The mean of the column's other numbers in this table.</summary>
    Mean,

    /// <summary><see cref="CsvOptions.MissingValue"/>.</summary>
    Constant,
}

/// <summary>What becomes of a category that <see cref="CsvOptions.CategoryValues"/> does not list.</summary>
public enum CsvUnknownCategory
{
    /// <summary>It is an error.</summary>
    Error,

    /// <summary>It is marked in a column of its own, "city=(other)", as are empty cells.</summary>
    OwnColumn,
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

    /// <summary>
    /// Columns that are passed over, such as numbers of rows, by their names in the header; their cells may hold any text.
    /// </summary>
    public IReadOnlyList<string> Ignore { get; init; } = [];

    /// <summary>
    /// Feature columns that hold categories, by their names in the header. Each becomes one column per category, with a 1 where a
    /// row is of it and 0 elsewhere (one-hot), named "city=Paris", in ordinal order of the categories found, or in the order of
    /// <see cref="CategoryValues"/>.
    /// </summary>
    public IReadOnlyList<string> Categories { get; init; } = [];

    /// <summary>
    /// The categories of some or all of those columns, so that several files agree on them; those of the training data for a test
    /// file. Default those found in the file.
    /// </summary>
    public IReadOnlyDictionary<string, IReadOnlyList<string>>? CategoryValues { get; init; }

    /// <summary>What becomes of a category that is not listed; by default it is an error.</summary>
    public CsvUnknownCategory UnknownCategory { get; init; }

    /// <summary>What stands for missing numbers of features; by default they are an error. A missing target always is.</summary>
    public CsvMissing Missing { get; init; }

    /// <summary>The number that stands for missing ones under <see cref="CsvMissing.Constant"/>; default 0.</summary>
    public float MissingValue { get; init; }

    /// <summary>Texts of cells that count as missing, such as "NA"; default the empty one.</summary>
    public IReadOnlyList<string> MissingTexts { get; init; } = [""];

    /// <summary>What the target column holds.</summary>
    public CsvTarget Target { get; init; } = CsvTarget.Class;

    /// <summary>
    /// The classes in the order of their indices, so that several files agree on them. A cell holds a name or an index.
    /// Without them whole numbers from 0 to 65535 are class indices; any other text is a name, and the names are numbered in
    /// ordinal order.
    /// </summary>
    public IReadOnlyList<string>? ClassNames { get; init; }
}
