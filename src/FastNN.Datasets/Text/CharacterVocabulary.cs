using System.Globalization;
using System.Text;

namespace FastNN.Data;

/// <summary>
/// The characters (Unicode scalar values) of texts as symbols 1, 2, 3 ... in the order of their code points, or in a given one.
/// Symbol 0 stands for every other character, and is written as U+FFFD.
/// </summary>
public sealed class CharacterVocabulary
{
    private readonly Rune[] _characters;
    private readonly Dictionary<Rune, int> _symbols = [];

    private CharacterVocabulary(IEnumerable<Rune> characters)
    {
        _characters = [Rune.ReplacementChar, .. characters];
        for (int i = 1; i < _characters.Length; i++)
        {
            _symbols.Add(_characters[i], i);
        }
    }

    /// <summary>How many symbols there are, that of unknown characters included.</summary>
    public int Count => _characters.Length;

    /// <summary>The characters that occur in some texts often enough.</summary>
    /// <param name="texts">The texts.</param>
    /// <param name="leastCount">How often a character has to occur; default 1.</param>
    /// <returns>The vocabulary.</returns>
    public static CharacterVocabulary Of(IEnumerable<string> texts, int leastCount = 1)
    {
        ArgumentNullException.ThrowIfNull(texts);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(leastCount);
        var counts = new Dictionary<Rune, int>();
        foreach (string text in texts)
        {
            foreach (Rune character in text.EnumerateRunes())
            {
                counts[character] = counts.GetValueOrDefault(character) + 1;
            }
        }

        counts.Remove(Rune.ReplacementChar);
        return new CharacterVocabulary(counts.Where(pair => pair.Value >= leastCount).Select(pair => pair.Key).Order());
    }

    /// <summary>The vocabulary of these characters, in their order: what <see cref="Characters"/> told.</summary>
    /// <param name="characters">Each once; the first becomes symbol 1.</param>
    /// <returns>The vocabulary.</returns>
    /// <exception cref="ArgumentException">A character stands there twice, or is the one for unknown characters.</exception>
    public static CharacterVocabulary OfCharacters(string characters)
    {
        ArgumentNullException.ThrowIfNull(characters);
        Rune[] all = [.. characters.EnumerateRunes()];
        var seen = new HashSet<Rune> { Rune.ReplacementChar };
        foreach (Rune character in all)
        {
            if (!seen.Add(character))
            {
                throw new ArgumentException(
                    $"CharacterVocabulary: expected each character once and no U+FFFD, got U+{character.Value:X4} too often.",
                    nameof(characters));
            }
        }

        return new CharacterVocabulary(all);
    }

    /// <summary>
    /// The characters in the order of their symbols, without that of unknown ones: a text to keep beside a model, which
    /// <see cref="OfCharacters"/> reads.
    /// </summary>
    public string Characters => string.Concat(_characters.Skip(1));

    /// <summary>A text as symbols, one for each character.</summary>
    /// <param name="text">The text.</param>
    /// <returns>The symbols.</returns>
    public int[] Encode(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        var symbols = new List<int>(text.Length);
        foreach (Rune character in text.EnumerateRunes())
        {
            symbols.Add(_symbols.GetValueOrDefault(character));
        }

        return [.. symbols];
    }

    /// <summary>Symbols as a text.</summary>
    /// <param name="symbols">The symbols.</param>
    /// <returns>The text.</returns>
    /// <exception cref="ArgumentOutOfRangeException">There is no such symbol.</exception>
    public string Decode(ReadOnlySpan<int> symbols)
    {
        var text = new StringBuilder(symbols.Length);
        foreach (int symbol in symbols)
        {
            if ((uint)symbol >= (uint)_characters.Length)
            {
                throw new ArgumentOutOfRangeException(nameof(symbols), symbol, string.Create(
                    CultureInfo.InvariantCulture,
                    $"CharacterVocabulary: expected symbols of 0 to {_characters.Length - 1}."));
            }

            text.Append(_characters[symbol]);
        }

        return text.ToString();
    }
}
