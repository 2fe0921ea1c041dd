using System.Reflection;

namespace FastNN.Cuda;

/// <summary>
/// PTX by family name: one resource of this assembly for each kernels/*.cu, or what a test puts in their place.
/// </summary>
internal sealed class KernelSource(IReadOnlyDictionary<string, Func<byte[]>> modules)
{
    private const string Prefix = "FastNN.Cuda.";
    private const string Suffix = ".ptx";
    private const string PackedSuffix = ".ptx.br";

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

    private static KernelSource FromResources(Assembly assembly)
    {
        var modules = new Dictionary<string, Func<byte[]>>(StringComparer.Ordinal);
        foreach (string name in assembly.GetManifestResourceNames()
            .Where(name => name.StartsWith(Prefix, StringComparison.Ordinal)))
        {
            if (name.EndsWith(PackedSuffix, StringComparison.Ordinal))
            {
                modules.Add(name[Prefix.Length..^PackedSuffix.Length], () => ReadPacked(assembly, name));
            }
            else if (name.EndsWith(Suffix, StringComparison.Ordinal))
            {
                modules.Add(name[Prefix.Length..^Suffix.Length], () => Read(assembly, name));
            }
        }

        return new KernelSource(modules);
    }

    private static byte[] ReadPacked(Assembly assembly, string name)
    {
        using Stream stream = assembly.GetManifestResourceStream(name)!;
        return PackedPtx.Unpack(stream);
    }

    private static byte[] Read(Assembly assembly, string name)
    {
        using Stream stream = assembly.GetManifestResourceStream(name)!;
        byte[] text = new byte[stream.Length];
        stream.ReadExactly(text);
        return text;
    }
}
