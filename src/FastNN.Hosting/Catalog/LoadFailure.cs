namespace FastNN.Hosting;

/// <summary>Why a model could not be loaded, in words that name no file or folder.</summary>
internal static class LoadFailure
{
    /// <summary>What failed while a file was read or warmed up.</summary>
    public static string Describe(Exception exception, string path) => exception switch
    {
        FileFormatException file => $"{Kind(file.FilePath)} is malformed: expected {file.Expected}, got {file.Got}",
        FileNotFoundException or DirectoryNotFoundException => "there is no model file",
        IOException or UnauthorizedAccessException => "the model file cannot be read",
        OutOfMemoryException => "there is not enough memory",
        InferenceException => exception.Message.TrimEnd('.'),
        _ => Clean(exception.Message, path),
    };

    private static string Kind(string path) =>
        path.EndsWith(ModelManifest.FileName, StringComparison.Ordinal) ? ModelManifest.FileName : "the file";

    private static string Clean(string message, string path)
    {
        string clean = message.Replace(path, "the file", StringComparison.Ordinal).TrimEnd('.');
        return Path.GetDirectoryName(path) is { Length: > 1 } folder
            ? clean.Replace(folder, "its folder", StringComparison.Ordinal)
            : clean;
    }
}
