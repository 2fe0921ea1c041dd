namespace FastNN.Formats;

/// <summary>
/// Keeps readers and writers to regular files. A named pipe makes a reader wait for ever, a device has no end or no memory of
/// what was written, and both would be destroyed by being replaced.
/// </summary>
internal static class FileKind
{
    private const int Regular = 0x8000; // S_IFREG

    /// <summary>What stands in the way of using a path as a regular file, such as "a folder"; null where nothing does.</summary>
    public static string? Obstacle(string path)
    {
        if (Directory.Exists(path))
        {
            return "a folder";
        }

        return Posix.FileType(path) switch
        {
            null or Regular => null,
            0x1000 => "a named pipe (FIFO)",
            0x2000 => "a character device",
            0x6000 => "a block device",
            0xC000 => "a socket",
            _ => "no regular file",
        };
    }
}
