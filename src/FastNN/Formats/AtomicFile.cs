namespace FastNN.Formats;

/// <summary>Writes a file so that its name never stands for half of its content, not even after a power failure.</summary>
internal static class AtomicFile
{
    private const string Suffix = ".fastnn-tmp";

    // A temporary file is locked from just after its creation until it has its final name; only the first instant is unlocked.
    private static readonly TimeSpan Settled = TimeSpan.FromSeconds(5);

    /// <summary>
    /// Lets <paramref name="body"/> write a temporary file in the folder of <paramref name="path"/> (a rename is atomic only
    /// within one file system), flushes it to the disk, renames it over <paramref name="path"/> and flushes the folder.
    /// A symbolic link stays, its target is replaced; the mode of a replaced file stays. Where anything fails, an older file of
    /// that name stays as it was and the temporary file goes. Temporary files that killed processes left in the folder go as
    /// well.
    /// </summary>
    /// <exception cref="IOException">The folder is missing or not writable, the disk is full, or the path names a folder, a named
    /// pipe or a device; names the path.</exception>
    public static void Write(string path, Action<Stream> body)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        string target = Resolve(path);
        string folder = Path.GetDirectoryName(target)
            ?? throw new IOException($"cannot write '{Quote.Text(path, int.MaxValue)}': it is a root folder");
        if (FileKind.Obstacle(target) is { } obstacle)
        {
            throw new IOException($"cannot write '{Quote.Text(path, int.MaxValue)}': it is {obstacle}");
        }

        if (!Directory.Exists(folder))
        {
            throw new IOException(
                $"cannot write '{Quote.Text(path, int.MaxValue)}': the folder '{Quote.Text(folder, int.MaxValue)}' does not exist");
        }

        string temporary = Path.Combine(folder, $".{Guid.NewGuid():N}{Suffix}");
        try
        {
            Sweep(folder);
            Replace(temporary, target, body);
            Posix.SynchronizeFolder(folder);
        }
        catch (UnauthorizedAccessException e)
        {
            Discard(temporary);
            throw new IOException(
                $"cannot write '{Quote.Text(path, int.MaxValue)}': no permission to write in the folder '{Quote.Text(folder, int.MaxValue)}'", e);
        }
        catch (IOException e)
        {
            Discard(temporary);
            throw new IOException($"cannot write '{Quote.Text(path, int.MaxValue)}': {Quote.Text(e.Message, 300)}", e);
        }
        catch
        {
            Discard(temporary);
            throw;
        }
    }

    /// <summary>Removes the temporary files that killed processes left in a folder.</summary>
    public static void Sweep(string folder)
    {
        foreach (string file in Directory.EnumerateFiles(folder, $".*{Suffix}"))
        {
            try
            {
                if (DateTime.UtcNow - File.GetLastWriteTimeUtc(file) < Settled)
                {
                    continue;
                }

                // Its writer, where it is alive, holds it open unshared: this fails then.
                using (new FileStream(file, FileMode.Open, FileAccess.ReadWrite, FileShare.None, bufferSize: 0))
                {
                    File.Delete(file);
                }
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                // Somebody is writing it, or another process swept it first.
            }
        }
    }

    private static void Replace(string temporary, string target, Action<Stream> body)
    {
        var options =
            new FileStreamOptions
            {
                Mode = FileMode.CreateNew,
                Access = FileAccess.Write,
                Share = FileShare.None,
                BufferSize = 1
                << 16
            };
        UnixFileMode? mode = !OperatingSystem.IsWindows() && File.Exists(target) ? File.GetUnixFileMode(target) : null;
        if (mode is { } kept && !OperatingSystem.IsWindows())
        {
            // From the first byte on: what only its owner could read is not to be readable by others for a moment.
            options.UnixCreateMode = kept & (UnixFileMode.UserRead | UnixFileMode.UserWrite);
        }

        using var stream = new FileStream(temporary, options);
        body(stream);
        if (mode is { } original && !OperatingSystem.IsWindows())
        {
            File.SetUnixFileMode(stream.SafeFileHandle, original);
        }

        stream.Flush(flushToDisk: true);
        if (OperatingSystem.IsWindows())
        {
            // There an open file cannot be renamed, and a closed one can be swept only seconds after its last byte.
            stream.Dispose();
        }

        File.Move(temporary, target, overwrite: true);
    }

    // Where a path is a symbolic link, the file that it leads to, which need not exist yet.
    private static string Resolve(string path)
    {
        string full = Path.GetFullPath(path);
        try
        {
            return File.ResolveLinkTarget(full, returnFinalTarget: true)?.FullName ?? full;
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            return full;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new IOException($"cannot write '{Quote.Text(path, int.MaxValue)}': {Quote.Text(e.Message, 300)}", e);
        }
    }

    private static void Discard(string temporary)
    {
        try
        {
            File.Delete(temporary);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // The first failure is the one to report.
        }
    }
}
