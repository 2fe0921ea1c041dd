using System.Reflection;
using System.Runtime.InteropServices;

namespace FastNN.Cuda.Tests;

/// <summary>The checked-in tables of what the in-tree bindings must agree with, and the bindings in the same words.</summary>
internal static class InteropFacts
{
    private const BindingFlags Declared = BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Static
        | BindingFlags.DeclaredOnly;

    private static readonly Dictionary<Type, string> Keywords = new()
    {
        [typeof(int)] = "int",
        [typeof(uint)] = "uint",
        [typeof(long)] = "long",
        [typeof(ulong)] = "ulong",
        [typeof(byte)] = "byte",
        [typeof(float)] = "float",
        [typeof(double)] = "double",
        [typeof(string)] = "string",
        [typeof(IntPtr)] = "IntPtr",
        [typeof(void)] = "void",
    };

    /// <summary>
    /// Skips a test of the declarations of this repository in a build that takes them from ManagedCuda's packages.
    /// </summary>
    public static void RequireOwn(Type bindings)
    {
        if (bindings.Assembly != typeof(FastNN.Cuda.CudaDevice).Assembly)
        {
            Assert.Ignore(
                $"{bindings.Name} is {bindings.Assembly.GetName().Name}'s (CudaBindings=ManagedCuda); the tables are about the declarations of this repository.");
        }
    }

    /// <summary>
    /// The lines of one kind in a table beside the tests, such as "function" in driver-facts.tsv, without their first word.
    /// </summary>
    public static string[] Read(string table, string kind) =>
    [
        .. File.ReadLines(Path.Combine(AppContext.BaseDirectory, table))
            .Where(line => line.StartsWith(kind + "\t", StringComparison.Ordinal))
            .Select(line => line[(kind.Length + 1)..])
            .Order(StringComparer.Ordinal),
    ];

    /// <summary>Every extern of a class and of those nested in it: class, method, parameter types, entry point.</summary>
    public static string[] Functions(Type root) =>
    [
        .. root.GetNestedTypes(BindingFlags.Public | BindingFlags.NonPublic).Prepend(root)
            .SelectMany(type => type.GetMethods(Declared))
            .Where(method => method.GetCustomAttribute<DllImportAttribute>() is not null)
            .Select(method =>
            {
                string parameters = string.Join(", ", method.GetParameters().Select(parameter => Spell(parameter.ParameterType)));
                return $"{(method.DeclaringType == root ? "" : method.DeclaringType!.Name)}\t{method.Name}\t{parameters}\t{EntryPoint(method)}";
            })
            .Order(StringComparer.Ordinal),
    ];

    /// <summary>Every member of an enum: name, underlying type, member, value.</summary>
    public static string[] Members(Type type) =>
    [
        .. type.GetFields(BindingFlags.Public | BindingFlags.Static)
            .Select(
                field =>
                    $"{type.Name}\t{Spell(Enum.GetUnderlyingType(type))}\t{field.Name}\t{Convert.ToDecimal(field.GetRawConstantValue()):0}"),
    ];

    /// <summary>A struct's name, size and public fields in order.</summary>
    public static string Layout(Type type) =>
        $"{type.Name}\t{Marshal.SizeOf(type)}\t{string.Join("; ", type.GetFields().Select(field => $"{Spell(field.FieldType)} {field.Name}"))}";

    public static string EntryPoint(MethodInfo method) =>
        method.GetCustomAttribute<DllImportAttribute>()!.EntryPoint ?? method.Name;

    /// <summary>A type as the table writes it.</summary>
    public static string Spell(Type type) =>
        type.IsByRef ? "ref " + Spell(type.GetElementType()!)
        : type.IsPointer ? Spell(type.GetElementType()!) + "*"
        : type.IsArray ? Spell(type.GetElementType()!) + "[]"
        : Keywords.GetValueOrDefault(type, type.Name);
}
