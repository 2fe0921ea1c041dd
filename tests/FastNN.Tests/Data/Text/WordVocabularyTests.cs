using FastNN.Data;

namespace FastNN.Tests.Data;

internal sealed class WordVocabularyTests
{
    [Test]
    public void Frequent_words_come_first_and_equally_frequent_ones_in_their_order()
    {
        WordVocabulary vocabulary = WordVocabulary.Of([["b", "a", "c"], ["c", "d"]]);
        Assert.That(vocabulary.Count, Is.EqualTo(6));
        Assert.That(vocabulary.Encode(["c", "a", "b", "d"]), Is.EqualTo(new[] { 2, 3, 4, 5 }));
        Assert.That(Enumerable.Range(2, 4).Select(vocabulary.WordOf), Is.EqualTo(new[] { "c", "a", "b", "d" }));
    }

    [Test]
    public void Words_that_are_rare_or_too_many_are_unknown()
    {
        string[][] texts = [["a", "a", "b", "c"], ["b", "a"]];
        WordVocabulary often = WordVocabulary.Of(texts, leastCount: 2), one = WordVocabulary.Of(texts, maxWords: 1);
        Assert.That(often.Encode(["a", "b", "c", "A", ""]), Is.EqualTo(new[] { 2, 3, 1, 1, 1 }));
        Assert.That(one.Count, Is.EqualTo(3));
        Assert.That(one.Encode(["b", "a"]), Is.EqualTo(new[] { WordVocabulary.Unknown, WordVocabulary.First }));
        Assert.That(WordVocabulary.Of([]).Count, Is.EqualTo(2));
    }

    [Test]
    public void Symbols_without_a_word_are_refused()
    {
        WordVocabulary vocabulary = WordVocabulary.Of([["a"]]);
        foreach (int symbol in (int[])[-1, 0, 1, 3])
        {
            Assert.That(() => vocabulary.WordOf(symbol), Throws.TypeOf<ArgumentOutOfRangeException>());
        }

        Assert.That(() => WordVocabulary.Of([], leastCount: 0), Throws.TypeOf<ArgumentOutOfRangeException>());
        Assert.That(() => WordVocabulary.Of([], maxWords: 0), Throws.TypeOf<ArgumentOutOfRangeException>());
    }
}
