using System.Reflection;
using System.Runtime.InteropServices;
using ManagedCuda;
using ManagedCuda.BasicTypes;

namespace FastNN.Cuda.Tests;

/// <summary>The in-tree declarations of the driver against a table of facts and against the drivers that there are.</summary>
internal sealed class DriverBindingTests
{
    private const string Table = "driver-facts.tsv";

    private static IEnumerable<Type> BasicTypes =>
        typeof(CUResult).Assembly.GetTypes().Where(type => type.Namespace == typeof(CUResult).Namespace);

    [OneTimeSetUp]
    public void RequireOwnDeclarations() => InteropFacts.RequireOwn(typeof(DriverAPINativeMethods));

    [Test]
    public void Functions_are_declared_as_the_table_says() =>
        Assert.That(InteropFacts.Functions(typeof(DriverAPINativeMethods)), Is.EqualTo(InteropFacts.Read(Table, "function")));

    [Test]
    public void Enums_have_the_tables_values()
    {
        string[] facts = InteropFacts.Read(Table, "enum");
        string[] names = [.. facts.Select(fact => fact.Split('\t')[0]).Distinct()];
        IEnumerable<string> declared = BasicTypes.Where(type => type.IsEnum && names.Contains(type.Name)).SelectMany(
            InteropFacts.Members);
        Assert.That(declared.Order(StringComparer.Ordinal), Is.EqualTo(facts));
    }

    [Test]
    public void Structs_have_the_tables_layout()
    {
        string[] facts = InteropFacts.Read(Table, "struct");
        string[] names = [.. facts.Select(fact => fact.Split('\t')[0])];
        IEnumerable<string> declared = BasicTypes.Where(type => names.Contains(type.Name)).Select(InteropFacts.Layout);
        Assert.That(declared.Order(StringComparer.Ordinal), Is.EqualTo(facts));
    }

    [Test]
    public void Every_type_of_a_signature_is_in_the_table()
    {
        HashSet<string> known = [
            .. new[] { "enum", "struct" }.SelectMany(kind => InteropFacts.Read(Table, kind)).Select(fact => fact.Split('\t')[0])];
        IEnumerable<Type> used = Methods.SelectMany(method => method.GetParameters()).Select(
            parameter => Element(parameter.ParameterType))
            .Where(type => type.Namespace == typeof(CUResult).Namespace && !type.IsSubclassOf(typeof(Delegate)));
        Assert.That(used.Select(type => type.Name).Distinct().Where(name => !known.Contains(name)), Is.Empty);
        Assert.That(Methods.Select(method => method.ReturnType).Distinct(), Is.EqualTo(new[] { typeof(CUResult) }));
    }

    [Test]
    public void The_software_device_exports_every_function()
    {
        _ = TestGpu.Require();
        nint library = CudaLibraries.Load(CudaLibraries.Driver, "the software device");
        Assert.That(EntryPoints.Where(name => !NativeLibrary.TryGetExport(library, name, out _)), Is.Empty);
    }

    /// <summary>
    /// Read from the file: once it is loaded, the software device's cuBLAS would take this for its libcuda.so.1.
    /// </summary>
    [Test]
    public void NVIDIAs_driver_exports_every_function() =>
        Assert.That(EntryPoints.Except(ElfSymbols.Read(Path.Combine(NvidiaLibraries.Require(), "libcuda.so.1"))), Is.Empty);

    /// <summary>As in a build with CudaBindings=ManagedCuda, where the driver's declarations are of another assembly.</summary>
    [Test]
    public void Tables_are_skipped_by_name_for_declarations_of_another_assembly()
    {
        Assert.That(
            () => InteropFacts.RequireOwn(typeof(TestFixtureAttribute)),
            Throws.TypeOf<IgnoreException>().With.Message.Contains(
                "TestFixtureAttribute is nunit.framework's (CudaBindings=ManagedCuda)"));
        Assert.That(() => InteropFacts.RequireOwn(typeof(CudaDevice)), Throws.Nothing);
    }

    private static IEnumerable<string> EntryPoints => Methods.Select(InteropFacts.EntryPoint).Distinct();

    private static IEnumerable<MethodInfo> Methods =>
        typeof(DriverAPINativeMethods).GetNestedTypes(BindingFlags.Public).Prepend(typeof(DriverAPINativeMethods))
            .SelectMany(type => type.GetMethods(BindingFlags.Public | BindingFlags.Static | BindingFlags.DeclaredOnly));

    private static Type Element(Type type) => type.HasElementType ? Element(type.GetElementType()!) : type;
}
