using System.Runtime.CompilerServices;

namespace FastNN.Tests.Architecture;

/// <summary>
/// One family, one row of files, named alike in every room and, where a room is divided, in the folder of the same facet:
/// Kernels/F/X.cs, Cpu/F/X.cs, Cuda/F/X.cs, kernels/x.cu, Ops/X.cs, and of the tests FastNN.Cases/Ops/XCases.cs and
/// FastNN.Tests/Ops/XTests.cs. A gap fails, so that no device lacks an operator in silence and no operator its tests.
/// </summary>
internal sealed class RowTests
{
    /// <summary>Families that are no operators of a graph, and where their tests are.</summary>
    private static readonly Dictionary<string, string> NoOperators = new()
    {
        ["Optimizer"] = "Optimizers/OptimizerTests.cs",
        ["Guard"] = "Cpu/GuardKernelTests.cs",
        ["Moments"] = "Metrics/MetricTests.cs",
    };

    /// <summary>Operators without a kernel of their own: views, and what other operators' kernels compute.</summary>
    private static readonly string[] Composed = ["ConvTranspose", "Expand", "Flip", "Reshape"];

    private static string Source => Path.Combine(Root(), "src", "FastNN");

    private static string Tests => Path.Combine(Root(), "tests", "FastNN.Tests");

    /// <summary>
    /// The files that hold a part of their facet's interface. Memory is the business of the devices' cores and no family.
    /// </summary>
    private static IEnumerable<TestCaseData> Families =>
        from folder in Directory.GetDirectories(Path.Combine(Source, "Kernels")).Order(StringComparer.Ordinal)
        let facet = Path.GetFileName(folder)
        from file in Directory.GetFiles(folder, "*.cs").Order(StringComparer.Ordinal)
        let family = Path.GetFileNameWithoutExtension(file)
        where family != $"I{facet}" && File.ReadAllText(file).Contains($"partial interface I{facet}", StringComparison.Ordinal)
        select new TestCaseData(facet, family);

    private static IEnumerable<string> Operators => Directory.GetFiles(Path.Combine(Source, "Ops"), "*.cs")
        .Select(file => Path.GetFileNameWithoutExtension(file))
        .Where(name => name != "Operator")
        .Order(StringComparer.Ordinal);

    [Test]
    public void The_families_are_found() => Assert.That(Families.Count(), Is.GreaterThan(10));

    [TestCaseSource(nameof(Families))]
    public void A_family_has_its_row(string facet, string family)
    {
        Require(Source, "Cpu", facet, family + ".cs");
        Require(Source, "Cuda", facet, family + ".cs");
        Require(Root(), "kernels", family.ToLowerInvariant() + ".cu");
        if (NoOperators.TryGetValue(family, out string? tests))
        {
            Require(Tests, tests);
            return;
        }

        Require(Source, "Ops", family + ".cs");
    }

    [TestCaseSource(nameof(Operators))]
    public void An_operator_has_its_row(string name)
    {
        if (!Composed.Contains(name))
        {
            string facet = FacetOf(name);
            Require(Source, "Cpu", facet, name + ".cs");
            Require(Source, "Cuda", facet, name + ".cs");
        }

        Require(Root(), "tests", "FastNN.Cases", "Ops", name + "Cases.cs");
        Require(Tests, "Ops", name + "Tests.cs");
    }

    [TestCaseSource(nameof(Operators))]
    public void An_operators_cases_run_on_every_device(string name) =>
        Assert.That(OpCases.All.Where(@case => @case.Operator == name), Is.Not.Empty);

    [Test]
    public void Every_class_of_cases_is_listed_by_name()
    {
        IEnumerable<Type> declared = typeof(IOpCases).Assembly.GetTypes().Where(
            type => type.IsClass && type.IsAssignableTo(typeof(IOpCases)));
        Assert.That(
            OpCases.Families.Select(family => family.Declaration), Is.EquivalentTo(declared),
            "tests/FastNN.Cases/Ops/OpCases.cs lists them for `fastnn selftest` and the fixtures of CUDA");
    }

    private static string FacetOf(string name)
    {
        string[] files = Directory.GetFiles(Path.Combine(Source, "Kernels"), name + ".cs", SearchOption.AllDirectories);
        Assert.That(files, Has.Length.EqualTo(1), $"the row has a gap: {name}.cs in a facet of Kernels");
        return Path.GetFileName(Path.GetDirectoryName(files[0])!);
    }

    private static void Require(params string[] parts)
    {
        string path = Path.Combine(parts);
        Assert.That(path, Does.Exist, $"the row has a gap: {Path.GetRelativePath(Root(), path)}");
    }

    private static string Root([CallerFilePath] string file = "") =>
        Path.GetFullPath(Path.Combine(Path.GetDirectoryName(file)!, "..", "..", ".."));
}
