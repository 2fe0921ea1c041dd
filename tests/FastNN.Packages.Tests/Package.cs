using System.Reflection.Metadata;
using System.Reflection.PortableExecutable;
using NuGet.Packaging;
using NuGet.Packaging.Core;

namespace FastNN.Packages.Tests;

/// <summary>A package of the feed, and its symbols.</summary>
internal sealed class Package : IDisposable
{
    private readonly PackageArchiveReader _archive;

    public Package(string path)
    {
        FilePath = path;
        _archive = new PackageArchiveReader(path);
    }

    public string FilePath { get; }

    public string SymbolsPath => Path.ChangeExtension(FilePath, ".snupkg");

    public long Bytes => new FileInfo(FilePath).Length;

    public NuspecReader Nuspec => _archive.NuspecReader;

    public string Id => Nuspec.GetId();

    public bool IsTool => Nuspec.GetPackageTypes().Contains(PackageType.DotnetTool);

    /// <summary>What the package brings, without what the format itself needs.</summary>
    public IEnumerable<string> Files => _archive.GetFiles()
        .Where(file => !file.EndsWith(".nuspec", StringComparison.Ordinal) && file != "[Content_Types].xml"
            && !file.StartsWith("_rels/", StringComparison.Ordinal) && !file.StartsWith("package/", StringComparison.Ordinal));

    /// <summary>Where the package's own assembly lies.</summary>
    public string AssemblyFile => IsTool ? "tools/net10.0/any/FastNN.Cli.dll" : $"lib/net10.0/{Id}.dll";

    public byte[] Read(string file) => Read(_archive, file);

    public string ReadText(string file)
    {
        using var reader = new StreamReader(_archive.GetStream(file));
        return reader.ReadToEnd();
    }

    /// <summary>The package's own assembly.</summary>
    public PEReader OpenAssembly() => new(new MemoryStream(Read(AssemblyFile)));

    /// <summary>The symbols of the package's own assembly.</summary>
    public MetadataReaderProvider OpenSymbols()
    {
        using var symbols = new PackageArchiveReader(SymbolsPath);
        return MetadataReaderProvider.FromPortablePdbStream(
            new MemoryStream(Read(symbols, Path.ChangeExtension(AssemblyFile, ".pdb"))));
    }

    public void Dispose() => _archive.Dispose();

    public override string ToString() => Path.GetFileNameWithoutExtension(FilePath);

    private static byte[] Read(PackageArchiveReader archive, string file)
    {
        using Stream stream = archive.GetStream(file);
        using var copy = new MemoryStream();
        stream.CopyTo(copy);
        return copy.ToArray();
    }
}
