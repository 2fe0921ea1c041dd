using FastNN.Data;

namespace FastNN.Tests.Data;

public sealed class DebianDataTests : FolderFixture
{
    [Test]
    public void Stanzas_have_fields_over_several_lines()
    {
        Dictionary<string, string>[] stanzas = Stanzas("\nPackage: a\nDescription: one\n two\n .\n  three\n\n \nPackage:b\n");
        Assert.That(stanzas, Has.Length.EqualTo(2));
        Assert.That(stanzas[0]["description"], Is.EqualTo("one\n two\n .\n  three"));
        Assert.That(stanzas[1]["Package"], Is.EqualTo("b"));
        Assert.That(Stanzas(""), Is.Empty);
        foreach ((string text, int line) in (IEnumerable<(string, int)>)[
            (" x\n", 1), ("a: b\nc\n", 2), (":x\n", 1), ("a: b\nA: c\n", 2), ("a: b\n\n c\n", 3)])
        {
            Assert.That(() => Stanzas(text), Throws.TypeOf<FileFormatException>().With.Property("Line").EqualTo(line), text);
        }

        Assert.That(() => Stanzas("a: " + new string('x', 2 << 20)), Throws.TypeOf<FileFormatException>());
    }

    [Test]
    public void Paragraphs_are_joined_lines()
    {
        Assert.That(
            ControlFile.Paragraphs("Title\n One\n two.\n .\n List:\n  * a\n  * b\n .\n ."),
            Is.EqualTo(new[] { "Title", "One two.", "List:\n* a\n* b" }));
        Assert.That(ControlFile.Paragraphs("Title"), Is.EqualTo(new[] { "Title" }));
    }

    [Test]
    public void Relations_are_names_with_alternatives()
    {
        Assert.That(
            ControlFile.Names("a (>= 1:2), b:any | c [amd64], , d<x>, e"), Is.EqualTo(new[] { "a", "b", "c", "d", "e" }));
        Assert.That(ControlFile.Names(""), Is.Empty);
    }

    [Test]
    public void Lists_become_descriptions_translations_and_a_graph()
    {
        string lists = Directory.CreateDirectory(Path.Combine(Folder, "lists")).FullName;
        Write("lists/x_debian-security_dists_bookworm-security_main_binary-amd64_Packages", "Package: other\n");
        Write(
            "lists/y_dists_bookworm_main_binary-amd64_Packages",
            "Package: b\nSource: bee (2.1)\nSection: games\nDepends: a (>= 1) | b, virtual, c\nPre-Depends: a\nDescription-md5: 1\n\n"
            + "Package: a\nSection: libs\nDescription: short\n\nPackage: a\nSection: again\n\nPackage: c\nDescription-md5: 2\n");
        Write(
            "lists/y_dists_bookworm_main_i18n_Translation-en",
            "Package: b\nDescription-md5: 1\nDescription-en: Game\n Fun to\n play.\n .\n Same.\n\n"
            + "Package: c\nDescription-md5: 2\nDescription-en: C\n One.\n");
        Write(
            "lists/y_dists_bookworm_main_i18n_Translation-de",
            "Package: b\nDescription-md5: 1\nDescription-de: Spiel\n Macht Spaß.\n .\n Same.\n\n"
            + "Package: c\nDescription-md5: 2\nDescription-de: C auf deutsch\n Eins.\n .\n Zwei.\n\n"
            + "Package: gone\nDescription-md5: 3\nDescription-de: Weg\n");
        Assert.That(
            () => DebianPackages.Fetched.Convert(lists, Folder),
            Throws.InstanceOf<IOException>().With.Message.Contains("descriptions in it"));
        Write(
            "lists/y_dists_bookworm_main_i18n_Translation-it",
            "Package: b\nDescription-md5: 1\nDescription-it: Gioco\n Diverte.\n .\n Uguale.\n");
        DebianPackages.Fetched.Convert(lists, Folder);

        IReadOnlyList<PackageDescription> packages = DebianDescriptions.Load(Folder);
        Assert.That(packages.Select(one => (one.Name, one.Source, one.Section, one.Summary, one.Text)), Is.EqualTo(new[]
        {
            ("a", "a", "libs", "short", ""), ("b", "bee", "games", "Game", "Fun to play.\n\nSame."),
            ("c", "c", "unknown", "C", "One."),
        }));
        Assert.That(
            DebianDescriptions.LoadTranslations("de", Folder).Select(pair => (pair.English, pair.Translation)),
            Is.EqualTo(new[] { ("Game", "Spiel"), ("Fun to play.", "Macht Spaß.") }));
        Assert.That(DebianDescriptions.LoadTranslations("it", Folder), Has.Count.EqualTo(3));
        Assert.That(
            () => DebianDescriptions.LoadTranslations("xx", Folder), Throws.ArgumentException.With.Message.Contains("de, it"));

        PackageGraph graph = DebianGraph.Load(Folder);
        Assert.That(graph.Sources.Zip(graph.Targets), Is.EqualTo(new[] { (1, 0), (1, 2) }));
        Assert.That(graph.ClassNames, Is.EqualTo(new[] { "games", "libs", "unknown" }));
        Assert.That(graph.Labels, Is.EqualTo(new[] { 1, 0, 2 }));

        File.Delete(Path.Combine(lists, "y_dists_bookworm_main_binary-amd64_Packages"));
        Assert.That(
            () => DebianPackages.Fetched.Convert(lists, Folder),
            Throws.InstanceOf<IOException>().With.Message.Contains("list of packages"));
    }

    [Test]
    public void A_graph_has_every_node_once_and_no_loose_edge()
    {
        const string a = """{"name":"a","source":"a","section":"s","summary":"","text":"","depends":"b"}""";
        Write("packages.jsonl", a);
        Assert.That(() => DebianGraph.Load(Folder), Throws.TypeOf<FileFormatException>().With.Message.Contains("'b'"));
        Write("packages.jsonl", $"{a}\n{a}");
        Assert.That(() => DebianGraph.Load(Folder), Throws.TypeOf<FileFormatException>().With.Message.Contains("twice"));
        Write("packages.jsonl", a.Replace("\"s\"", "\"\""));
        Assert.That(
            () => DebianGraph.Load(Folder), Throws.TypeOf<FileFormatException>().With.Property("Line").EqualTo(1));
    }

    private static Dictionary<string, string>[] Stanzas(string text) => [.. ControlFile.Read(new StringReader(text), "x")];

    private void Write(string name, string content) => File.WriteAllText(Path.Combine(Folder, name), content);
}
