using FastNN.Data;

namespace FastNN.Tests.Data;

internal sealed class CharacterVocabularyTests
{
    [Test]
    public void Texts_come_back()
    {
        const string text = "Zwölf Boxkämpfer — 12 \U0001F44D\n";
        CharacterVocabulary vocabulary = CharacterVocabulary.Of([text]);
        int[] symbols = vocabulary.Encode(text);
        Assert.That(symbols, Has.Length.EqualTo(text.Length - 1), "a character outside the basic plane is one symbol");
        Assert.That(symbols, Is.All.InRange(1, vocabulary.Count - 1));
        Assert.That(vocabulary.Decode(symbols), Is.EqualTo(text));
    }

    [Test]
    public void Symbols_are_in_the_order_of_code_points()
    {
        CharacterVocabulary vocabulary = CharacterVocabulary.Of(["cab", "b"]);
        Assert.That(vocabulary.Count, Is.EqualTo(4));
        Assert.That(vocabulary.Encode("abc"), Is.EqualTo(new[] { 1, 2, 3 }));
    }

    [Test]
    public void Characters_that_are_kept_make_the_same_vocabulary_again()
    {
        const string text = "b\r\na\U0001F44D c";
        CharacterVocabulary vocabulary = CharacterVocabulary.Of([text]);
        var again = CharacterVocabulary.OfCharacters(vocabulary.Characters);
        Assert.That(vocabulary.Characters, Is.EqualTo("\n\r abc\U0001F44D"));
        Assert.That(again.Encode(text + "d"), Is.EqualTo(vocabulary.Encode(text + "d")));
        foreach (string wrong in new[] { "aba", "a\uFFFD" })
        {
            Assert.That(
                () => CharacterVocabulary.OfCharacters(wrong),
                Throws.ArgumentException.With.Message.Contains("expected each character once and no U+FFFD"));
        }
    }

    [Test]
    public void What_is_rare_or_unknown_is_symbol_0()
    {
        CharacterVocabulary vocabulary = CharacterVocabulary.Of(["aab�", "b�c"], leastCount: 2);
        Assert.That(vocabulary.Count, Is.EqualTo(3));
        Assert.That(vocabulary.Encode("abcz�"), Is.EqualTo(new[] { 1, 2, 0, 0, 0 }));
        Assert.That(vocabulary.Decode([1, 0, 2]), Is.EqualTo("a�b"));
    }

    [Test]
    public void Other_symbols_are_refused()
    {
        CharacterVocabulary vocabulary = CharacterVocabulary.Of(["ab"]);
        Assert.That(() => vocabulary.Decode([3]), Throws.TypeOf<ArgumentOutOfRangeException>());
        Assert.That(() => vocabulary.Decode([-1]), Throws.TypeOf<ArgumentOutOfRangeException>());
        Assert.That(() => CharacterVocabulary.Of(["a"], 0), Throws.TypeOf<ArgumentOutOfRangeException>());
    }
}
