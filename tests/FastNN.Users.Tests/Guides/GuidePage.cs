using System.Runtime.CompilerServices;

namespace FastNN.Users.Tests.Guides;

/// <summary>A page under docs/guides. What a page says that a program prints is held against what it prints.</summary>
internal static class GuidePage
{
    /// <summary>Asserts that a page shows a text as whole lines.</summary>
    /// <param name="page">The file's name.</param>
    /// <param name="output">What was printed; ends of lines and empty lines around it do not count.</param>
    public static void AssertShows(string page, string output, [CallerFilePath] string file = "")
    {
        string folder = Path.Combine(Path.GetDirectoryName(file)!, "..", "..", "..", "docs", "guides");
        string text = $"\n{File.ReadAllText(Path.Combine(folder, page)).ReplaceLineEndings("\n")}\n";
        Assert.That(text, Does.Contain($"\n{output.ReplaceLineEndings("\n").Trim('\n')}\n"), page);
    }
}
