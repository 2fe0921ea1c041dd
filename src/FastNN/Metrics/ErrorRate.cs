namespace FastNN;

/// <summary>
/// Error rates of recognized text: the fewest insertions, deletions and substitutions (Levenshtein, 1966) that make the reference
/// of the hypothesis, over the length of the reference; above 1 where much was inserted. Computed on the host.
/// </summary>
public static class ErrorRate
{
    /// <summary>The word error rate of a corpus: all edits over all words of the references, split at white space.</summary>
    /// <param name="references">What was said.</param>
    /// <param name="hypotheses">What was recognized, in the same order.</param>
    /// <returns>The rate; 0 where there are no words on either side, infinity where there are none in the references
    /// alone.</returns>
    /// <exception cref="ArgumentException">There are not as many hypotheses as references.</exception>
    public static double Words(IReadOnlyList<string> references, IReadOnlyList<string> hypotheses) =>
        OfCorpus(references, hypotheses, text => text.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries));

    /// <summary>The word error rate of one text.</summary>
    /// <param name="reference">What was said.</param>
    /// <param name="hypothesis">What was recognized.</param>
    /// <returns>As for a corpus.</returns>
    public static double Words(string reference, string hypothesis) => Words([reference], [hypothesis]);

    /// <summary>The character error rate of a corpus, white space included; characters are Unicode code points.</summary>
    /// <param name="references">What was said.</param>
    /// <param name="hypotheses">What was recognized, in the same order.</param>
    /// <returns>As for words.</returns>
    /// <exception cref="ArgumentException">There are not as many hypotheses as references.</exception>
    public static double Characters(IReadOnlyList<string> references, IReadOnlyList<string> hypotheses) =>
        OfCorpus(references, hypotheses, text => text.EnumerateRunes().ToArray());

    /// <summary>The character error rate of one text.</summary>
    /// <param name="reference">What was said.</param>
    /// <param name="hypothesis">What was recognized.</param>
    /// <returns>As for a corpus.</returns>
    public static double Characters(string reference, string hypothesis) => Characters([reference], [hypothesis]);

    /// <summary>The fewest insertions, deletions and substitutions that make one sequence of another.</summary>
    /// <typeparam name="T">What they are made of.</typeparam>
    /// <param name="a">One.</param>
    /// <param name="b">The other.</param>
    /// <returns>How many.</returns>
    public static int EditDistance<T>(ReadOnlySpan<T> a, ReadOnlySpan<T> b)
        where T : IEquatable<T>
    {
        // The distances of a's beginning to all beginnings of b, one row at a time.
        var row = new int[b.Length + 1];
        for (int j = 0; j < row.Length; j++)
        {
            row[j] = j;
        }

        for (int i = 0; i < a.Length; i++)
        {
            int diagonal = row[0];
            row[0] = i + 1;
            for (int j = 0; j < b.Length; j++)
            {
                int substituted = diagonal + (a[i].Equals(b[j]) ? 0 : 1);
                diagonal = row[j + 1];
                row[j + 1] = Math.Min(substituted, Math.Min(diagonal, row[j]) + 1);
            }
        }

        return row[^1];
    }

    private static double OfCorpus<T>(
        IReadOnlyList<string> references, IReadOnlyList<string> hypotheses, Func<string, T[]> split)
        where T : IEquatable<T>
    {
        ArgumentNullException.ThrowIfNull(references);
        ArgumentNullException.ThrowIfNull(hypotheses);
        if (references.Count != hypotheses.Count)
        {
            throw new ArgumentException(
                $"ErrorRate: expected a hypothesis for each of {references.Count} references, got {hypotheses.Count}.",
                nameof(hypotheses));
        }

        long edits = 0, length = 0;
        for (int i = 0; i < references.Count; i++)
        {
            T[] reference = split(references[i]);
            edits += EditDistance<T>(reference, split(hypotheses[i]));
            length += reference.Length;
        }

        return edits == 0 ? 0 : (double)edits / length;
    }
}
