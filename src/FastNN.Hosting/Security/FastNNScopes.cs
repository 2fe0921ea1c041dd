namespace FastNN.Hosting;

/// <summary>What a caller may do; an API key or a token has one or several.</summary>
public static class FastNNScopes
{
    /// <summary>Call models.</summary>
    public const string Infer = "infer";

    /// <summary>Load and unload models, where the server allows it at all.</summary>
    public const string Manage = "manage";

    /// <summary>Read metrics, statistics and the status page.</summary>
    public const string Metrics = "metrics";

    internal static bool IsKnown(string scope) => scope is Infer or Manage or Metrics;
}
