using FastNN.Data;

namespace FastNN.Tests.Data;

internal sealed class KneserNeyTests
{
    [Test]
    public void A_small_model_is_that_computed_by_hand()
    {
        // Bigrams 01 (twice), 10 and 00; no count of 3 or 4, so a half is taken off. In front of 0 come two symbols, of 1 one.
        var model = new KneserNeyModel(2, 2, [[0, 1, 0, 0, 1]]);
        double[] unigrams = [(1.5 + (2 * 0.5 * 0.5)) / 3, (0.5 + (2 * 0.5 * 0.5)) / 3];
        Assert.That(unigrams, Is.EqualTo(new[] { 2 / 3.0, 1 / 3.0 }).Within(1e-15));
        Assert.That(model.Probability([], 0), Is.EqualTo(unigrams[0]).Within(1e-15));
        Assert.That(model.Probability([], 1), Is.EqualTo(unigrams[1]).Within(1e-15));
        Assert.That(model.Probability([0], 1), Is.EqualTo((1.5 + (1 / 3.0)) / 3).Within(1e-15));
        Assert.That(model.Probability([0], 0), Is.EqualTo((0.5 + (2 / 3.0)) / 3).Within(1e-15));
        Assert.That(model.Probability([1, 0, 1], 0), Is.EqualTo(0.5 + (0.5 * 2 / 3)).Within(1e-15));
        double bits = -(Math.Log2(2 / 3.0) + Math.Log2((1.5 + (1 / 3.0)) / 3) + Math.Log2(0.5 / 3)) / 3;
        Assert.That(model.BitsPerSymbol([0, 1, 1]), Is.EqualTo(bits).Within(1e-12));
        Assert.That(model.BitsPerSymbol([0, 1, 1], first: 2), Is.EqualTo(-Math.Log2(0.5 / 3)).Within(1e-12));
    }

    [TestCase(1)]
    [TestCase(2)]
    [TestCase(3)]
    [TestCase(4)]
    public void Probabilities_are_those_of_the_paper(int length)
    {
        const int symbols = 5;
        int[][] sequences = [Sequence(700, 1), Sequence(300, 2), Sequence(2, 3)];
        var model = new KneserNeyModel(length, symbols, sequences);
        var reference = new Reference(length, symbols, sequences);
        int[] text = Sequence(200, 4);
        for (int i = 0; i < text.Length; i++)
        {
            int[] context = text[Math.Max(0, i - 6)..i];
            Assert.That(
                model.Probability(context, text[i]), Is.EqualTo(reference.Probability(context, text[i])).Within(1e-12), $"{i}");
        }
    }

    [Test]
    public void Probabilities_are_positive_and_add_up_to_one()
    {
        // Symbol 6 occurs nowhere.
        const int symbols = 7;
        var model = new KneserNeyModel(4, symbols, [Sequence(400, 5)]);
        for (int seed = 0; seed < 50; seed++)
        {
            int[] context = Sequence(seed % 6, seed);
            double[] all = [.. Enumerable.Range(0, symbols).Select(symbol => model.Probability(context, symbol))];
            Assert.That(all, Is.All.GreaterThan(0));
            Assert.That(all.Sum(), Is.EqualTo(1).Within(1e-12));
            Assert.That(model.Probability([6, 6, 6], 6), Is.EqualTo(model.Probability([], 6)));
        }
    }

    [Test]
    public void Longer_contexts_help_where_text_repeats()
    {
        int[] text = [.. Enumerable.Range(0, 3000).Select(i => "the cat sat on the mat. "[i % 24] & 31)];
        double[] bits = [.. Enumerable.Range(1, 5).Select(length => new KneserNeyModel(length, 32, text).BitsPerSymbol(text))];
        Assert.That(bits, Is.Ordered.Descending);
        Assert.That(bits[0], Is.GreaterThan(2.5));
        Assert.That(bits[4], Is.LessThan(0.2));
    }

