using System.Buffers.Binary;
using System.Reflection;
using System.Reflection.Metadata;
using System.Reflection.PortableExecutable;
using System.Runtime.CompilerServices;
using System.Text.RegularExpressions;
using System.Xml.Linq;
using NuGet.Packaging.Core;
using NuGet.Versioning;

namespace FastNN.Packages.Tests;

/// <summary>
/// What users get from `dotnet add package` and `dotnet tool install`. $FASTNN_PACKAGES names the folder of packages.
/// </summary>
internal sealed class PackageTests
{
    private const string Readme = "README.md", Icon = "icon.png";

    private static readonly Guid SourceLink = new("CC110556-A091-4D38-9FEC-25AB9A351A6A");

    private static readonly string[] Hosts = ["github.com", "gitlab.com", "bitbucket.org", "dev.azure.com"];

    // The most bytes of each, a little above what they have: growth is a decision.
    private static readonly Dictionary<string, int> MaxBytes = new()
    {
        ["FastNN"] = 2_000_000,
        ["FastNN.Datasets"] = 250_000,
        ["FastNN.Hosting"] = 700_000,
        ["FastNN.Imaging"] = 50_000,
        ["FastNN.Onnx"] = 700_000,
        ["FastNN.Plots"] = 80_000,
        ["FastNN.Search"] = 120_000,
        ["FastNN.Tool"] = 12_000_000,
    };

    private static readonly Dictionary<string, string[]> Dependencies = new()
    {
        ["FastNN"] = ["System.Numerics.Tensors"],
        ["FastNN.Datasets"] = ["FastNN", "Sep", "SharpCompress"],
        ["FastNN.Hosting"] = [
            "FastNN", "FastNN.Onnx", "Google.Protobuf", "Grpc.AspNetCore.Server", "Grpc.AspNetCore.Server.Reflection",
            "Grpc.HealthCheck", "Microsoft.AspNetCore.Authentication.JwtBearer", "Microsoft.AspNetCore.OpenApi",
            "Microsoft.Extensions.AI.Abstractions"],
        ["FastNN.Imaging"] = ["FastNN", "StbImageSharp"],
        ["FastNN.Onnx"] = ["FastNN", "System.Numerics.Tensors"],
        ["FastNN.Plots"] = ["FastNN", "ScottPlot"],
        ["FastNN.Search"] = [],
        ["FastNN.Tool"] = [],
    };

    private Package[] _packages = [];

    [OneTimeSetUp]
    public void Open()
    {
        string? given = Environment.GetEnvironmentVariable("FASTNN_PACKAGES");
        string folder = given ?? Path.Combine(Root(), "build", "packages");
        if (given is null && !Directory.Exists(folder))
        {
            Assert.Ignore("samples/run makes the packages");
        }

        _packages = [.. Directory.GetFiles(folder, "*.nupkg").Order(StringComparer.Ordinal).Select(path => new Package(path))];
    }

    [OneTimeTearDown]
    public void Close() => Array.ForEach(_packages, package => package.Dispose());

    [Test]
    public void Each_package_is_there_once_with_its_symbols_and_all_have_one_version()
    {
        Assert.That(_packages.Select(package => package.Id), Is.EquivalentTo(MaxBytes.Keys));
        Assert.That(_packages.Select(package => package.Nuspec.GetVersion()).Distinct().Count(), Is.EqualTo(1));
        Assert.That(_packages.Where(package => !package.IsTool && !File.Exists(package.SymbolsPath)), Is.Empty);
    }

    [Test]
    public void No_package_is_larger_than_it_was_meant_to_be()
    {
        foreach (Package package in _packages)
        {
            TestContext.Out.WriteLine($"{package}: {package.Bytes:N0} bytes");
            Assert.That(package.Bytes, Is.LessThanOrEqualTo(MaxBytes[package.Id]), package.Id);
        }
    }

    [Test]
    public void Each_package_says_what_it_is_by_whom_and_under_which_license() => ForEach(package =>
    {
        Assert.That(package.Nuspec.GetDescription(), Has.Length.GreaterThan(40).And.Not.Contains("Package Description"));
        Assert.That(package.Nuspec.GetAuthors(), Is.EqualTo("The FastNN authors"));
        Assert.That(package.Nuspec.GetLicenseMetadata()?.License, Is.EqualTo("MIT"));
        Assert.That(package.Nuspec.GetTags(), Does.Contain("neural-network"));
        Assert.That(package.Nuspec.GetCopyright(), Is.Not.Empty);
        Assert.That(package.Nuspec.GetReleaseNotes(), Does.Contain("CHANGELOG.md"));
        Assert.That(package.Nuspec.GetRepositoryMetadata().Type, Is.EqualTo("git"));
        Assert.That(package.Nuspec.GetRepositoryMetadata().Commit, Does.Match("^[0-9a-f]{40}$"));
    });

