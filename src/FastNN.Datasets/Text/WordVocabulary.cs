using System.Globalization;

namespace FastNN.Data;

/// <summary>
/// The words of texts as symbols: 0 is padding, which no word has, 1 stands for every word that is not in the vocabulary, and the
/// others follow from the most frequent word on. What a word is decides who takes the texts apart.
/// </summary>
public sealed class WordVocabulary
{
    /// <summary>The symbol that fills up sequences.</summary>
    public const int Padding = 0;

    /// <summary>The symbol of words that are not in the vocabulary.</summary>
    public const int Unknown = 1;

    /// <summary>The first symbol that is a word.</summary>
    public const int First = 2;

    private readonly string[] _words;
    private readonly Dictionary<string, int> _symbols = new(StringComparer.Ordinal);

    private WordVocabulary(string[] words)
    {
        _words = words;
        for (int i = 0; i < words.Length; i++)
        {
            _symbols.Add(words[i], First + i);
        }
    }

    /// <summary>How many symbols there are, padding and the unknown word included.</summary>
    public int Count => First + _words.Length;

    /// <summary>The words that occur in some texts often enough; of equally frequent ones the ordinally first.</summary>
    /// <param name="texts">The words of each text.</param>
    /// <param name="leastCount">How often a word has to occur; default 1.</param>
    /// <param name="maxWords">The most words; default all.</param>
    /// <returns>The vocabulary.</returns>
    /// <exception cref="ArgumentOutOfRangeException">A number is not positive.</exception>
    public static WordVocabulary Of(
        IEnumerable<IReadOnlyList<string>> texts, int leastCount = 1, int maxWords = int.MaxValue)
    {
        ArgumentNullException.ThrowIfNull(texts);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(leastCount);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(maxWords);
        var counts = new Dictionary<string, int>(StringComparer.Ordinal);
        foreach (string word in texts.SelectMany(text => text))
        {
            counts[word] = counts.GetValueOrDefault(word) + 1;
        }

        return new WordVocabulary([
            .. counts.Where(pair => pair.Value >= leastCount).OrderByDescending(pair => pair.Value)
                .ThenBy(pair => pair.Key, StringComparer.Ordinal).Take(maxWords).Select(pair => pair.Key)]);
    }

    /// <summary>The symbol of a word; <see cref="Unknown"/> for words that are not in the vocabulary.</summary>
    /// <param name="word">The word.</param>
    /// <returns>The symbol.</returns>
    public int SymbolOf(string word) => _symbols.GetValueOrDefault(word, Unknown);

    /// <summary>The word of a symbol.</summary>
    /// <param name="symbol">From <see cref="First"/> to <see cref="Count"/> - 1.</param>
    /// <returns>The word.</returns>
    /// <exception cref="ArgumentOutOfRangeException">No word has this symbol.</exception>
    public string WordOf(int symbol) => symbol >= First && symbol < Count
        ? _words[symbol - First]
        : throw new ArgumentOutOfRangeException(nameof(symbol), symbol, string.Create(
            CultureInfo.InvariantCulture, $"WordVocabulary: expected a symbol of {First} to {Count - 1}."));

    /// <summary>A text as symbols.</summary>
    /// <param name="words">Its words.</param>
    /// <returns>A symbol for each.</returns>
    public int[] Encode(IReadOnlyList<string> words)
    {
        ArgumentNullException.ThrowIfNull(words);
        var symbols = new int[words.Count];
        for (int i = 0; i < symbols.Length; i++)
        {
            symbols[i] = SymbolOf(words[i]);
        }

        return symbols;
    }
}
