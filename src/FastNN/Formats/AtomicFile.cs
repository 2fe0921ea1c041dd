namespace FastNN.Formats;

/// <summary>Writes a file so that its name never stands for half of its content.</summary>
internal static class AtomicFile
{
    /// <summary>
    /// Lets <paramref name="body"/> write a temporary file in the folder of <paramref name="path"/> (a rename is atomic only
    /// within one file system), flushes it to the disk and renames it over <paramref name="path"/>.
    /// Where anything fails, an older file of that name stays as it was and the temporary file goes.
    /// </summary>
    /// <exception cref="IOException">The folder is missing or not writable, or the disk is full; names the path.</exception>
    public static void Write(string path, Action<Stream> body)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        string target = Path.GetFullPath(path);
        string folder = Path.GetDirectoryName(target) ?? throw new IOException($"cannot write '{path}': it is a root folder");
        if (Directory.Exists(target))
            throw new IOException($"cannot write '{path}': it is a folder");
        if (!Directory.Exists(folder))
            throw new IOException($"cannot write '{path}': the folder '{folder}' does not exist");

        string temporary = Path.Combine(folder, $".{Guid.NewGuid():N}.tmp");
        try
        {
            using (var stream = new FileStream(temporary, FileMode.CreateNew, FileAccess.Write, FileShare.None, 1 << 16))
            {
                body(stream);
                stream.Flush(flushToDisk: true);
            }

            File.Move(temporary, target, overwrite: true);
        }
        catch (UnauthorizedAccessException e)
        {
            Discard(temporary);
            throw new IOException($"cannot write '{path}': no permission to write in the folder '{folder}'", e);
        }
        catch (IOException e)
        {
            Discard(temporary);
            throw new IOException($"cannot write '{path}': {e.Message.ReplaceLineEndings(" ")}", e);
        }
        catch
        {
            Discard(temporary);
            throw;
        }
    }

    private static void Discard(string temporary)
    {
        try
        {
            File.Delete(temporary);
        }
        catch (IOException)
        {
            // The first failure is the one to report.
        }
        catch (UnauthorizedAccessException)
        {
        }
    }
}
