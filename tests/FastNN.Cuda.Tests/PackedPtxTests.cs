using System.Runtime.CompilerServices;
using System.Text;
using System.Text.RegularExpressions;

namespace FastNN.Cuda.Tests;

/// <summary>What the library embeds of the kernels, beside what the compiler wrote.</summary>
internal sealed class PackedPtxTests
{
    private const string PackedSuffix = ".ptx.br";

    [Test]
    public void Every_module_unpacks_to_what_the_compiler_wrote_without_comments_and_indentation()
    {
        string[] families = [.. KernelSource.Embedded.Families];
        Assert.That(
            families, Is.EqualTo(Directory.GetFiles(Path.Combine(Root(), "kernels"), "*.cu")
                .Select(Path.GetFileNameWithoutExtension).Order(StringComparer.Ordinal)));
        Assert.Multiple(() =>
        {
            foreach (string family in families)
            {
                string embedded = Encoding.ASCII.GetString(KernelSource.Embedded.Read(family)!);
                string compiled = File.ReadAllText(Path.Combine(Root(), "build", "ptx", family + ".ptx"));
                Assert.That(embedded == Plain(compiled), Is.True, family);
            }
        });
    }

    [Test]
    public void All_modules_together_take_less_than_700_KB_of_the_library()
    {
        long bytes = typeof(KernelSource).Assembly.GetManifestResourceNames()
            .Where(name => name.EndsWith(PackedSuffix, StringComparison.Ordinal))
            .Sum(name =>
            {
                using Stream resource = typeof(KernelSource).Assembly.GetManifestResourceStream(name)!;
                return resource.Length;
            });
        Assert.That(bytes, Is.InRange(1, 700_000));
    }

    private static string Plain(string text) => string.Concat(
        text.Split('\n')
            .Select(line => Regex.Replace(line.Split("//")[0], "[ \t]+", " ").Trim())
            .Where(line => line.Length > 0)
            .Select(line => line + "\n"));

    private static string Root([CallerFilePath] string file = "") =>
        Path.GetFullPath(Path.Combine(Path.GetDirectoryName(file)!, "..", ".."));
}