    [Test]
    public void What_does_not_fit_is_refused()
    {
        Assert.That(() => new KneserNeyModel(0, 5), Throws.TypeOf<ArgumentOutOfRangeException>());
        Assert.That(() => new KneserNeyModel(2, 0), Throws.TypeOf<ArgumentOutOfRangeException>());
        Assert.That(() => new KneserNeyModel(10, 100), Throws.TypeOf<ArgumentOutOfRangeException>());
        Assert.That(() => new KneserNeyModel(2, 5, [0, 5]), Throws.TypeOf<ArgumentOutOfRangeException>());
        var model = new KneserNeyModel(2, 5, [0, 4]);
        Assert.That(() => model.Probability([0], 5), Throws.TypeOf<ArgumentOutOfRangeException>());
        Assert.That(() => model.Probability([-1], 0), Throws.TypeOf<ArgumentOutOfRangeException>());
        Assert.That(() => model.BitsPerSymbol([]), Throws.TypeOf<ArgumentOutOfRangeException>());
        Assert.That(new KneserNeyModel(3, 4).Probability([1, 2], 3), Is.EqualTo(0.25));
    }

    /// <summary>Symbols 0 to 4, of which some follow others more often.</summary>
    private static int[] Sequence(int count, int seed)
    {
        var random = new Random(seed);
        var symbols = new int[count];
        for (int i = 1; i < count; i++)
        {
            symbols[i] = random.NextDouble() < 0.5
                ? (symbols[i - 1] + 1) % 5
                : (int)(5 * random.NextDouble() * random.NextDouble());
        }

        return symbols;
    }

    /// <summary>Equations of Chen and Goodman (1999), section 3, one after the other.</summary>
    private sealed class Reference(int length, int symbols, int[][] sequences)
    {
        public double Probability(int[] context, int symbol)
        {
            int[] before = context[Math.Max(0, context.Length - length + 1)..];
            return Probability(before, symbol, before.Length + 1);
        }

        private double Probability(int[] before, int symbol, int order)
        {
            if (order == 0)
            {
                return 1.0 / symbols;
            }

            double shorter = Probability(before.Length == 0 ? before : before[1..], symbol, order - 1);
            Dictionary<string, int> counts = Counts(order);
            int[] own = [.. Enumerable.Range(0, symbols).Select(next => counts.GetValueOrDefault(Name([.. before, next])))];
            if (own.Sum() == 0)
            {
                return shorter;
            }

            double[] of = [.. Enumerable.Range(1, 4).Select(count => (double)counts.Values.Count(value => value == count))];
            double y = of[0] / (of[0] + (2 * of[1]));
            double[] discounts =
                [0, 1 - (2 * y * of[1] / of[0]), 2 - (3 * y * of[2] / of[1]), 3 - (4 * y * of[3] / of[2])];

            // Where the formulas have no value, or one that takes off nothing or more than there is, a half is.
            if (of.Contains(0) || discounts[1..].Any(discount => discount <= 0) || discounts[1] > 1 || discounts[2] > 2)
            {
                discounts = [0, 0.5, 0.5, 0.5];
            }

            double Discount(int count) => discounts[Math.Min(count, 3)];
            return ((own[symbol] - Discount(own[symbol])) + (own.Sum(Discount) * shorter)) / own.Sum();
        }

        private Dictionary<string, int> Counts(int order)
        {
            IEnumerable<string> Grams(int n) => sequences.SelectMany(
                sequence => Enumerable.Range(0, Math.Max(0, sequence.Length - n + 1)).Select(i => Name(sequence[i..(i + n)])));

            // Below the highest order, in how many contexts; each of them one symbol longer, up to the highest.
            IEnumerable<string> grams = Grams(length);
            for (int n = length; n > order; n--)
            {
                grams = grams.Distinct().Select(gram => gram[(gram.IndexOf(' ', StringComparison.Ordinal) + 1)..]);
            }

            return grams.GroupBy(gram => gram).ToDictionary(group => group.Key, group => group.Count());
        }

        private static string Name(int[] gram) => string.Join(' ', gram);
    }
}
