namespace FastNN;

/// <summary>What goes into a model file besides layers and parameters.</summary>
public sealed record SaveOptions
{
    /// <summary>Whether NaN and infinite values are saved; default false, which refuses them.</summary>
    public bool AllowNonFinite { get; init; }

    /// <summary>The names of the classes that the output tells apart; default those of the <see cref="Model"/>.</summary>
    public IReadOnlyList<string>? ClassNames { get; init; }

    /// <summary>
    /// What has to be done to raw inputs, which predictors of the loaded model then do; default that of the <see cref="Model"/>.
    /// </summary>
    public Preprocessing? Preprocessing { get; init; }
}

/// <summary>How weights are loaded.</summary>
public sealed record LoadOptions
{
    /// <summary>
    /// Whether the file must have exactly the model's parameters; default true. False loads what fits, and the result tells what
    /// did not.
    /// </summary>
    public bool Strict { get; init; } = true;

    /// <summary>
    /// Gives the name in the model for a name in the file; null (default) keeps names, and null as its result leaves a tensor
    /// out.
    /// </summary>
    public Func<string, string?>? Rename { get; init; }

    /// <summary>Whether NaN and infinite values are loaded; default false, which refuses them.</summary>
    public bool AllowNonFinite { get; init; }
}

/// <summary>What was loaded and what was not.</summary>
public sealed class LoadResult
{
    internal LoadResult(
        IReadOnlyList<string> loaded, IReadOnlyList<string> missing, IReadOnlyList<string> unexpected,
        IReadOnlyList<string> wrongShape) =>
        (Loaded, Missing, Unexpected, WrongShape) = (loaded, missing, unexpected, wrongShape);

    /// <summary>Parameters of the model that were loaded.</summary>
    public IReadOnlyList<string> Loaded { get; }

    /// <summary>Parameters of the model that the file does not have.</summary>
    public IReadOnlyList<string> Missing { get; }

    /// <summary>Tensors of the file, by their names in it, that the model does not have.</summary>
    public IReadOnlyList<string> Unexpected { get; }

    /// <summary>Parameters of the model that the file has in another shape.</summary>
    public IReadOnlyList<string> WrongShape { get; }

    /// <summary>The counts in one line.</summary>
    public override string ToString() =>
        $"{Loaded.Count} loaded, {Missing.Count} missing, {Unexpected.Count} unexpected, {WrongShape.Count} of another shape";
}