    [Test]
    public void Each_package_has_a_page_that_says_how_to_get_it() => ForEach(package =>
    {
        Assert.That(package.Nuspec.GetReadme(), Is.EqualTo(Readme));
        string command = package.IsTool ? "dotnet tool install" : "dotnet add package";
        Assert.That(package.ReadText(Readme), Does.StartWith($"# {package.Id}\n").And.Contain($"{command} {package.Id}"));

        // The gallery follows links to other hosts alone.
        Assert.That(Regex.Count(package.ReadText(Readme), @"\]\((?!https://)"), Is.Zero);
    });

    [Test]
    public void Each_package_has_the_icon_of_128_by_128() => ForEach(package =>
    {
        Assert.That(package.Nuspec.GetIcon(), Is.EqualTo(Icon));
        byte[] png = package.Read(Icon);
        Assert.That(png[..8], Is.EqualTo(new byte[] { 0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A }));
        Assert.That(BinaryPrimitives.ReadInt32BigEndian(png.AsSpan(16)), Is.EqualTo(128));
        Assert.That(BinaryPrimitives.ReadInt32BigEndian(png.AsSpan(20)), Is.EqualTo(128));
    });

    [Test]
    public void A_library_brings_its_assembly_its_documentation_and_nothing_else() => ForEach(package =>
    {
        if (!package.IsTool)
        {
            string[] expected = [Readme, Icon, $"lib/net10.0/{package.Id}.dll", $"lib/net10.0/{package.Id}.xml"];
            string[] targets = package.Id == "FastNN" ? ["buildTransitive/FastNN.targets"] : [];
            Assert.That(package.Files, Is.EquivalentTo(expected.Concat(targets)));
        }
    });

    [Test]
    public void Nothing_native_is_in_any_package() => ForEach(package =>
    {
        Assert.That(
            package.Files.Where(file => $"/{file}".Contains("/runtimes/", StringComparison.Ordinal)
                || Path.GetExtension(file) is ".so" or ".dylib" or ".exe" or ".a"),
            Is.Empty);
        foreach (string file in package.Files.Where(file => file.EndsWith(".dll", StringComparison.Ordinal)))
        {
            using var assembly = new PEReader(new MemoryStream(package.Read(file)));
            Assert.That(assembly.HasMetadata, file);
        }
    });

    [Test]
    public void Packages_depend_on_what_they_are_meant_to_and_on_no_pre_release_of_others() => ForEach(package =>
    {
        PackageDependency[] dependencies = [.. package.Nuspec.GetDependencyGroups().SelectMany(group => group.Packages)];
        Assert.That(dependencies.Select(dependency => dependency.Id), Is.EquivalentTo(Dependencies[package.Id]));
        foreach (PackageDependency dependency in dependencies)
        {
            NuGetVersion version = dependency.VersionRange.MinVersion!;
            if (MaxBytes.ContainsKey(dependency.Id))
            {
                Assert.That(version, Is.EqualTo(package.Nuspec.GetVersion()), dependency.Id);
            }
            else
            {
                Assert.That(version.IsPrerelease, Is.False, dependency.Id);
            }
        }
    });

    [Test]
    public void What_needs_the_web_framework_says_so() => ForEach(package =>
    {
        IEnumerable<string> frameworks = package.Nuspec.GetFrameworkRefGroups()
            .SelectMany(group => group.FrameworkReferences).Select(reference => reference.Name);
        string[] expected = package.Id == "FastNN.Hosting" ? ["Microsoft.AspNetCore.App"] : [];
        Assert.That(package.IsTool ? [] : frameworks, Is.EqualTo(expected));
    });

    [Test]
    public void Every_public_type_of_a_library_is_documented() => ForEach(package =>
    {
        if (!package.IsTool)
        {
            string[] documented = [
                .. XDocument.Parse(package.ReadText($"lib/net10.0/{package.Id}.xml")).Descendants("member")
                    .Select(member => (string)member.Attribute("name")!)];
            using PEReader assembly = package.OpenAssembly();
            MetadataReader metadata = assembly.GetMetadataReader();
            IEnumerable<string> types = metadata.TypeDefinitions.Select(metadata.GetTypeDefinition)
                .Where(type => (type.Attributes & TypeAttributes.VisibilityMask) == TypeAttributes.Public)
                .Select(type => $"T:{metadata.GetString(type.Namespace)}.{metadata.GetString(type.Name)}");
            Assert.That(types, Is.Not.Empty);
            Assert.That(types.Except(documented), Is.Empty);
        }
    });

