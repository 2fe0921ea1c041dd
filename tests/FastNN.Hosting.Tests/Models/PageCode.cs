using System.Runtime.CompilerServices;
using System.Text.RegularExpressions;

namespace FastNN.Hosting.Tests.Models;

/// <summary>Code of the documentation's pages, which stands in tests as it stands there.</summary>
internal static partial class PageCode
{
    /// <summary>Blocks of C# of a page in docs/ that a test's source does not have.</summary>
    /// <param name="page">The page's file.</param>
    /// <param name="count">How many blocks it has, so that a page that moved is seen.</param>
    /// <param name="source">The test's source.</param>
    public static IReadOnlyList<string> Missing(string page, int count, [CallerFilePath] string source = "")
    {
        string[] blocks = [.. Block().Matches(Text(page)).Select(match => Squeeze(match.Groups[1].Value))];
        Assert.That(blocks, Has.Length.EqualTo(count));
        string code = Squeeze(File.ReadAllText(source));
        return [.. blocks.Where(block => !code.Contains(block, StringComparison.Ordinal))];
    }

    /// <summary>A page in docs/.</summary>
    public static string Text(string page) =>
        File.ReadAllText(Path.Combine(Path.GetDirectoryName(Here())!, "..", "..", "..", "docs", page)).ReplaceLineEndings("\n");

    private static string Squeeze(string text) => Blank().Replace(text, " ").Trim();

    private static string Here([CallerFilePath] string file = "") => file;

    [GeneratedRegex("```csharp\n(.*?)```", RegexOptions.Singleline)]
    private static partial Regex Block();

    [GeneratedRegex(@"\s+")]
    private static partial Regex Blank();
}
