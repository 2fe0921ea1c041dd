using System.Reflection;

namespace FastNN.Cuda;

/// <summary>
/// PTX by family name: one resource of this assembly for each kernels/*.cu, or what a test puts in their place.
/// </summary>
internal sealed class KernelSource(IReadOnlyDictionary<string, Func<byte[]>> modules)
{
    private const string Prefix = "FastNN.Cuda.";
    private const string Suffix = ".ptx";

    /// <summary>What this library was built with; empty where no compiler for them was there.</summary>
    public static KernelSource Embedded { get; } = FromResources(typeof(KernelSource).Assembly);

    public IEnumerable<string> Families => modules.Keys.Order(StringComparer.Ordinal);

    /// <summary>The *.ptx files of a folder.</summary>
    public static KernelSource FromFolder(string folder) => new(
        Directory.GetFiles(folder, "*" + Suffix).ToDictionary(
            file => Path.GetFileNameWithoutExtension(file), file => (Func<byte[]>)(() => File.ReadAllBytes(file)),
            StringComparer.Ordinal));

    /// <summary>The PTX text without a terminating zero; null for an unknown family.</summary>
    public byte[]? Read(string family) => modules.TryGetValue(family, out Func<byte[]>? read) ? read() : null;

    private static KernelSource FromResources(Assembly assembly) => new(
        assembly.GetManifestResourceNames()
            .Where(name => name.StartsWith(Prefix, StringComparison.Ordinal) && name.EndsWith(Suffix, StringComparison.Ordinal))
            .ToDictionary(
                name => name[Prefix.Length..^Suffix.Length], name => (Func<byte[]>)(() => Read(assembly, name)),
                StringComparer.Ordinal));

    private static byte[] Read(Assembly assembly, string name)
    {
        using Stream stream = assembly.GetManifestResourceStream(name)!;
        byte[] text = new byte[stream.Length];
        stream.ReadExactly(text);
        return text;
    }
}
