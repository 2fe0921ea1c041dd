using System.Reflection;
using System.Runtime.CompilerServices;
using System.Text.RegularExpressions;
using ArchUnitNET.Domain;
using ArchUnitNET.Loader;
using ArchUnitNET.NUnit;
using static ArchUnitNET.Fluent.ArchRuleDefinition;

namespace FastNN.Tests.Architecture;

/// <summary>
/// Who may know whom, from the ground up: Tensors and Functions, then Kernels, then Cpu and Cuda beside Ops; Graphs on Ops;
/// Layers, Losses and Optimizers on Graphs; Training on all of them, and
/// Explain on Training and Inference. Within a device each facet knows the core alone.
/// </summary>
internal sealed class ArchitectureTests
{
    private static readonly ArchUnitNET.Domain.Architecture Library =
        new ArchLoader().LoadAssembly(typeof(Device).Assembly).Build();

    private static readonly Regex NamespaceDeclaration = new(@"^namespace ([\w.]+)", RegexOptions.Multiline);

    // Types outside other types stand at the beginning of a line.
    private static readonly Regex TypeDeclaration = new(
        @"^(?:public|internal)\b[^\n({=;]*?\b(?:class|struct|interface|enum|record struct|record class|record|delegate\s+[\w<>?.]+)\s+(\w+)", RegexOptions.Multiline);

    private static readonly Dictionary<string, string> Folders = FindFolders();

    /// <summary>Each room and the rooms of the library that it may use.</summary>
    private static readonly Dictionary<string, string[]> MayUse = new()
    {
        ["Tensors"] = [],
        ["Functions"] = [],
        ["Kernels"] = ["Tensors", "Functions"],
        ["Cpu"] = ["Tensors", "Functions", "Kernels"],
        ["Cuda"] = ["Tensors", "Functions", "Kernels"],
        ["Ops"] = ["Tensors", "Functions", "Kernels"],
        ["Graphs"] = ["Tensors", "Functions", "Kernels", "Ops"],
        ["Layers"] = ["Tensors", "Functions", "Kernels", "Ops", "Graphs", "Formats"],
        ["Losses"] = ["Tensors", "Functions", "Kernels", "Ops", "Graphs"],
        ["Schedules"] = [],
        ["Optimizers"] = ["Schedules", "Tensors", "Functions", "Kernels", "Graphs"],
        ["Formats"] = ["Tensors"],
        ["Metrics"] = ["Tensors", "Kernels", "Ops", "Graphs"],
        ["Data"] = ["Tensors", "Formats"],
        ["Inference"] = ["Tensors", "Functions", "Kernels", "Graphs", "Layers", ""],
        ["Training"] =
        [
            "Tensors", "Functions", "Kernels", "Ops", "Graphs", "Layers", "Losses", "Schedules", "Optimizers", "Formats",
            "Metrics", "Data", "Inference",
            "",
        ],
        ["Explain"] =
        [
            "Tensors", "Functions", "Kernels", "Ops", "Graphs", "Layers", "Losses", "Data", "Inference", "Training", "",
        ],
        // Device, the way in for users, stands outside all rooms and opens the devices.
        [""] = ["Tensors", "Functions", "Kernels", "Cpu", "Cuda"],
    };

    /// <summary>Rooms that are divided into facets, and the part that all of their facets may use.</summary>
    private static readonly (string Room, string Shared)[] Divided = [
        ("Kernels", "Kernels"), ("Cpu", "Cpu/Core"), ("Cuda", "Cuda/Core")];

    private static IEnumerable<string> Rooms => MayUse.Keys;

    private static IEnumerable<string> Facets => Parts.Except(Divided.Select(room => room.Shared));

    /// <summary>The folders that a divided room has at its first level, itself among them for what lies in none.</summary>
    private static IEnumerable<string> Parts =>
        Divided.SelectMany(room => Folders.Values.Where(folder => RoomOf(folder) == room.Room).Select(PartOf)).Distinct();

    private static IEnumerable<TestCaseData> ForbiddenParts =>
        from part in Parts
        where part.Contains('/', StringComparison.Ordinal)
        from other in Facets
        where other != part && RoomOf(other) == RoomOf(part) && (part, other) is not ("Cuda/Core", "Cuda/Bindings")
        select new TestCaseData(part, other);

    private static IEnumerable<TestCaseData> Forbidden =>
        from room in MayUse
        from other in MayUse.Keys
        where other != room.Key && !room.Value.Contains(other)
        select new TestCaseData(room.Key, other);

    [Test]
    public void The_core_knows_no_datasets_and_depends_on_one_package() => Assert.That(
        typeof(Device).Assembly.GetReferencedAssemblies().Select(assembly => assembly.Name)
            .Where(name => name is not null && !name.StartsWith("System.", StringComparison.Ordinal)),
        Is.Empty);

    [Test]
    public void Every_type_lives_in_a_room_with_a_rule()
    {
        string[] unassigned = [
            .. Library.Types.Select(Room).Where(room => room is not null && !MayUse.ContainsKey(room)).Distinct()!];
        Assert.That(unassigned, Is.Empty, "rooms that no rule names");
    }

