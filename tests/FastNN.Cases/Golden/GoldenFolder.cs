namespace FastNN.Testing;

/// <summary>
/// Where the files of stored numbers are: in the folder that FASTNN_GOLDEN names, by default beside the program.
/// </summary>
internal static class GoldenFolder
{
    public const string Variable = "FASTNN_GOLDEN";

    public static string Path { get; } = Environment.GetEnvironmentVariable(Variable) is { Length: > 0 } folder
        ? folder
        : System.IO.Path.Combine(AppContext.BaseDirectory, "Golden", "cases");

    /// <summary>All files, by name; none where there is no such folder.</summary>
    public static string[] Files
    {
        get
        {
            string[] files = Directory.Exists(Path) ? Directory.GetFiles(Path, "*.safetensors") : [];
            Array.Sort(files, StringComparer.Ordinal);
            return files;
        }
    }
}
