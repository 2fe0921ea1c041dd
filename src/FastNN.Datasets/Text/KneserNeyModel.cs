using System.Runtime.InteropServices;

namespace FastNN.Data;

/// <summary>
/// An n-gram model of symbols with interpolated, modified Kneser-Ney smoothing (Chen and Goodman, 1999): three discounts for each
/// order, from the counts of counts; lower orders count in how many contexts a symbol occurs; the lowest is mixed with the
/// uniform distribution. A yardstick for neural language models.
/// </summary>
public sealed class KneserNeyModel
{
    private readonly Order[] _orders;

    /// <summary>Counts the n-grams of some sequences.</summary>
    /// <param name="length">The length of the n-grams, the symbol predicted included: 5 for a 5-gram model.</param>
    /// <param name="symbols">How many symbols there are.</param>
    /// <param name="sequences">Symbols, 0 to <paramref name="symbols"/> - 1; n-grams do not go from one to the next.</param>
    /// <exception cref="ArgumentOutOfRangeException">A number is not positive, a symbol is out of range, or n-grams of this
    /// length are more than 2^63.</exception>
    public KneserNeyModel(int length, int symbols, params IEnumerable<int[]> sequences)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(length);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(symbols);
        ArgumentNullException.ThrowIfNull(sequences);
        if (length * Math.Log2(symbols) > 63)
        {
            throw new ArgumentOutOfRangeException(
                nameof(length), length, $"KneserNeyModel: expected at most 2^63 n-grams, got {symbols}^{length}.");
        }

