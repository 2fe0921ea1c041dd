namespace FastNN.Tests.Metrics;

/// <summary>BLEU and error rates against numbers found by hand.</summary>
internal sealed class TextMetricTests
{
    [TestCase("the cat sat", "the cat sat", 0)]
    [TestCase("the cat sat", "the cat", 1 / 3.0)]
    [TestCase("the cat sat", "a cat sat down", 2 / 3.0)]
    [TestCase("one", "two three four", 3)]
    [TestCase("", "", 0)]
    [TestCase("", "more", double.PositiveInfinity)]
    public void Words_are_inserted_deleted_and_substituted(string reference, string hypothesis, double expected) =>
        Assert.That(ErrorRate.Words(reference, hypothesis), Is.EqualTo(expected).Within(1e-12));

    [TestCase("kitten", "sitting", 3 / 6.0)]
    [TestCase("flaw", "lawn", 2 / 4.0)]
    [TestCase("a\U0001F600b", "ab", 1 / 3.0)]
    public void Characters_are_code_points(string reference, string hypothesis, double expected) =>
        Assert.That(ErrorRate.Characters(reference, hypothesis), Is.EqualTo(expected).Within(1e-12));

    [Test]
    public void A_corpus_counts_by_its_words() => Assert.That(
        ErrorRate.Words(["a b c", "d"], ["a b c", "e"]), Is.EqualTo(1 / 4.0));

    [Test]
    public void Distances_are_those_of_all_alignments()
    {
        var random = new Random(3);
        for (int i = 0; i < 50; i++)
        {
            int[] a = [.. Enumerable.Range(0, random.Next(5)).Select(_ => random.Next(3))];
            int[] b = [.. Enumerable.Range(0, random.Next(5)).Select(_ => random.Next(3))];
            Assert.That(ErrorRate.EditDistance<int>(a, b), Is.EqualTo(Recursive(a, b)));
        }

        static int Recursive(int[] a, int[] b) => a.Length == 0 || b.Length == 0
            ? a.Length + b.Length
            : Math.Min(
                Recursive(a[1..], b[1..]) + (a[0] == b[0] ? 0 : 1), 1 + Math.Min(Recursive(a[1..], b), Recursive(a, b[1..])));
    }

    [Test]
    public void The_papers_example_has_its_precision()
    {
        // Papineni et al.: "the" counts twice of seven, as often as in a reference.
        string[] candidate = "the the the the the the the".Split(' ');
        IReadOnlyList<string[]> references = ["the cat is on the mat".Split(' '), "there is a cat on the mat".Split(' ')];
        Assert.That(Bleu.Score([candidate], [references], order: 1), Is.EqualTo(2 / 7.0).Within(1e-12));
    }

    [Test]
    public void Precisions_are_averaged_and_short_texts_penalized()
    {
        Assert.That(Bleu.Score(["a b c d e"], ["a b c d e"]), Is.EqualTo(1).Within(1e-12));

        // 1-grams 4 of 4, 2-grams 2 of 3, one word shorter than the reference.
        double expected = Math.Exp(1 - (5 / 4.0)) * Math.Sqrt(1.0 * 2 / 3);
        Assert.That(Bleu.Score(["a b d e"], ["a b c d e"], order: 2), Is.EqualTo(expected).Within(1e-12));
        Assert.That(Bleu.Score(["a x"], ["a b"]), Is.Zero);
        Assert.That(Bleu.Score(["a x"], ["a b"], order: 2, smooth: true), Is.EqualTo(Math.Sqrt(0.5 * 0.5)).Within(1e-12));
    }

    [TestCase("Hello, world!", "Hello , world !")]
    [TestCase("It costs 1,000.50 (or 3.5%).", "It costs 1,000.50 ( or 3.5 % ) .")]
    [TestCase("state-of-the-art, 2003-2005", "state-of-the-art , 2003 - 2005")]
    [TestCase("l'interfaccia \"C++\"", "l'interfaccia \" C + + \"")]
    [TestCase("a &amp; b &lt;c&gt; <skipped>d", "a & b < c > d")]
    [TestCase("un mo-\ndulo\nper Perl", "un modulo per Perl")]
    [TestCase("versione 2.", "versione 2 .")]
    [TestCase("", "")]
    public void Words_are_those_of_published_scores(string text, string words)
    {
        Assert.That(string.Join(' ', Bleu.Tokenize(text)), Is.EqualTo(words));
    }

    [Test]
    public void A_corpus_has_one_precision_for_all_its_texts()
    {
        // 1-grams 4 of 4 and 3 of 4, 2-grams 3 of 3 and 1 of 3, of no length too few.
        double expected = Math.Sqrt(7 / 8.0 * 4 / 6.0);
        Assert.That(
            Bleu.Score(["a b c d", "a b x d"], ["a b c d", "a b c d"], order: 2), Is.EqualTo(expected).Within(1e-12));

        // 7 words for 8 of the references, all of them right.
        double shorter = Math.Exp(1 - (8 / 7.0)) * (7 / 7.0);
        Assert.That(Bleu.Score(["a b c", "a b c d"], ["a b c d", "d c b a"], order: 1), Is.EqualTo(shorter).Within(1e-12));
    }

    [Test]
    public void Mistakes_are_named()
    {
        Assert.That(
            () => ErrorRate.Words(["a"], []), Throws.ArgumentException.With.Message.Contains("each of 1 references, got 0"));
        Assert.That(() => Bleu.Score(["a"], []), Throws.ArgumentException.With.Message.Contains("each of 1 candidates, got 0"));
        Assert.That(
            () => Bleu.Score([["a"]], [[]]), Throws.ArgumentException.With.Message.Contains("one reference for candidate 0"));
        Assert.That(
            () => Bleu.Score(["a"], ["a"], 0),
                Throws.InstanceOf<ArgumentException>().With.Message.Contains("order of at least 1, got 0"));
    }
}
