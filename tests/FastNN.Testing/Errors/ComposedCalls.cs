namespace FastNN.Testing;

/// <summary>
/// Calls of operators that users write, which refuse under the operator's name. Every other call has to give its own.
/// </summary>
internal static class ComposedCalls
{
    private static readonly Dictionary<string, string[]> Recorded = new()
    {
        ["Apply"] = ["ScaledSoftsign"],
        ["ApplyAll"] = ["SplitHalves"],
    };

    public static bool Has(string call, string operation) =>
        Recorded.TryGetValue(call, out string[]? operations) && operations.Contains(operation);
}
