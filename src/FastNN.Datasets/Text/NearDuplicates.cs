using System.Numerics;

namespace FastNN.Data;

/// <summary>
/// Finds texts that are the same but for a few words, by MinHash and locality-sensitive hashing (Broder, 1997; Leskovec et al.,
/// Mining of Massive Datasets, chapter 3): so that copies do not stand in the training and in the test part at once.
/// </summary>
public static class NearDuplicates
{
    private const int Shingle = 3, Bands = 16, Rows = 4;

    /// <summary>
    /// Groups texts. Two whose sets of three successive symbols overlap by a share s (Jaccard) come into one group with
    /// probability 1 - (1 - s^4)^16: 0.64 for s = 0.5, 0.99 for 0.7; what is like a third text is with it in one group.
    /// </summary>
    /// <param name="texts">The symbols of each text. Texts without any make one group.</param>
    /// <returns>For each text the number of its group: the place of the group's first text.</returns>
    public static int[] Groups(IReadOnlyList<int[]> texts)
    {
        ArgumentNullException.ThrowIfNull(texts);
        int[] groups = [.. Enumerable.Range(0, texts.Count)];
        var firstOf = new Dictionary<(int Band, ulong Hash), int>();
        var smallest = new ulong[Bands * Rows];
        for (int text = 0; text < texts.Count; text++)
        {
            Summarize(texts[text], smallest);
            for (int band = 0; band < Bands; band++)
            {
                ulong hash = 0;
                foreach (ulong row in smallest.AsSpan(band * Rows, Rows))
                {
                    hash = Mix(hash ^ row);
                }

                if (!firstOf.TryAdd((band, hash), text))
                {
                    Join(groups, firstOf[(band, hash)], text);
                }
            }
        }

        return [.. Enumerable.Range(0, groups.Length).Select(text => Root(groups, text))];
    }

    /// <summary>The smallest hash of all shingles, for each of many hash functions.</summary>
    private static void Summarize(int[] text, ulong[] smallest)
    {
        Array.Fill(smallest, ulong.MaxValue);
        for (int i = 0; i == 0 || i + Shingle <= text.Length; i++)
        {
            ulong hash = 0;
            foreach (int symbol in text.AsSpan(i, Math.Min(Shingle, text.Length - i)))
            {
                hash = Mix(hash ^ (uint)symbol);
            }

            for (int function = 0; function < smallest.Length; function++)
            {
                smallest[function] = Math.Min(smallest[function], Mix(hash + (ulong)function));
            }
        }
    }

    /// <summary>The finalizer of SplitMix64 (Steele et al., 2014).</summary>
    private static ulong Mix(ulong x)
    {
        x += 0x9E3779B97F4A7C15;
        x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9;
        x = (x ^ (x >> 27)) * 0x94D049BB133111EB;
        return BitOperations.RotateLeft(x ^ (x >> 31), 17);
    }

    private static void Join(int[] groups, int a, int b)
    {
        (a, b) = (Root(groups, a), Root(groups, b));
        groups[Math.Max(a, b)] = Math.Min(a, b);
    }

    private static int Root(int[] groups, int text)
    {
        while (groups[text] != text)
        {
            text = groups[text] = groups[groups[text]];
        }

        return text;
    }
}
