using System.Text.RegularExpressions;

namespace FastNN.Cli.Recipes;

/// <summary>Takes texts apart.</summary>
internal static partial class Words
{
    /// <summary>Runs of letters and runs of digits in lower case.</summary>
    public static string[] Of(string text) => [.. Runs().Matches(text.ToLowerInvariant()).Select(match => match.Value)];

    [GeneratedRegex(@"\p{L}+|\d+", RegexOptions.CultureInvariant)]
    private static partial Regex Runs();
}
