using System.Globalization;

namespace FastNN.Data;

/// <summary>
/// Bags of words as rows of a sparse matrix, each term weighed by how often it stands in a text and by how few texts have it
/// (TF-IDF; Salton and Buckley, 1988): (1 + ln count) (1 + ln((1 + n) / (1 + texts that have it))), rows of Euclidean norm 1. As
/// scikit-learn's TfidfVectorizer with <c>sublinear_tf</c>.
/// </summary>
public sealed class TermWeights
{
    private readonly int _first;
    private readonly float[] _rarity;

    private TermWeights(int first, float[] rarity) => (_first, _rarity) = (first, rarity);

    /// <summary>The columns: as many as there are symbols. Those that do not count stay empty.</summary>
    public int Columns => _rarity.Length;

    /// <summary>Counts in how many texts each symbol stands.</summary>
    /// <param name="texts">Symbols from 0 to <paramref name="symbols"/> - 1.</param>
    /// <param name="symbols">How many symbols there are.</param>
    /// <param name="first">The first symbol that counts; default <see cref="WordVocabulary.First"/>.</param>
    /// <returns>The weights; those of symbols that stand in no text are 0.</returns>
    /// <exception cref="ArgumentOutOfRangeException">A symbol is out of range, or there are no symbols.</exception>
    public static TermWeights Fit(IEnumerable<int[]> texts, int symbols, int first = WordVocabulary.First)
    {
        ArgumentNullException.ThrowIfNull(texts);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(symbols);
        var counts = new int[symbols];
        int n = 0;
        foreach (int[] text in texts)
        {
            n++;
            foreach (int symbol in text.Distinct())
            {
                counts[Require(symbol, symbols)]++;
            }
        }

        return new TermWeights(
            first, Array.ConvertAll(counts, count => count == 0 ? 0 : (float)(1 + Math.Log((1.0 + n) / (1 + count)))));
    }

    /// <summary>A row for each text.</summary>
    /// <param name="texts">As for <see cref="Fit"/>.</param>
    /// <returns>The matrix [texts, symbols]; a text without a term that counts gives an empty row.</returns>
    /// <exception cref="ArgumentOutOfRangeException">A symbol is out of range.</exception>
    public SparseMatrix Apply(IReadOnlyList<int[]> texts)
    {
        ArgumentNullException.ThrowIfNull(texts);
        var starts = new int[texts.Count + 1];
        var columns = new List<int>();
        var values = new List<float>();
        for (int row = 0; row < texts.Count; row++)
        {
            int[] sorted = [.. texts[row]];
            Array.Sort(sorted);
            double squares = 0;
            for (int i = 0, next; i < sorted.Length; i = next)
            {
                int symbol = Require(sorted[i], Columns);
                next = i + 1;
                while (next < sorted.Length && sorted[next] == symbol)
                {
                    next++;
                }

                if (symbol >= _first && _rarity[symbol] > 0)
                {
                    float value = (float)(1 + Math.Log(next - i)) * _rarity[symbol];
                    squares += (double)value * value;
                    columns.Add(symbol);
                    values.Add(value);
                }
            }

            starts[row + 1] = columns.Count;
            for (int i = starts[row]; i < columns.Count; i++)
            {
                values[i] = (float)(values[i] / Math.Sqrt(squares));
            }
        }

        return SparseMatrix.FromCsr(texts.Count, Columns, starts, [.. columns], [.. values]);
    }

    private static int Require(int symbol, int symbols) => (uint)symbol < (uint)symbols
        ? symbol
        : throw new ArgumentOutOfRangeException(nameof(symbol), symbol, string.Create(
            CultureInfo.InvariantCulture, $"TermWeights: expected symbols of 0 to {symbols - 1}."));
}