    [Test]
    public void Assemblies_have_the_packages_version_and_are_deterministic() => ForEach(package =>
    {
        using PEReader assembly = package.OpenAssembly();
        Assert.That(
            assembly.ReadDebugDirectory().Select(entry => entry.Type), Does.Contain(DebugDirectoryEntryType.Reproducible));
        string commit = package.Nuspec.GetRepositoryMetadata().Commit;
        Assert.That(
            InformationalVersion(assembly.GetMetadataReader()),
            Is.EqualTo($"{package.Nuspec.GetVersion().ToNormalizedString()}+{commit}"), "packed at the commit that was built");
    });

    [Test]
    public void Symbols_fit_the_assembly_and_name_sources_by_their_paths_in_the_repository() => ForEach(package =>
    {
        if (package.IsTool)
        {
            return;
        }

        using PEReader assembly = package.OpenAssembly();
        DebugDirectoryEntry entry = assembly.ReadDebugDirectory().First(found => found.Type == DebugDirectoryEntryType.CodeView);
        using MetadataReaderProvider symbols = package.OpenSymbols();
        MetadataReader metadata = symbols.GetMetadataReader();
        var id = new BlobContentId(metadata.DebugMetadataHeader!.Id);
        Assert.That(id.Guid, Is.EqualTo(assembly.ReadCodeViewDebugDirectoryData(entry).Guid));
        string[] documents = [
            .. metadata.Documents.Select(document => metadata.GetString(metadata.GetDocument(document).Name))];
        Assert.That(documents, Has.Some.StartsWith($"/_/src/{package.Id}/"));
        Assert.That(documents.Where(document => !document.StartsWith("/_", StringComparison.Ordinal)), Is.Empty);

        // SourceLink finds sources at hosts that it knows; a checkout of another remote, or of none, has sources of no address.
        bool hasSourceLink = metadata.CustomDebugInformation.Select(metadata.GetCustomDebugInformation)
            .Any(information => metadata.GetGuid(information.Kind) == SourceLink);
        string url = package.Nuspec.GetRepositoryMetadata().Url;
        Assert.That(url, Is.Empty.Or.StartsWith("https://"));
        bool isKnown = Uri.TryCreate(url, UriKind.Absolute, out Uri? address) && Hosts.Contains(address.Host);
        Assert.That(hasSourceLink || !isKnown, url);
    });

    [Test]
    public void The_core_has_all_kernels_for_GPUs()
    {
        using PEReader assembly = _packages.Single(package => package.Id == "FastNN").OpenAssembly();
        MetadataReader metadata = assembly.GetMetadataReader();
        IEnumerable<string> kernels = metadata.ManifestResources
            .Select(resource => metadata.GetString(metadata.GetManifestResource(resource).Name))
            .Where(name => name.EndsWith(".ptx.br", StringComparison.Ordinal));
        string[] sources = Directory.GetFiles(Path.Combine(Root(), "kernels"), "*.cu");
        Assert.That(sources, Is.Not.Empty);
        Assert.That(
            kernels, Is.EquivalentTo(sources.Select(file => $"FastNN.Cuda.{Path.GetFileNameWithoutExtension(file)}.ptx.br")));
    }

    [Test]
    public void The_tool_is_called_fastnn_and_brings_what_selftest_compares_with()
    {
        Package tool = _packages.Single(package => package.IsTool);
        XElement command = XDocument.Parse(tool.ReadText("tools/net10.0/any/DotnetToolSettings.xml"))
            .Descendants("Command").Single();
        Assert.That((string?)command.Attribute("Name"), Is.EqualTo("fastnn"));
        Assert.That((string?)command.Attribute("EntryPoint"), Is.EqualTo("FastNN.Cli.dll"));
        Assert.That(tool.Files, Has.Some.Match("^tools/net10.0/any/Golden/cases/.*[.]safetensors$"));
    }

    private void ForEach(Action<Package> check)
    {
        Assert.That(_packages, Is.Not.Empty);
        using (Assert.EnterMultipleScope())
        {
            Array.ForEach(_packages, check);
        }
    }

    private static string? InformationalVersion(MetadataReader metadata)
    {
        foreach (CustomAttributeHandle handle in metadata.GetAssemblyDefinition().GetCustomAttributes())
        {
            CustomAttribute attribute = metadata.GetCustomAttribute(handle);
            var constructor = (MemberReferenceHandle)attribute.Constructor;
            var type = (TypeReferenceHandle)metadata.GetMemberReference(constructor).Parent;
            if (metadata.GetString(metadata.GetTypeReference(type).Name) == "AssemblyInformationalVersionAttribute")
            {
                BlobReader value = metadata.GetBlobReader(attribute.Value);
                _ = value.ReadUInt16();
                return value.ReadSerializedString();
            }
        }

        return null;
    }

    private static string Root([CallerFilePath] string file = "") =>
        Path.GetFullPath(Path.Combine(Path.GetDirectoryName(file)!, "..", ".."));
}
