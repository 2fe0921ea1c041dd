using System.Buffers;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;

namespace FastNN.Data;

/// <summary>
/// Subwords by byte-pair encoding (Sennrich et al., 2016) of UTF-8, as GPT-2 has it: symbols 0 to 255 are the bytes, and each
/// further one is what two of those before were joined to, the most frequent pair first. Pairs are joined within words alone,
/// and a space belongs to the word behind it. Any text comes back from its symbols as it was; unpaired surrogates, which are no
/// text, come back as U+FFFD.
/// </summary>
public sealed class BytePairVocabulary
{
    private const int Bytes = 256;
    private const string Header = "byte-pair-vocabulary 1";

    private readonly byte[][] _symbols;
    private readonly (int First, int Second)[] _merges;
    private readonly Dictionary<(int First, int Second), int> _joined = [];

    private BytePairVocabulary(IReadOnlyList<(int First, int Second)> merges)
    {
        _merges = [.. merges];
        _symbols = new byte[Bytes + merges.Count][];
        for (int i = 0; i < _symbols.Length; i++)
        {
            _symbols[i] = i < Bytes ? [(byte)i] : [.. _symbols[merges[i - Bytes].First], .. _symbols[merges[i - Bytes].Second]];
            if (i >= Bytes)
            {
                _joined.Add(merges[i - Bytes], i);
            }
        }
    }

    /// <summary>How many symbols there are, the 256 bytes included.</summary>
    public int Count => _symbols.Length;

    /// <summary>Learns a vocabulary from texts. Of pairs that are equally frequent the one of the smaller symbols is joined
    /// first.</summary>
    /// <param name="texts">The texts.</param>
    /// <param name="count">The most symbols, the 256 bytes included; there are fewer where no pair occurs twice.</param>
    /// <returns>The vocabulary.</returns>
    /// <exception cref="ArgumentOutOfRangeException">The count is below 256.</exception>
    public static BytePairVocabulary Train(IEnumerable<string> texts, int count)
    {
        ArgumentNullException.ThrowIfNull(texts);
        ArgumentOutOfRangeException.ThrowIfLessThan(count, Bytes);
        return new BytePairVocabulary(new BytePairTraining(texts.SelectMany(Words)).Merge(count - Bytes));
    }

    /// <summary>Reads a vocabulary that <see cref="Save"/> wrote.</summary>
    /// <param name="path">The file.</param>
    /// <returns>The vocabulary.</returns>
    /// <exception cref="FileFormatException">The file is malformed.</exception>
    /// <exception cref="IOException">The file does not exist or cannot be read.</exception>
    public static BytePairVocabulary Load(string path)
    {
        ArgumentNullException.ThrowIfNull(path);
        using var file = new StreamReader(path);
        if (file.ReadLine() is var header && header != Header)
        {
            throw new FileFormatException(path, 1, 1, Header, header ?? "the end of the file");
        }

        List<(int, int)> merges = [];
        HashSet<(int, int)> known = [];
        while (file.ReadLine() is { } line)
        {
            string[] parts = line.Split(' ');
            int Symbol(int i) => i < parts.Length
                && int.TryParse(parts[i], NumberStyles.None, CultureInfo.InvariantCulture, out int symbol)
                && symbol < Bytes + merges.Count ? symbol : -1;
            (int first, int second) = (Symbol(0), Symbol(1));
            if (parts.Length != 2 || first < 0 || second < 0 || !known.Add((first, second)))
            {
                throw new FileFormatException(
                    path, merges.Count + 2, 1, string.Create(
                        CultureInfo.InvariantCulture, $"a new pair of two symbols below {Bytes + merges.Count}"), line);
            }

            merges.Add((first, second));
        }

        return new BytePairVocabulary(merges);
    }

    /// <summary>Writes the vocabulary: a line for each pair that was joined, in their order.</summary>
    /// <param name="stream">Receives it; it stays open.</param>
    public void Save(Stream stream)
    {
        ArgumentNullException.ThrowIfNull(stream);
        using var file = new StreamWriter(stream, new UTF8Encoding(false), leaveOpen: true) { NewLine = "\n" };
        file.WriteLine(Header);
        foreach ((int first, int second) in _merges)
        {
            file.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{first} {second}"));
        }
    }

    /// <summary>A text as symbols.</summary>
    /// <param name="text">The text.</param>
    /// <returns>The symbols.</returns>
    public int[] Encode(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        List<int> symbols = new(text.Length / 2);
        foreach (string word in Words(text))
        {
            int first = symbols.Count;
            foreach (byte one in Encoding.UTF8.GetBytes(word))
            {
                symbols.Add(one);
            }

            Join(symbols, first);
        }

        return [.. symbols];
    }

    /// <summary>Symbols as a text. Bytes that are no UTF-8, as a model may write them, become U+FFFD.</summary>
    /// <param name="symbols">The symbols.</param>
    /// <returns>The text.</returns>
    /// <exception cref="ArgumentOutOfRangeException">There is no such symbol.</exception>
    public string Decode(ReadOnlySpan<int> symbols)
    {
        var bytes = new ArrayBufferWriter<byte>();
        foreach (int symbol in symbols)
        {
            bytes.Write((uint)symbol < (uint)_symbols.Length
                ? _symbols[symbol]
                : throw new ArgumentOutOfRangeException(nameof(symbols), symbol, string.Create(
                    CultureInfo.InvariantCulture, $"BytePairVocabulary: expected symbols of 0 to {_symbols.Length - 1}.")));
        }

        return Encoding.UTF8.GetString(bytes.WrittenSpan);
    }

