namespace FastNN.Hosting;

/// <summary>How the outputs of a model become embeddings.</summary>
public sealed class EmbeddingOptions
{
    /// <summary>How many tokens of a text are taken at most; those behind them are left out. Default 512.</summary>
    public int MaxTokens { get; set; } = 512;

    /// <summary>
    /// How vectors of a text's tokens, an output [N, T, D], become one: their mean, by default, or the first token's, as of
    /// models that are trained so. An output [N, D] is taken as it is.
    /// </summary>
    public EmbeddingPooling Pooling { get; set; } = EmbeddingPooling.Mean;

    /// <summary>Whether embeddings have the length 1, so that their dot product is their cosine. Default true.</summary>
    public bool Normalize { get; set; } = true;

    /// <summary>The output that has the vectors; null, the default, for the first.</summary>
    public string? Output { get; set; }
}

/// <summary>How the vectors of a text's tokens become one.</summary>
public enum EmbeddingPooling
{
    /// <summary>Their mean.</summary>
    Mean,

    /// <summary>That of the first token.</summary>
    First,
}
