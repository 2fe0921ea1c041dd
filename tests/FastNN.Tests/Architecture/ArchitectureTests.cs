using ArchUnitNET.Domain;
using ArchUnitNET.Loader;
using ArchUnitNET.NUnit;
using static ArchUnitNET.Fluent.ArchRuleDefinition;

namespace FastNN.Tests.Architecture;

/// <summary>
/// Who may know whom, from the ground up: Tensors and Functions, then Kernels, then Cpu and Cuda beside Ops; Graphs on Ops; Layers, Losses and Optimizers on
/// Graphs; Training on all of them.
/// </summary>
internal sealed class ArchitectureTests
{
    private static readonly ArchUnitNET.Domain.Architecture Library = new ArchLoader().LoadAssembly(typeof(Device).Assembly).Build();

    /// <summary>Each room and the rooms of the library that it may use.</summary>
    private static readonly Dictionary<string, string[]> MayUse = new()
    {
        ["Tensors"] = [],
        ["Functions"] = [],
        ["Kernels"] = ["Tensors"],
        ["Cpu"] = ["Tensors", "Functions", "Kernels"],
        ["Cuda"] = ["Tensors", "Kernels"],
        ["Ops"] = ["Tensors", "Kernels"],
        ["Graphs"] = ["Tensors", "Kernels", "Ops"],
        ["Layers"] = ["Tensors", "Kernels", "Ops", "Graphs"],
        ["Losses"] = ["Tensors", "Kernels", "Ops", "Graphs"],
        ["Optimizers"] = ["Tensors", "Kernels", "Graphs"],
        ["Formats"] = ["Tensors"],
        ["Metrics"] = ["Tensors"],
        ["Data"] = ["Tensors", "Formats"],
        ["Training"] = ["Tensors", "Kernels", "Ops", "Graphs", "Layers", "Losses", "Optimizers", "Formats", "Metrics", "Data", ""],
        // Device, the way in for users, stands outside all rooms and opens the devices.
        [""] = ["Tensors", "Kernels", "Cpu", "Cuda"],
    };

    private static IEnumerable<string> Rooms => MayUse.Keys;

    private static IEnumerable<TestCaseData> Forbidden =>
        from room in MayUse
        from other in MayUse.Keys
        where other != room.Key && !room.Value.Contains(other)
        select new TestCaseData(room.Key, other);

    [Test]
    public void Every_type_lives_in_a_room_with_a_rule()
    {
        string[] strangers = [.. Library.Types.Select(Room).Where(room => room is not null && !MayUse.ContainsKey(room)).Distinct()!];
        Assert.That(strangers, Is.Empty, "rooms that no rule names");
    }

    [TestCaseSource(nameof(Rooms))]
    public void A_room_has_types(string room) => Assert.That(Library.Types.Select(Room), Does.Contain(room));

    [TestCaseSource(nameof(Forbidden))]
    public void A_room_does_not_know(string room, string other) =>
        Types().That().ResideInNamespaceMatching(Pattern(room)).Should().NotDependOnAny(Types().That().ResideInNamespaceMatching(Pattern(other)))
            .WithoutRequiringPositiveResults().Check(Library);

    [Test]
    public void A_forbidden_dependency_would_be_seen()
    {
        // Ops use Kernels, so the opposite claim must fail.
        var rule = Types().That().ResideInNamespaceMatching(Pattern("Ops")).Should().NotDependOnAny(Types().That().ResideInNamespaceMatching(Pattern("Kernels")));
        Assert.That(rule.HasNoViolations(Library), Is.False);
    }

    /// <summary>Bindings stand under ManagedCuda's names, and are Cuda's all the same.</summary>
    private static string Pattern(string room) => room switch
    {
        "" => @"^FastNN$",
        "Cuda" => @"^(FastNN\.Cuda|ManagedCuda)(\..*)?$",
        _ => $@"^FastNN\.{room}(\..*)?$",
    };

    /// <summary>The room of a type of the library; null for what the compiler puts outside all namespaces.</summary>
    private static string? Room(IType type)
    {
        string name = type.Namespace.FullName;
        return name == "FastNN" ? "" : name.StartsWith("FastNN.", StringComparison.Ordinal) ? name.Split('.')[1] : null;
    }
}