    /// <summary>
    /// A text's words: letters, digits, or other characters that stand side by side, with the space in front of them; and white
    /// space.
    /// </summary>
    internal static IEnumerable<string> Words(string text)
    {
        for (int at = 0; at < text.Length;)
        {
            int start = at;
            if (text[at] == ' ' && at + 1 < text.Length && !char.IsWhiteSpace(text[at + 1]))
            {
                at++;
            }

            for (int kind = Kind(text[at]); at < text.Length && Kind(text[at]) == kind; at++)
            {
                if (kind == 0 && at > start && text[at] == ' ' && at + 1 < text.Length && !char.IsWhiteSpace(text[at + 1]))
                {
                    // The last space belongs to the word behind it.
                    break;
                }
            }

            yield return text[start..at];
        }
    }

    private static int Kind(char character) => char.IsWhiteSpace(character) ? 0
        : char.IsLetter(character) ? 1
        : char.IsDigit(character) ? 2
        : char.IsSurrogate(character) ? 4
        : 3;

    /// <summary>Joins a word's pairs, those that were joined first in training first.</summary>
    private void Join(List<int> symbols, int first)
    {
        while (true)
        {
            int best = int.MaxValue, place = -1;
            for (int i = first; i + 1 < symbols.Count; i++)
            {
                if (_joined.TryGetValue((symbols[i], symbols[i + 1]), out int joined) && joined < best)
                {
                    (best, place) = (joined, i);
                }
            }

            if (place < 0)
            {
                return;
            }

            symbols[place] = best;
            symbols.RemoveAt(place + 1);
        }
    }
}

/// <summary>Learns which pairs of symbols to join: the counts of all pairs, kept while words get shorter.</summary>
internal sealed class BytePairTraining
{
    private readonly List<List<int>> _words = [];
    private readonly List<long> _counts = [];
    private readonly Dictionary<(int First, int Second), long> _pairs = [];
    private readonly Dictionary<(int First, int Second), HashSet<int>> _places = [];
    private readonly PriorityQueue<(int First, int Second), (long Count, int First, int Second)> _queue = new();

    public BytePairTraining(IEnumerable<string> words)
    {
        var counts = new Dictionary<string, long>(StringComparer.Ordinal);
        foreach (string word in words)
        {
            CollectionsMarshal.GetValueRefOrAddDefault(counts, word, out _)++;
        }

        foreach ((string word, long count) in counts)
        {
            _words.Add([.. Encoding.UTF8.GetBytes(word)]);
            _counts.Add(count);
            Count(_words.Count - 1, 1);
        }

        foreach (((int, int) pair, long count) in _pairs)
        {
            Enqueue(pair, count);
        }
    }

    public List<(int First, int Second)> Merge(int most)
    {
        List<(int First, int Second)> merges = [];
        while (merges.Count < most && _queue.TryDequeue(out (int First, int Second) pair, out (long Count, int, int) key))
        {
            long count = _pairs.GetValueOrDefault(pair);
            if (count != -key.Count)
            {
                // It was counted anew since it was put there, and stands elsewhere in the queue where it still occurs.
                continue;
            }

            if (count < 2)
            {
                break;
            }

            Join(pair, 256 + merges.Count);
            merges.Add(pair);
        }

        return merges;
    }

    private void Join((int First, int Second) pair, int symbol)
    {
        HashSet<(int, int)> changed = [];
        foreach (int number in _places[pair])
        {
            List<int> word = _words[number];
            Note(word, changed);
            Count(number, -1);
            int kept = 0;
            for (int i = 0; i < word.Count; i++)
            {
                bool joins = i + 1 < word.Count && word[i] == pair.First && word[i + 1] == pair.Second;
                word[kept++] = joins ? symbol : word[i];
                i += joins ? 1 : 0;
            }

            word.RemoveRange(kept, word.Count - kept);
            Count(number, 1);
            Note(word, changed);
        }

        _places.Remove(pair);
        _pairs.Remove(pair);
        foreach ((int, int) other in changed)
        {
            if (_pairs.GetValueOrDefault(other) is > 1 and var count)
            {
                Enqueue(other, count);
            }
        }
    }

    /// <summary>Adds a word's pairs to the counts, or takes them off.</summary>
    private void Count(int number, int sign)
    {
        List<int> word = _words[number];
        for (int i = 0; i + 1 < word.Count; i++)
        {
            (int, int) pair = (word[i], word[i + 1]);
            CollectionsMarshal.GetValueRefOrAddDefault(_pairs, pair, out _) += sign * _counts[number];
            if (sign > 0)
            {
                ref HashSet<int>? places = ref CollectionsMarshal.GetValueRefOrAddDefault(_places, pair, out _);
                (places ??= []).Add(number);
            }
        }
    }

    private static void Note(List<int> word, HashSet<(int, int)> pairs)
    {
        for (int i = 0; i + 1 < word.Count; i++)
        {
            pairs.Add((word[i], word[i + 1]));
        }
    }

    private void Enqueue((int First, int Second) pair, long count) => _queue.Enqueue(pair, (-count, pair.First, pair.Second));
}