    [TestCaseSource(nameof(Rooms))]
    public void A_room_has_types(string room) => Assert.That(Library.Types.Select(Room), Does.Contain(room));

    [TestCaseSource(nameof(Forbidden))]
    public void A_room_does_not_know(string room, string other) =>
        Types().That().Are(TypesOf(room)).Should().NotDependOnAny(TypesOf(other)).WithoutRequiringPositiveResults()
            .Check(Library);

    [TestCaseSource(nameof(ForbiddenParts))]
    public void A_facet_does_not_know(string part, string other) =>
        Types().That().Are(TypesIn(part)).Should().NotDependOnAny(TypesIn(other)).WithoutRequiringPositiveResults()
            .Check(Library);

    [Test]
    public void Every_facet_is_on_both_devices() => Assert.Multiple(() =>
    {
        string[] facets = [
            .. Parts.Where(part => part.StartsWith("Kernels/", StringComparison.Ordinal)).Select(
                part => part["Kernels/".Length..])];
        Assert.That(facets, Has.Length.GreaterThan(7));
        foreach (string facet in facets.Except(["Memory"]))
        {
            Assert.That(Parts, Does.Contain($"Cpu/{facet}").And.Contain($"Cuda/{facet}"));
            Assert.That(
                Folders.Keys,
                Does.Contain($"FastNN.Cpu.Cpu{facet}").And.Contain($"FastNN.Cuda.Cuda{facet}").And.Contain(
                    $"FastNN.Kernels.I{facet}"));
        }
    });

    [Test]
    public void A_forbidden_dependency_would_be_seen()
    {
        // Ops use Kernels and facets their core, so the opposite claims must fail.
        var rooms = Types().That().Are(TypesOf("Ops")).Should().NotDependOnAny(TypesOf("Kernels"));
        var parts = Types().That().Are(TypesIn("Cpu/Windows")).Should().NotDependOnAny(TypesIn("Cpu/Core"));
        Assert.That((rooms.HasNoViolations(Library), parts.HasNoViolations(Library)), Is.EqualTo((false, false)));
    }

    private static IType[] TypesOf(string room) => [.. Library.Types.Where(type => Room(type) == room)];

    private static IType[] TypesIn(string part) =>
        [.. Library.Types.Where(type => Folder(type) is { } folder && PartOf(folder) == part)];

    private static string? Room(IType type) => Folder(type) is { } folder ? RoomOf(folder) : null;

    private static string RoomOf(string folder) => folder.Split('/')[0];

    private static string PartOf(string folder) => string.Join('/', folder.Split('/').Take(2));

    /// <summary>One that gets another number of them is never run, and the runner does not say so.</summary>
    [Test]
    public void A_generic_fixture_gets_as_many_types_as_it_takes()
    {
        System.Type[] fixtures = [.. typeof(ArchitectureTests).Assembly.GetTypes().Where(type => type.IsGenericTypeDefinition
            && type.IsDefined(typeof(TestFixtureAttribute), inherit: false))];
        Assert.That(fixtures, Is.Not.Empty);
        foreach (System.Type fixture in fixtures)
        {
            int types = fixture.GetGenericArguments().Length;
            int values = fixture.GetConstructors().Max(constructor => constructor.GetParameters().Length);
            foreach (var attribute in fixture.GetCustomAttributes<TestFixtureAttribute>(inherit: false))
            {
                Assert.That(attribute.Arguments.Length + attribute.TypeArgs.Length, Is.EqualTo(types + values), fixture.Name);
            }
        }
    }

    /// <summary>
    /// Where a type of the library lives: the folder of the source file that declares it, as users' types of all rooms share one
    /// namespace. Null for what the compiler puts outside all namespaces.
    /// </summary>
    private static string? Folder(IType type)
    {
        string space = type.Namespace.FullName;
        if (space.Length == 0)
        {
            return null;
        }

        // A nested type lives where its outermost type is declared; generic types carry their arity behind a backtick.
        string name = type.FullName[(space.Length + 1)..].Split('+', '/')[0].Split('`')[0];
        return Folders.TryGetValue($"{space}.{name}", out string? folder)
            ? folder
            : name.StartsWith('<')
            ? null
            : $"no source file declares {type.FullName}";
    }

    private static Dictionary<string, string> FindFolders([CallerFilePath] string file = "")
    {
        string source = Path.GetFullPath(Path.Combine(Path.GetDirectoryName(file)!, "..", "..", "..", "src", "FastNN"));
        var folders = new Dictionary<string, string>();
        foreach (string path in Directory.EnumerateFiles(source, "*.cs", SearchOption.AllDirectories))
        {
            string[] parts = Path.GetRelativePath(source, path).Split(Path.DirectorySeparatorChar);
            if (parts[0] is "bin" or "obj")
            {
                continue;
            }

            string text = File.ReadAllText(path);
            string space = NamespaceDeclaration.Match(text).Groups[1].Value;
            foreach (Match match in TypeDeclaration.Matches(text))
            {
                folders[$"{space}.{match.Groups[1].Value}"] = string.Join('/', parts[..^1]);
            }
        }

        return folders;
    }
}
