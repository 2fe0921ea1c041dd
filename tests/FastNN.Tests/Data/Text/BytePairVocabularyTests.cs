using System.Text;
using FastNN.Data;

namespace FastNN.Tests.Data;

internal sealed class BytePairVocabularyTests
{
    private static readonly string[] Corpus =
        ["low low low low low", "lower lower", "newest newest newest newest newest newest", "widest widest widest"];

    [Test]
    public void The_most_frequent_pairs_are_joined_first()
    {
        // The example of Sennrich et al.: "es" and "est" come first.
        BytePairVocabulary vocabulary = BytePairVocabulary.Train(Corpus, 256 + 2);
        Assert.That(vocabulary.Count, Is.EqualTo(258));
        Assert.That(vocabulary.Decode([256]), Is.EqualTo("es"));
        Assert.That(vocabulary.Decode([257]), Is.EqualTo("est"));
        Assert.That(vocabulary.Encode("best"), Is.EqualTo(new[] { 'b', 257 }));
    }

    [Test]
    public void Frequent_words_are_single_symbols_and_pairs_that_occur_once_none()
    {
        BytePairVocabulary vocabulary = BytePairVocabulary.Train([.. Corpus, "xyz"], 1000);
        Assert.That(vocabulary.Count, Is.LessThan(300));
        Assert.That(vocabulary.Encode(" newest"), Has.Length.EqualTo(1));
        Assert.That(vocabulary.Encode("xyz"), Has.Length.EqualTo(3));
    }

    [Test]
    public void Overlapping_pairs_are_joined_from_the_left()
    {
        BytePairVocabulary vocabulary = BytePairVocabulary.Train(["aaaaa", "aaaaa"], 258);
        Assert.That(vocabulary.Encode("aaaaa").Select(symbol => vocabulary.Decode([symbol])), Is.EqualTo(new[] { "aa", "aaa" }));
    }

    [TestCase("")]
    [TestCase(" ")]
    [TestCase("  two  spaces   \t\r\n and lines\n\n")]
    [TestCase("Zwölf Boxkämpfer — 12,5 \U0001F44D\U0001F44D \u4f60\u597d e\u0301 \0 \ufffd")]
    [TestCase(" newest lowest; (C++) 2.6.32-5")]
    public void Any_text_comes_back(string text)
    {
        BytePairVocabulary vocabulary = BytePairVocabulary.Train(Corpus, 290);
        Assert.That(vocabulary.Decode(vocabulary.Encode(text)), Is.EqualTo(text));
        Assert.That(string.Concat(BytePairVocabulary.Words(text)), Is.EqualTo(text));
    }

    [Test]
    public void Random_texts_come_back()
    {
        BytePairVocabulary vocabulary = BytePairVocabulary.Train(Corpus, 280);
        var random = new Random(1);
        for (int i = 0; i < 300; i++)
        {
            var text = new StringBuilder();
            for (int n = random.Next(30); n > 0; n--)
            {
                text.Append(new Rune(random.Next(4) switch
                {
                    0 => ' ',
                    1 => random.Next(128),
                    2 => random.Next(0xd800),
                    _ => random.Next(0xe000, 0x110000),
                }));
            }

            Assert.That(vocabulary.Decode(vocabulary.Encode(text.ToString())), Is.EqualTo(text.ToString()));
        }
    }

    [Test]
    public void Learning_is_as_counting_all_pairs_anew_would_have_it()
    {
        var random = new Random(2);
        string[] words = [.. Enumerable.Range(0, 60).Select(_ => string.Concat(
            Enumerable.Range(0, random.Next(1, 9)).Select(_ => "abc"[random.Next(3)])))];
        BytePairVocabulary vocabulary = BytePairVocabulary.Train(words, 256 + 25);
        List<List<int>> parts = [.. words.Select(word => word.Select(c => (int)c).ToList())];
        for (int symbol = 256; symbol < vocabulary.Count; symbol++)
        {
            (int First, int Second) pair = parts
                .SelectMany(part => part.Zip(part.Skip(1))).GroupBy(one => one)
                .OrderByDescending(group => group.Count()).ThenBy(group => group.Key.First).ThenBy(group => group.Key.Second)
                .First().Key;
            string joined = vocabulary.Decode([pair.First, pair.Second]);
            Assert.That(vocabulary.Decode([symbol]), Is.EqualTo(joined), $"symbol {symbol}");
            foreach (List<int> part in parts)
            {
                for (int i = 0; i + 1 < part.Count; i++)
                {
                    if ((part[i], part[i + 1]) == pair)
                    {
                        part[i] = symbol;
                        part.RemoveAt(i + 1);
                    }
                }
            }
        }
    }

    [Test]
    public void A_file_has_all_of_it()
    {
        BytePairVocabulary vocabulary = BytePairVocabulary.Train(Corpus, 270);
        string path = Path.GetTempFileName();
        try
        {
            using (FileStream file = File.Create(path))
            {
                vocabulary.Save(file);
            }

            BytePairVocabulary loaded = BytePairVocabulary.Load(path);
            Assert.That(loaded.Count, Is.EqualTo(vocabulary.Count));
            Assert.That(loaded.Encode(Corpus[2]), Is.EqualTo(vocabulary.Encode(Corpus[2])));
            foreach ((string content, string expected) in new[]
            {
                ("", "byte-pair-vocabulary 1"), ("byte-pair-vocabulary 2\n", "byte-pair-vocabulary 1"),
                ("byte-pair-vocabulary 1\n97 98\n256 258\n", "below 257"), ("byte-pair-vocabulary 1\n97\n", "below 256"),
                ("byte-pair-vocabulary 1\n97 98\n97 98\n", "a new pair"),
            })
            {
                File.WriteAllText(path, content);
                Assert.That(
                    () => BytePairVocabulary.Load(path), Throws.TypeOf<FileFormatException>().With.Message.Contains(expected));
            }
        }
        finally
        {
            File.Delete(path);
        }
    }

    [Test]
    public void What_is_no_symbol_is_refused()
    {
        BytePairVocabulary vocabulary = BytePairVocabulary.Train(Corpus, 260);
        Assert.That(
            () => vocabulary.Decode([260]), Throws.TypeOf<ArgumentOutOfRangeException>().With.Message.Contains("0 to 259"));
        Assert.That(() => BytePairVocabulary.Train(Corpus, 255), Throws.TypeOf<ArgumentOutOfRangeException>());
        Assert.That(vocabulary.Decode([0xff]), Is.EqualTo("\ufffd"));
    }
}
