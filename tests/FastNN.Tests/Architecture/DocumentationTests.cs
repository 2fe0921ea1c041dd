using System.Reflection;
using System.Runtime.CompilerServices;
using System.Text.RegularExpressions;
using FastNN.Ops;

namespace FastNN.Tests.Architecture;

/// <summary>The pages under docs speak of files, folders and members that there are.</summary>
internal sealed partial class DocumentationTests
{
    private static string Root => Path.GetFullPath(Path.Combine(Path.GetDirectoryName(ThisFile())!, "..", "..", ".."));

    private static IEnumerable<string> Pages => Directory.GetFiles(Path.Combine(Root, "docs"), "*.md").Append(Path.Combine(Root, "README.md"))
        .Select(page => Path.GetRelativePath(Root, page));

    [TestCaseSource(nameof(Pages))]
    public void Files_and_folders_that_a_page_names_exist(string page)
    {
        string[] names = [.. NamedPath().Matches(File.ReadAllText(Path.Combine(Root, page))).Select(match => match.Groups[1].Value).Distinct()];
        string[] roots = [Root, Path.Combine(Root, "src", "FastNN"), Path.Combine(Root, "tests", "FastNN.Cases"), Path.Combine(Root, "tests", "FastNN.Cuda.Tests")];
        string[] missing = [.. names.Where(name => !IsExample(name) && !roots.Any(root => Path.Exists(Path.Combine(root, name))))];
        Assert.That(missing, Is.Empty);
    }

    [TestCaseSource(nameof(Pages))]
    public void Links_of_a_page_lead_to_files(string page)
    {
        string folder = Path.GetDirectoryName(Path.Combine(Root, page))!;
        IEnumerable<string> targets = Link().Matches(File.ReadAllText(Path.Combine(Root, page))).Select(match => match.Groups[1].Value);
        Assert.That(targets.Where(target => !Path.Exists(Path.Combine(folder, target))), Is.Empty);
    }

    [Test]
    public void The_members_of_an_operator_that_the_page_explains_are_those_that_it_has()
    {
        string table = Page("adding-an-operator.md").Split("| member | what it says |")[1].Split("\n\n")[0];
        string[] explained = [.. table.Split('\n').Where(line => line.StartsWith("| `", StringComparison.Ordinal))
            .SelectMany(line => Member().Matches(line.Split('|')[1])).Select(match => match.Groups[1].Value)];
        IEnumerable<string> virtuals = typeof(Operator).GetMethods(BindingFlags.Public | BindingFlags.Instance | BindingFlags.DeclaredOnly)
            .Where(method => method.IsVirtual && !method.IsSpecialName).Select(method => method.Name)
            .Concat(typeof(Operator).GetProperties(BindingFlags.Public | BindingFlags.Instance | BindingFlags.DeclaredOnly).Select(property => property.Name))
            .Except(["ToString", "Equals", "GetHashCode", "Name", "Forward", "Backward", "<Clone>$"]);
        Assert.That(explained, Is.EquivalentTo(virtuals));
    }

    [Test]
    public void The_operator_of_a_user_that_the_page_shows_is_the_one_that_is_tested()
    {
        string source = File.ReadAllText(Path.Combine(Root, "tests", "FastNN.Cases", "Ops", nameof(ScaledSoftsign) + ".cs")).ReplaceLineEndings("\n");
        int first = source.IndexOf("    public override TensorType[] Infer", StringComparison.Ordinal);
        int last = source.IndexOf("    private sealed class Kernels", StringComparison.Ordinal);
        Assert.That(Page("adding-an-operator.md"), Does.Contain(source[first..last].TrimEnd()));
    }

    /// <summary>What the pages make up to explain: the operator Clamp and the letter X for any.</summary>
    private static bool IsExample(string name) =>
        Path.GetFileNameWithoutExtension(name) is "Clamp" or "clamp" or "X" or "x" or "XReference" or "XCases" or "XTests";

    private static string Page(string name) => File.ReadAllText(Path.Combine(Root, "docs", name)).ReplaceLineEndings("\n");

    private static string ThisFile([CallerFilePath] string file = "") => file;

    [GeneratedRegex(@"`((?:src|tests|tools|bench|native|kernels|docs|data|Tensors|Functions|Kernels|Cpu|Cuda|Ops|Graphs|Layers|Losses|Schedules|Optimizers|Metrics|Inference|Training|Formats|Data|Golden)/[\w./-]*)`")]
    private static partial Regex NamedPath();

    [GeneratedRegex(@"\]\(([\w./-]+)(?:#[\w-]*)?\)")]
    private static partial Regex Link();

    [GeneratedRegex(@"`(\w+)")]
    private static partial Regex Member();
}
