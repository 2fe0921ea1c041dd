namespace FastNN.Formats;

/// <summary>Opens files for reading, with one clear line where that fails.</summary>
internal static class InputFile
{
    /// <exception cref="IOException">There is no such file, it is a folder, or it may not be read; names the path.</exception>
    public static FileStream OpenRead(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        if (Directory.Exists(path))
            throw new IOException($"cannot read '{path}': it is a folder");
        try
        {
            // The readers bring buffers of their own.
            return new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 0);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new FileNotFoundException($"cannot read '{path}': there is no such file", path, e);
        }
        catch (UnauthorizedAccessException e)
        {
            throw new IOException($"cannot read '{path}': no permission", e);
        }
    }
}
