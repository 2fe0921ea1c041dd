using System.Reflection;
using System.Runtime.CompilerServices;
using System.Text.RegularExpressions;
using FastNN.Functions;
using FastNN.Ops;

namespace FastNN.Tests.Architecture;

/// <summary>The pages under docs name files, folders and members that exist.</summary>
internal sealed partial class DocumentationTests
{
    private static readonly Lazy<string[]> Sources = new(() => [.. ReadSources()]);

    private static string Root => Path.GetFullPath(Path.Combine(Path.GetDirectoryName(ThisFile())!, "..", "..", ".."));

    private static IEnumerable<string> Pages => Directory.GetFiles(Path.Combine(Root, "docs"), "*.md")
        .Concat(Directory.GetFiles(Path.Combine(Root, "docs", "guides"), "*.md"))
        .Concat(
            [
                Path.Combine(Root, "README.md"), Path.Combine(Root, "kernels", "README.md"),
                Path.Combine(Root, "native", "README.md"), Path.Combine(Root, "samples", "README.md"),
                Path.Combine(Root, "CONTRIBUTING.md"), Path.Combine(Root, "CHANGELOG.md")])
        .Concat(Directory.GetDirectories(Path.Combine(Root, "src")).Select(package => Path.Combine(package, "README.md")))
        .Select(page => Path.GetRelativePath(Root, page));

    [TestCaseSource(nameof(Pages))]
    public void Files_and_folders_that_a_page_names_exist(string page)
    {
        string[] names = [
            .. NamedPath().Matches(File.ReadAllText(Path.Combine(Root, page))).Select(match => match.Groups[1].Value).Distinct()];
        string[] roots = [
            Root, Path.Combine(Root, "src", "FastNN"), Path.Combine(Root, "tests", "FastNN.Cases"),
            Path.Combine(Root, "tests", "FastNN.Cuda.Tests")];
        string[] missing = [
            .. names.Where(name => !IsExample(name) && !roots.Any(root => Path.Exists(Path.Combine(root, name))))];
        Assert.That(missing, Is.Empty);
    }

    [TestCaseSource(nameof(Pages))]
    public void Links_of_a_page_lead_to_files(string page)
    {
        string folder = Path.GetDirectoryName(Path.Combine(Root, page))!;
        IEnumerable<string> targets = Link().Matches(File.ReadAllText(Path.Combine(Root, page)))
            .Select(match => match.Groups[1].Value);
        Assert.That(targets.Where(target => !Path.Exists(Path.Combine(folder, target))), Is.Empty);
    }

    [TestCaseSource(nameof(Pages))]
    public void Code_that_a_page_shows_stands_in_sources_that_are_compiled(string page)
    {
        IEnumerable<string> blocks = CodeBlock().Matches(File.ReadAllText(Path.Combine(Root, page)).ReplaceLineEndings("\n"))
            .Select(match => match.Groups[1].Value);
        Assert.That(blocks.Where(block => !IsCompiled(block) && !IsCompiled(LeadingUsings().Replace(block, ""))), Is.Empty);
    }

    [Test]
    public void Every_dataset_has_a_row_in_the_page_of_datasets()
    {
        string page = Page("datasets.md");
        Assert.That(
            FastNN.Data.DatasetCache.Names.Where(name => !page.Contains($"\n| `{name}` |", StringComparison.Ordinal)), Is.Empty);
    }

    [Test]
    public void The_members_of_an_operator_that_the_page_explains_are_those_that_it_has()
    {
        string table = Page("adding-an-operator.md").Split("| member | what it says |")[1].Split("\n\n")[0];
        string[] explained = [.. table.Split('\n').Where(line => line.StartsWith("| `", StringComparison.Ordinal))
            .SelectMany(line => Member().Matches(line.Split('|')[1])).Select(match => match.Groups[1].Value)];
        IEnumerable<string> virtuals = typeof(Operator).GetMethods(
            BindingFlags.Public | BindingFlags.Instance | BindingFlags.DeclaredOnly)
            .Where(method => method.IsVirtual && !method.IsSpecialName).Select(method => method.Name)
            .Concat(
                typeof(Operator).GetProperties(BindingFlags.Public | BindingFlags.Instance | BindingFlags.DeclaredOnly).Select(
                    property => property.Name))
            .Except(["ToString", "Equals", "GetHashCode", "Name", "Forward", "Backward", "<Clone>$"]);
        Assert.That(explained, Is.EquivalentTo(virtuals));
    }

    [Test]
    public void Every_layer_and_every_function_of_one_number_has_a_line_in_the_page_of_examples()
    {
        string page = Page("using-fastnn.md");
        IEnumerable<string> layers = typeof(Layer).Assembly.ExportedTypes
            .Where(type => type.IsSubclassOf(typeof(Layer)) && !type.IsAbstract).Select(type => $"new {type.Name}");

        // Symbols and values have operators for these.
        IEnumerable<string> calls = layers.Except(["new Add", "new Multiply"]).Concat(
            FunctionTable.Unary.Select(function => $".{function.Info.Name}").Except([".Negate"]));
        Assert.That(calls.Where(call => !Regex.IsMatch(page, $@"{Regex.Escape(call)}\b")), Is.Empty);
    }

    /// <summary>Whole lines of one file, indented or not.</summary>
    private static bool IsCompiled(string block)
    {
        foreach (string indentation in (string[])["", "    ", "        ", "            "])
        {
            string lines = string.Join('\n', block.Split('\n').Select(line => line.Length == 0 ? "" : indentation + line));
            if (Sources.Value.Any(source => source.Contains($"\n{lines}\n", StringComparison.Ordinal)))
            {
                return true;
            }
        }

        return false;
    }

    private static IEnumerable<string> ReadSources() =>
        from folder in new[] { "src", "tests", "bench", "samples" }
        from file in Directory.EnumerateFiles(Path.Combine(Root, folder), "*.c*", SearchOption.AllDirectories)
        where Path.GetExtension(file) is ".cs" or ".cu"
            && !Path.GetRelativePath(Root, file).Split('/', '\\').Any(part => part is "obj" or "bin")
        select $"\n{File.ReadAllText(file).ReplaceLineEndings("\n")}\n";

    /// <summary>What the pages make up to explain: the operator Clip and the letter X for any.</summary>
    private static bool IsExample(string name) =>
        Path.GetFileNameWithoutExtension(name) is "Clip" or "clip" or "X" or "x" or "XReference" or "XCases" or "XTests";

    private static string Page(string name) => File.ReadAllText(Path.Combine(Root, "docs", name)).ReplaceLineEndings("\n");

    private static string ThisFile([CallerFilePath] string file = "") => file;

    [GeneratedRegex(
        @"`((?:src|tests|tools|bench|native|kernels|docs|data|samples|Tensors|Functions|Kernels|Cpu|Cuda|Ops|Graphs|Layers|Losses|Schedules|Optimizers|Metrics|Inference|Training|Explain|Formats|Data|Golden)/[\w./-]*)`")]
    private static partial Regex NamedPath();

    [GeneratedRegex("```(?:csharp|cuda)\n(.*?)\n```", RegexOptions.Singleline)]
    private static partial Regex CodeBlock();

    [GeneratedRegex(@"\A(using [\w.]+;\n)+\n")]
    private static partial Regex LeadingUsings();

    [GeneratedRegex(@"\]\(([\w./-]+)(?:#[\w-]*)?\)")]
    private static partial Regex Link();

    [GeneratedRegex(@"`(\w+)")]
    private static partial Regex Member();
}
