namespace FastNN.Fuzz;

/// <summary>A reader to be fuzzed.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Samples">Valid files to begin with.</param>
/// <param name="Tokens">Pieces of the format that random bytes would not hit upon.</param>
/// <param name="Read">Reads a file, and throws <see cref="FileFormatException"/> or nothing.</param>
/// <param name="MaxAllocated">The most bytes that reading a file of a length may allocate.</param>
internal sealed record FuzzTarget(
    string Name, byte[][] Samples, byte[][] Tokens, Action<byte[]> Read, Func<long, long> MaxAllocated);

/// <summary>A file that broke a promise.</summary>
/// <param name="Target">The reader.</param>
/// <param name="Reason">What happened, in one line.</param>
/// <param name="Path">Where the file is.</param>
internal sealed record FuzzFailure(string Target, string Reason, string Path)
{
    public override string ToString() => $"{Target}: {Reason} ({Path})";
}
