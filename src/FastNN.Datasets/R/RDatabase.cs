namespace FastNN.Data;

/// <summary>
/// The values of an R package that are loaded when they are used: an index (<c>.rdx</c>, which tells place and length of each)
/// and a database (<c>.rdb</c>).
/// </summary>
internal static class RDatabase
{
    /// <summary>A value by its name.</summary>
    /// <param name="path">The database's path without its ending.</param>
    /// <param name="name">The value.</param>
    /// <exception cref="FileFormatException">A file is malformed, or there is no such value.</exception>
    public static RValue Read(string path, string name)
    {
        string indexPath = path + ".rdx", databasePath = path + ".rdb";
        if (RFile.ReadOne(indexPath) is not RList index || Named(index, "variables") is not RList variables)
        {
            throw new FileFormatException(indexPath, 0, "an index with a list of variables", "another value");
        }

        // The compression was a truth value before it was a number.
        int compression = Named(index, "compressed") is RIntegers { Values: [var known] } ? known : 0;
        if (compression is not (1 or 2 or 3))
        {
            throw new FileFormatException(indexPath, 0, "compression 1, 2 or 3", $"{compression}");
        }

        if (Named(variables, name) is not RIntegers { Values: [var start, var length] })
        {
            throw new FileFormatException(indexPath, 0, $"the place of '{name}'", "none");
        }

        using FileStream file = Formats.InputFile.OpenRead(databasePath);
        byte[] database = BoundedContent.Read(file, databasePath, RFile.MaxBytes, file.Length);
        return start >= 0 && length >= 0 && (long)start + length <= database.Length
            ? new RReader(RCompression.DecompressValue(database, start, length, compression, databasePath), databasePath).Read()
            : throw new FileFormatException(
                indexPath, 0, $"a place of '{name}' within {database.Length} bytes", $"{length} bytes at {start}");
    }

    private static RValue? Named(RList list, string name)
    {
        int at = Array.IndexOf(list.Texts("names") ?? [], name);
        return at >= 0 && at < list.Count ? list.Values[at] : null;
    }
}
