using System.Runtime.CompilerServices;
using System.Text.RegularExpressions;

namespace FastNN.Tests.Architecture;

/// <summary>
/// Source is read beside other source: no line is longer than 130 columns, but for those that are one string, which users see as
/// it is, and in files that a tool writes.
/// </summary>
internal sealed partial class LineTests
{
    private const int Longest = 130;

    private static string Root([CallerFilePath] string file = "") =>
        Path.GetFullPath(Path.Combine(Path.GetDirectoryName(file)!, "..", "..", ".."));

    [Test]
    public void No_line_of_source_is_longer_than_130_columns()
    {
        string[] files = [.. new[] { "src", "tests", "tools", "bench" }
            .SelectMany(folder => Directory.EnumerateFiles(Path.Combine(Root(), folder), "*.cs", SearchOption.AllDirectories))
            .Where(file => !Path.GetRelativePath(Root(), file).Split(Path.DirectorySeparatorChar)
                .Any(part => part is "bin" or "obj"))];
        Assert.That(files, Has.Length.GreaterThan(500));
        IEnumerable<string> longer = files.SelectMany(file => File.ReadLines(file)
            .TakeWhile((line, i) => i > 0 || !line.StartsWith("// Written by tools/", StringComparison.Ordinal))
            .Select((line, i) => (Line: line, Place: $"{Path.GetRelativePath(Root(), file)}:{i + 1}"))
            .Where(line => line.Line.Length > Longest && !OneString().IsMatch(line.Line))
            .Select(line => line.Place));
        Assert.That(longer, Is.Empty, "break these lines");
    }

    [TestCase("""        throw new ArgumentException("expected", nameof(x));""", false)]
    [TestCase("""            $"{name}: expected a number" +""", true)]
    [TestCase("""            : "expected a number", nameof(x));""", true)]
    public void A_line_that_is_one_string_is_told_from_others(string line, bool expected) =>
        Assert.That(OneString().IsMatch(line), Is.EqualTo(expected));

    /// <summary>A string behind at most one word or operator, and what closes the call around it.</summary>
    [GeneratedRegex(@"^\s*(?:\S+\s+){0,2}[$@]*"".*""[^""]{0,40}$")]
    private static partial Regex OneString();
}
