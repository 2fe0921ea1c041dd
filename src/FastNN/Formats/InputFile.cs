namespace FastNN.Formats;

/// <summary>Opens regular files for reading, with one clear line where that fails.</summary>
internal static class InputFile
{
    /// <exception cref="IOException">The file does not exist, is a folder, a named pipe or a device, or may not be read; names
    /// the path.</exception>
    public static FileStream OpenRead(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        if (FileKind.Obstacle(path) is { } obstacle)
        {
            throw Refusal(path, obstacle);
        }

        FileStream file = Open(path);
        if (file.CanSeek)
        {
            return file;
        }

        // Pipes and terminals on systems where their kind cannot be asked for beforehand.
        file.Dispose();
        throw Refusal(path, "no regular file");
    }

    private static FileStream Open(string path)
    {
        try
        {
            // The readers bring buffers of their own.
            return new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 0);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new FileNotFoundException($"cannot read '{Quote.Text(path, int.MaxValue)}': there is no such file", path, e);
        }
        catch (UnauthorizedAccessException e)
        {
            throw new IOException($"cannot read '{Quote.Text(path, int.MaxValue)}': no permission", e);
        }
    }

    private static IOException Refusal(string path, string obstacle) => new(obstacle == "a folder"
        ? $"cannot read '{Quote.Text(path, int.MaxValue)}': it is a folder"
        : $"cannot read '{Quote.Text(path, int.MaxValue)}': it is {obstacle}; paths must name regular files, anything else is read through a Stream");
}
