namespace FastNN.Hosting;

/// <summary>Whether paths stay within a folder.</summary>
internal static class FolderPath
{
    private const int MostLinks = 40;

    /// <summary>Whether a file or folder lies within another folder, links on the way followed.</summary>
    public static bool IsInside(string root, string path)
    {
        string realRoot = Resolve(root), real = Resolve(path);
        string prefix = Path.EndsInDirectorySeparator(realRoot) ? realRoot : realRoot + Path.DirectorySeparatorChar;
        return real.StartsWith(prefix, StringComparison.Ordinal);
    }

    /// <summary>The path without links.</summary>
    private static string Resolve(string path)
    {
        string full = Path.GetFullPath(path);
        string at = Path.GetPathRoot(full)!;
        var rest = new Stack<string>(Segments(full[at.Length..]).Reverse());
        int links = 0;
        while (rest.TryPop(out string? segment))
        {
            string next = Path.Combine(at, segment);
            if (new FileInfo(next).LinkTarget is not { } target)
            {
                at = next;
                continue;
            }

            if (++links > MostLinks)
            {
                throw new IOException("too many links in a path of the models' folder");
            }

            // The target's own folders may be links as well.
            string resolved = Path.GetFullPath(target, at);
            at = Path.GetPathRoot(resolved)!;
            foreach (string part in Segments(resolved[at.Length..]).Reverse())
            {
                rest.Push(part);
            }
        }

        return at;
    }

    private static string[] Segments(string path) =>
        path.Split([Path.DirectorySeparatorChar, Path.AltDirectorySeparatorChar], StringSplitOptions.RemoveEmptyEntries);
}