        (Length, Symbols) = (length, symbols);
        Dictionary<ulong, int> counts = Count(length, sequences);
        _orders = new Order[length];
        for (int order = length; order > 0; order--)
        {
            _orders[order - 1] = new Order(counts, symbols);
            counts = order > 1 ? Continuations(counts, order - 1) : counts;
        }
    }

    /// <summary>The length of the n-grams.</summary>
    public int Length { get; }

    /// <summary>How many symbols there are.</summary>
    public int Symbols { get; }

    /// <summary>The probability of a symbol behind others.</summary>
    /// <param name="context">What comes before it; of more than <see cref="Length"/> - 1 symbols the last ones count.</param>
    /// <param name="symbol">The symbol.</param>
    /// <returns>Above 0; all symbols' add up to 1.</returns>
    /// <exception cref="ArgumentOutOfRangeException">A symbol is out of range.</exception>
    public double Probability(ReadOnlySpan<int> context, int symbol)
    {
        Require(symbol);
        double probability = 1.0 / Symbols;
        ulong before = 0, place = 1;
        int orders = Math.Min(Length, context.Length + 1);
        for (int order = 1; order <= orders; order++)
        {
            if (order > 1)
            {
                // Keys have the oldest symbol as their highest digit, so that a longer context adds one in front.
                int added = context[^(order - 1)];
                Require(added);
                before += (ulong)added * place;
                place *= (ulong)Symbols;
            }

            if (!_orders[order - 1].TryMix(before, symbol, ref probability))
            {
                break;
            }
        }

        return probability;
    }

    /// <summary>
    /// The mean number of bits that it takes to write a symbol of a sequence, each from what comes before it.
    /// </summary>
    /// <param name="sequence">The symbols.</param>
    /// <param name="first">The first symbol that is counted; default 0.</param>
    /// <returns>Bits per symbol.</returns>
    /// <exception cref="ArgumentOutOfRangeException">A symbol is out of range, or none is counted.</exception>
    public double BitsPerSymbol(ReadOnlySpan<int> sequence, int first = 0)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(first);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(first, sequence.Length);
        double bits = 0;
        for (int i = first; i < sequence.Length; i++)
        {
            bits -= Math.Log2(Probability(sequence[Math.Max(0, i - Length + 1)..i], sequence[i]));
        }

        return bits / (sequence.Length - first);
    }

    private Dictionary<ulong, int> Count(int length, IEnumerable<int[]> sequences)
    {
        var counts = new Dictionary<ulong, int>();
        ulong all = 1;
        for (int i = 0; i < length; i++)
        {
            all *= (ulong)Symbols;
        }

        foreach (int[] sequence in sequences)
        {
            ulong key = 0;
            for (int i = 0; i < sequence.Length; i++)
            {
                Require(sequence[i]);
                key = ((key % (all / (ulong)Symbols)) * (ulong)Symbols) + (ulong)sequence[i];
                if (i + 1 >= length)
                {
                    CollectionsMarshal.GetValueRefOrAddDefault(counts, key, out _)++;
                }
            }
        }

        return counts;
    }

    /// <summary>In how many contexts each shorter n-gram occurs: how many symbols come before it.</summary>
    private Dictionary<ulong, int> Continuations(Dictionary<ulong, int> counts, int order)
    {
        ulong shorter = 1;
        for (int i = 0; i < order; i++)
        {
            shorter *= (ulong)Symbols;
        }

        var continuations = new Dictionary<ulong, int>();
        foreach (ulong key in counts.Keys)
        {
            CollectionsMarshal.GetValueRefOrAddDefault(continuations, key % shorter, out _)++;
        }

        return continuations;
    }

    private void Require(int symbol)
    {
        if ((uint)symbol >= (uint)Symbols)
        {
            throw new ArgumentOutOfRangeException(
                nameof(symbol), symbol, $"KneserNeyModel: expected symbols of 0 to {Symbols - 1}.");
        }
    }

    /// <summary>N-grams of one length, with their counts.</summary>
    private sealed class Order
    {
        private readonly Dictionary<ulong, int> _counts;
        private readonly Dictionary<ulong, Context> _contexts = [];
        private readonly ulong _symbols;
        private readonly double[] _discounts;

        public Order(Dictionary<ulong, int> counts, int symbols)
        {
            (_counts, _symbols) = (counts, (ulong)symbols);
            Span<long> of = stackalloc long[4];
            foreach ((ulong key, int count) in counts)
            {
                if (count <= of.Length)
                {
                    of[count - 1]++;
                }

                ref Context context = ref CollectionsMarshal.GetValueRefOrAddDefault(_contexts, key / _symbols, out _);
                context.Total += count;
                context.Once += count == 1 ? 1 : 0;
                context.Twice += count == 2 ? 1 : 0;
                context.Often += count > 2 ? 1 : 0;
            }

            _discounts = Discounts(of);
        }

        /// <summary>Mixes the probability of the shorter context into that of this one; false where it never occurred.</summary>
        public bool TryMix(ulong before, int symbol, ref double probability)
        {
            if (!_contexts.TryGetValue(before, out Context context))
            {
                return false;
            }

            int count = _counts.GetValueOrDefault((before * _symbols) + (ulong)symbol);
            double own = count == 0 ? 0 : count - _discounts[Math.Min(count, 3) - 1];
            double taken = (_discounts[0] * context.Once) + (_discounts[1] * context.Twice) + (_discounts[2] * context.Often);
            probability = (own + (taken * probability)) / context.Total;
            return true;
        }

        /// <summary>
        /// What is taken off counts of 1, 2, and 3 and more, from the number of n-grams with counts 1 to 4. Few n-grams, as of
        /// single characters, may leave a class empty and the formulas without a value, or with one that takes off nothing or
        /// more than there is: then a half is taken off all.
        /// </summary>
        private static double[] Discounts(ReadOnlySpan<long> of)
        {
            if (!of.Contains(0))
            {
                double share = of[0] / (of[0] + (2.0 * of[1]));
                double[] discounts = [
                    1 - (2 * share * of[1] / of[0]), 2 - (3 * share * of[2] / of[1]), 3 - (4 * share * of[3] / of[2])];
                if (Array.TrueForAll(discounts, discount => discount > 0) && discounts[0] <= 1 && discounts[1] <= 2)
                {
                    return discounts;
                }
            }

            return [0.5, 0.5, 0.5];
        }

        /// <summary>The n-grams that begin with one context: the sum of their counts, and how many have which.</summary>
        private struct Context
        {
            public long Total;
            public int Once;
            public int Twice;
            public int Often;
        }
    }
}
