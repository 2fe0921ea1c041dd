namespace FastNN.Hosting;

/// <summary>What attributes call a failure or a state: lower case with underscores, as OpenTelemetry has it.</summary>
internal static class FailureNames
{
    /// <summary>The caller went away, which is no <see cref="InferenceFailure"/>.</summary>
    public const string Cancelled = "cancelled";

    private static readonly string[] Failures = [.. Enum.GetNames<InferenceFailure>().Select(Snake)];
    private static readonly string[] States = [.. Enum.GetNames<ModelState>().Select(Snake)];

    /// <summary>All that <see cref="Of(Exception)"/> can be.</summary>
    public static IReadOnlyList<string> All { get; } = [.. Failures, Cancelled];

    public static string Of(InferenceFailure failure) => Failures[(int)failure];

    public static string Of(ModelState state) => States[(int)state];

    public static string Of(Exception failure) => failure switch
    {
        InferenceException inference => Of(inference.Failure),
        OperationCanceledException => Cancelled,
        _ => Of(InferenceFailure.Failed),
    };

    private static string Snake(string name) => string.Concat(
        name.Select(
            (letter, i) => char.IsUpper(letter) ? (i == 0 ? "" : "_") + char.ToLowerInvariant(letter) : letter.ToString()));
}
