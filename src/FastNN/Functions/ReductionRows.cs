namespace FastNN.Functions;

/// <summary>Work for a reduction's term that the caller knows by its row only.</summary>
internal interface IFoldVisitor<out TResult>
{
    TResult Visit<TFold>(FoldFunction fold)
        where TFold : struct, IFold;
}

/// <summary>Work for the gradient of a reduction's term.</summary>
internal interface ISlopeVisitor<out TResult>
{
    TResult Visit<TSlope>(SlopeFunction slope)
        where TSlope : struct, ISlope;
}

/// <summary>A row of the table: what becomes of the terms of an output, as a value.</summary>
internal abstract class FoldFunction : TableRow
{
    private FoldFunction(string text)
    {
        (TextName, KernelName) = (text, text[..^"Fold".Length].ToLowerInvariant());
        Kernels = [
            $"reduce_{KernelName}_all", $"reduce_{KernelName}_runs", $"reduce_{KernelName}_tiles", $"reduce_{KernelName}_strips"];
    }

    /// <summary>The name of its text.</summary>
    public string TextName { get; }

    /// <summary>Its part of the names of its kernels.</summary>
    public string KernelName { get; }

    /// <summary>Names of its CUDA kernels by how outputs lie, made once so that a launch allocates nothing.</summary>
    public IReadOnlyList<string> Kernels { get; }

    private protected override string RowName => TextName;

    private protected override IEnumerable<TableRow> Table => FunctionTable.Folds;

    /// <summary>The row of a term.</summary>
    public static FoldFunction Of<TFold>()
        where TFold : struct, IFold => Row<TFold>.Instance;

    public abstract TResult Accept<TResult>(IFoldVisitor<TResult> visitor);

    private sealed class Row<TFold>() : FoldFunction(typeof(TFold).Name)
        where TFold : struct, IFold
    {
        public static readonly Row<TFold> Instance = new();

        public override TResult Accept<TResult>(IFoldVisitor<TResult> visitor) => visitor.Visit<TFold>(this);
    }
}

/// <summary>A row of the table: the gradient of a term, as a value.</summary>
internal abstract class SlopeFunction : TableRow
{
    private SlopeFunction(string text)
    {
        (TextName, KernelName) = (text, text[..^"Slope".Length].ToLowerInvariant());
        Kernels = [$"reduce_{KernelName}_fours", $"reduce_{KernelName}_elements", $"reduce_{KernelName}_spread"];
    }

    /// <summary>The name of its text.</summary>
    public string TextName { get; }

    /// <summary>Its part of the names of its kernels.</summary>
    public string KernelName { get; }

    /// <summary>Names of its CUDA kernels by how outputs lie.</summary>
    public IReadOnlyList<string> Kernels { get; }

    private protected override string RowName => TextName;

    private protected override IEnumerable<TableRow> Table => FunctionTable.Slopes;

    /// <summary>The row of a slope.</summary>
    public static SlopeFunction Of<TSlope>()
        where TSlope : struct, ISlope => Row<TSlope>.Instance;

    public abstract TResult Accept<TResult>(ISlopeVisitor<TResult> visitor);

    private sealed class Row<TSlope>() : SlopeFunction(typeof(TSlope).Name)
        where TSlope : struct, ISlope
    {
        public static readonly Row<TSlope> Instance = new();

        public override TResult Accept<TResult>(ISlopeVisitor<TResult> visitor) => visitor.Visit<TSlope>(this);
    }
}
