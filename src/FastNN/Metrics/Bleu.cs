using System.Text.RegularExpressions;

namespace FastNN;

/// <summary>
/// BLEU (Papineni et al., 2002) of translations, for a whole corpus: the geometric mean of the precisions of 1- to n-grams, each
/// counted at most as often as in one of the references, times a penalty for translations that are too short. Computed on the
/// host.
/// </summary>
public static partial class Bleu
{
    /// <summary>The score of a corpus with one reference for each translation, words split at white space.</summary>
    /// <param name="candidates">The translations.</param>
    /// <param name="references">Their references, in the same order.</param>
    /// <param name="order">The longest n-grams; default 4.</param>
    /// <param name="smooth">Adds 1 to counts of n-grams from 2 on (Lin and Och, 2004), for short texts; default false.</param>
    /// <returns>From 0 to 1.</returns>
    /// <exception cref="ArgumentException">There are not as many references as candidates, or the order is not
    /// positive.</exception>
    public static double Score(
        IReadOnlyList<string> candidates, IReadOnlyList<string> references, int order = 4, bool smooth = false)
    {
        ArgumentNullException.ThrowIfNull(candidates);
        ArgumentNullException.ThrowIfNull(references);
        return Score(
            [.. candidates.Select(Words)], [.. references.Select(text => (IReadOnlyList<string[]>)[Words(text)])], order, smooth);
    }

    /// <summary>The score of a corpus of words with any number of references for each translation.</summary>
    /// <param name="candidates">The translations.</param>
    /// <param name="references">The references of each, at least one.</param>
    /// <param name="order">The longest n-grams; default 4.</param>
    /// <param name="smooth">Adds 1 to counts of n-grams from 2 on; default false.</param>
    /// <returns>From 0 to 1.</returns>
    /// <exception cref="ArgumentException">A translation has no references, or the order is not positive.</exception>
    public static double Score(
        IReadOnlyList<string[]> candidates, IReadOnlyList<IReadOnlyList<string[]>> references, int order = 4, bool smooth = false)
    {
        ArgumentNullException.ThrowIfNull(candidates);
        ArgumentNullException.ThrowIfNull(references);
        if (candidates.Count != references.Count)
        {
            throw new ArgumentException(
                $"Bleu: expected references for each of {candidates.Count} candidates, got {references.Count}.",
                    nameof(references));
        }

        if (order < 1)
        {
            throw new ArgumentOutOfRangeException(nameof(order), $"Bleu: expected an order of at least 1, got {order}.");
        }

        long length = 0, referenceLength = 0;
        long[] right = new long[order], all = new long[order];
        for (int i = 0; i < candidates.Count; i++)
        {
            string[] candidate = candidates[i];
            if (references[i].Count == 0)
            {
                throw new ArgumentException($"Bleu: expected at least one reference for candidate {i}, got none.",
                    nameof(references));
            }

            // The reference whose length is nearest, of two the shorter.
            length += candidate.Length;
            referenceLength += references[i].Select(words => words.Length)
                .OrderBy(words => Math.Abs(words - candidate.Length)).ThenBy(words => words).First();
            for (int n = 1; n <= order; n++)
            {
                Dictionary<string, int>[] known = [.. references[i].Select(words => Count(words, n))];
                foreach ((string gram, int count) in Count(candidate, n))
                {
                    right[n - 1] += Math.Min(count, known.Max(counts => counts.GetValueOrDefault(gram)));
                    all[n - 1] += count;
                }
            }
        }

        double logarithm = 0;
        for (int n = 0; n < order; n++)
        {
            int added = smooth && n > 0 ? 1 : 0;
            if (right[n] + added == 0)
            {
                return 0;
            }

            logarithm += Math.Log((double)(right[n] + added) / (all[n] + added)) / order;
        }

        double penalty = length >= referenceLength ? 0 : 1 - ((double)referenceLength / length);
        return Math.Exp(logarithm + penalty);
    }

    /// <summary>
    /// A text's words as NIST's mteval-v13a takes them, as is usual for published scores (sacreBLEU's "13a"; Post, 2018): symbols
    /// are words of their own, and so are periods and commas but between digits, and hyphens behind digits. Case is kept.
    /// </summary>
    /// <param name="text">The text.</param>
    /// <returns>The words, for <see cref="Score(IReadOnlyList{string[]}, IReadOnlyList{IReadOnlyList{string[]}}, int,
    /// bool)"/>.</returns>
    public static string[] Tokenize(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        text = text.Replace("<skipped>", "", StringComparison.Ordinal).Replace("-\n", "", StringComparison.Ordinal)
            .Replace('\n', ' ').Replace("&quot;", "\"", StringComparison.Ordinal).Replace("&amp;", "&", StringComparison.Ordinal)
            .Replace("&lt;", "<", StringComparison.Ordinal).Replace("&gt;", ">", StringComparison.Ordinal);
        text = Symbols().Replace($" {text} ", " $1 ");
        text = MarkBehind().Replace(text, "$1 $2 ");
        text = MarkBefore().Replace(text, " $1 $2");
        return Words(Hyphen().Replace(text, "$1 $2 "));
    }

    [GeneratedRegex(@"([{-~[-` -&(-+:-@/])", RegexOptions.CultureInvariant)]
    private static partial Regex Symbols();

    [GeneratedRegex(@"([^0-9])([.,])", RegexOptions.CultureInvariant)]
    private static partial Regex MarkBehind();

    [GeneratedRegex(@"([.,])([^0-9])", RegexOptions.CultureInvariant)]
    private static partial Regex MarkBefore();

    [GeneratedRegex(@"([0-9])(-)", RegexOptions.CultureInvariant)]
    private static partial Regex Hyphen();

    private static string[] Words(string text) => text.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries);

    /// <summary>How often each n-gram occurs; words are joined by a character that none of them has.</summary>
    private static Dictionary<string, int> Count(string[] words, int n)
    {
        var counts = new Dictionary<string, int>(StringComparer.Ordinal);
        for (int i = 0; i + n <= words.Length; i++)
        {
            string gram = string.Join('\0', words, i, n);
            counts[gram] = counts.GetValueOrDefault(gram) + 1;
        }

        return counts;
    }
}
