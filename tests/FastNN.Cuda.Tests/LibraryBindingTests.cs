using System.Reflection;
using System.Runtime.InteropServices;
using FastNN.Cuda.Bindings;
using ManagedCuda.CudaBlas;

namespace FastNN.Cuda.Tests;

/// <summary>
/// The in-tree declarations of cuBLAS and cuDNN against tables of facts and against the installed libraries.
/// </summary>
[TestFixture(typeof(CudaBlasNativeMethods), "cublas-facts.tsv", CudaLibraries.Cublas, "libcublas.so.12", typeof(CublasStatus))]
[TestFixture(typeof(CudnnNative), "cudnn-facts.tsv", CudaLibraries.Cudnn, "libcudnn.so.9", typeof(CudnnStatus))]
internal sealed class LibraryBindingTests(Type bindings, string table, string import, string file, Type status)
{
    /// <summary>Those that return no status, with what they return.</summary>
    private static readonly Dictionary<string, string> OtherReturns = new()
    {
        ["cudnnGetErrorString"] = "byte*",
        ["cudnnGetLastErrorString"] = "void",
    };

    private IEnumerable<MethodInfo> Methods =>
        bindings.GetMethods(BindingFlags.Public | BindingFlags.Static | BindingFlags.DeclaredOnly);

    [OneTimeSetUp]
    public void RequireOwnDeclarations() => InteropFacts.RequireOwn(bindings);

    [Test]
    public void Functions_are_declared_as_the_table_says() =>
        Assert.That(InteropFacts.Functions(bindings), Is.EqualTo(InteropFacts.Read(table, "function")));

    [Test]
    public void Functions_return_a_status_and_come_from_one_library()
    {
        foreach (MethodInfo method in Methods)
        {
            Assert.That(
                InteropFacts.Spell(method.ReturnType), Is.EqualTo(OtherReturns.GetValueOrDefault(method.Name, status.Name)),
                method.Name);
            Assert.That(method.GetCustomAttribute<DllImportAttribute>()!.Value, Is.EqualTo(import), method.Name);
        }
    }

    [Test]
    public void Enums_have_the_tables_values()
    {
        IEnumerable<string> declared = Types.Where(type => type.IsEnum).SelectMany(InteropFacts.Members);
        Assert.That(declared.Order(StringComparer.Ordinal), Is.EqualTo(InteropFacts.Read(table, "enum")));
    }

    [Test]
    public void Structs_have_the_tables_layout()
    {
        IEnumerable<string> declared = Types.Where(type => type.IsValueType && !type.IsEnum).Select(InteropFacts.Layout);
        Assert.That(declared.Order(StringComparer.Ordinal), Is.EqualTo(InteropFacts.Read(table, "struct")));
    }

    [Test]
    public void The_software_library_exports_every_function()
    {
        TestGpu.Create().Dispose();
        nint library = CudaLibraries.Load(import, "the software library");
        Assert.That(
            Methods.Select(InteropFacts.EntryPoint).Where(name => !NativeLibrary.TryGetExport(library, name, out _)), Is.Empty);
    }

    [Test]
    public void NVIDIAs_library_exports_every_function()
    {
        HashSet<string> exports = ElfSymbols.Read(Path.Combine(NvidiaLibraries.Require(file), file));
        Assert.That(Methods.Select(InteropFacts.EntryPoint).Where(name => !exports.Contains(name)), Is.Empty);
    }

    private IEnumerable<Type> Types => bindings.Assembly.GetTypes().Where(type => type.Namespace == bindings.Namespace);
}
