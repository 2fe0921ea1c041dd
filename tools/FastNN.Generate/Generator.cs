namespace FastNN.Generate;

/// <summary>All files that are written from the tables and the public surface, wholly or in part, as they must be.</summary>
internal static class Generator
{
    /// <summary>Path under the repository's root, and text.</summary>
    public static IReadOnlyList<(string Path, string Text)> Files(string root) =>
    [
        ("README.md", Catalog.Into(Read(Path.Combine(root, "README.md")) ?? "", root)),
        ("docs/operators.md", OperatorPage.Text()),
        ("kernels/generated/elementary.cuh", ElementarySource.Text()),
        ("kernels/generated/activations.cuh", UnarySource.Text()),
        ("kernels/generated/binary.cuh", BinarySource.Text()),
        ("kernels/generated/losses.cuh", LossSource.Text()),
        ("kernels/generated/updates.cuh", UpdateSource.Text()),
        ("kernels/generated/reductions.cuh", ReductionSource.Text()),
        ("kernels/generated/penalty.cuh", TermSource.Penalties()),
        ("src/FastNN/Functions/ActivationFunctions.cs", FluentSource.Activations()),
        ("src/FastNN/Graphs/FunctionOperators.cs", FluentSource.Operators()),
        ("src/FastNN/Graphs/BinaryOperators.cs", BinaryFluentSource.Operators()),
        ("src/FastNN/Functions/PublicAPI.Unshipped.txt", FluentSource.PublicApi()),
    ];

    /// <summary>Those files that are not as they must be.</summary>
    public static IReadOnlyList<string> Outdated(string root) =>
        [.. Files(root).Where(file => Read(Path.Combine(root, file.Path)) != file.Text).Select(file => file.Path)];

    /// <summary>Writes what is not as it must be.</summary>
    public static void Write(string root)
    {
        foreach ((string path, string text) in Files(root))
        {
            string file = Path.Combine(root, path);
            if (Read(file) != text)
            {
                Directory.CreateDirectory(Path.GetDirectoryName(file)!);
                File.WriteAllText(file, text);
                Console.WriteLine($"wrote {path}");
            }
        }
    }

    private static string? Read(string file) => File.Exists(file) ? File.ReadAllText(file).ReplaceLineEndings("\n") : null;
}
