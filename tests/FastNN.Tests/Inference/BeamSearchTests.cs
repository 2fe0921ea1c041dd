namespace FastNN.Tests.Inference;

/// <summary>Beam search against all sequences there are.</summary>
internal sealed class BeamSearchTests
{
    private const int Vocabulary = 4, End = 2, MaxLength = 4;

    [Test]
    public void With_enough_beams_it_finds_the_best_of_all_sequences([Values(0, 0.6, 1, 2)] double penalty)
    {
        const int sources = 3;
        var search = new BeamSearch(sources, beams: 64, Vocabulary, End, MaxLength) { LengthPenalty = penalty };
        for (int seed = 0; seed < 20; seed++)
        {
            Run(search, seed);
            for (int source = 0; source < sources; source++)
            {
                (int[] best, double score) =
                    All(seed, source).Select(one => (one.Tokens, Score(one, penalty))).MaxBy(one => one.Item2);
                Assert.That(search.Sequence(source).ToArray(), Is.EqualTo(best), $"seed {seed}, source {source}");
                Assert.That(search.Score(source), Is.EqualTo(score).Within(1e-5));
            }
        }
    }

    [Test]
    public void Few_beams_find_sequences_with_their_scores_best_first()
    {
        var search = new BeamSearch(2, beams: 3, Vocabulary, End, MaxLength);
        for (int seed = 0; seed < 20; seed++)
        {
            Run(search, seed);
            for (int source = 0; source < 2; source++)
            {
                (int[] Tokens, double Log)[] all = [.. All(seed, source)];
                Assert.That(search.Count(source), Is.InRange(1, 3));
                for (int rank = 0; rank < search.Count(source); rank++)
                {
                    int[] found = search.Sequence(source, rank).ToArray();
                    double score = Score(Array.Find(all, one => one.Tokens.SequenceEqual(found)), 0.6);
                    Assert.That(search.Score(source, rank), Is.EqualTo(score).Within(1e-5));
                    Assert.That(rank == 0 || search.Score(source, rank) <= search.Score(source, rank - 1));
                }
            }
        }
    }

    [Test]
    public void One_beam_takes_the_most_probable_token_each_time()
    {
        float[][] steps = [[0, 3, 1, 2], [5, 1, 4, 0], [0, 1, 3, 2], [1, 0, 9, 0]];
        var search = new BeamSearch(1, 1, Vocabulary, End, 9) { LengthPenalty = 0 };
        List<int> taken = [];
        foreach (float[] logits in steps)
        {
            if (!search.Advance(logits))
            {
                break;
            }

            taken.Add(search.Tokens[0]);
        }

        // After its end a sequence is still compared with the best that has not ended.
        Assert.That(search.Sequence(0).ToArray(), Is.EqualTo(new[] { 1, 0 }));
        Assert.That(taken[..2], Is.EqualTo(new[] { 1, 0 }));
    }

    [Test]
    public void A_longer_sequence_may_win_by_its_length()
    {
        // The end at once has the probability 0.55; behind the other token it is certain, for 0.45.
        static int LengthFor(double penalty)
        {
            var search = new BeamSearch(1, 2, 2, endToken: 1, maxLength: 3) { LengthPenalty = penalty };
            float[] first = [MathF.Log(0.45f), MathF.Log(0.55f)];
            float[] then = [float.NegativeInfinity, 0];
            if (search.Advance([.. first, .. first]))
            {
                Assert.That(search.Advance([.. then, .. then]), Is.False);
            }

            return search.Sequence(0).Length;
        }

        Assert.That(LengthFor(0), Is.Zero);
        Assert.That(LengthFor(3), Is.EqualTo(1));
    }

    [Test]
    public void Rows_and_tokens_say_what_each_beam_continues()
    {
        var search = new BeamSearch(2, 2, 3, endToken: 2, maxLength: 5);
        float[] one = [1, 1.2f, -9], other = [4, 0, -9];
        Assert.That(search.Advance([.. one, .. one, .. other, .. other]));
        Assert.That(search.Rows.ToArray(), Is.EqualTo(new[] { 0, 0, 2, 2 }));
        Assert.That(search.Tokens.ToArray(), Is.EqualTo(new[] { 1, 0, 0, 1 }));

        // Where the first beam has to share its probability, the second overtakes it.
        float[] even = [0, 0, -9], sure = [9, 0, -9];
        Assert.That(search.Advance([.. even, .. sure, .. sure, .. even]));
        Assert.That(search.Rows.ToArray(), Is.EqualTo(new[] { 1, 0, 2, 3 }));
        Assert.That(search.Tokens.ToArray(), Is.EqualTo(new[] { 0, 0, 0, 0 }));
        Assert.That(search.Length, Is.EqualTo(2));
        search.Begin();
        Assert.That((search.Length, search.IsDone, search.Count(0)), Is.EqualTo((0, false, 0)));
    }

    [Test]
    public void The_last_token_is_the_end()
    {
        var search = new BeamSearch(1, 2, 3, endToken: 0, maxLength: 2);
        float[] row = [-50, 1, 2];
        Assert.That(search.Advance([.. row, .. row]));
        Assert.That(search.Advance([.. row, .. row]), Is.False);
        Assert.That(search.IsDone);
        Assert.That(search.Sequence(0).ToArray(), Is.EqualTo(new[] { 2 }));
        Assert.That(() => search.Advance([.. row, .. row]), Throws.InvalidOperationException.With.Message.Contains("Begin"));
    }

    [Test]
    public void A_step_allocates_nothing()
    {
        var search = new BeamSearch(2, 3, 50, endToken: 0, maxLength: 12);
        var random = new Random(1);
        float[] logits = [.. Enumerable.Range(0, 6 * 50).Select(_ => random.NextSingle())];
        void Work()
        {
            search.Begin();
            while (search.Advance(logits))
            {
            }
        }

        Work();
        long before = GC.GetAllocatedBytesForCurrentThread();
        Work();
        Assert.That(GC.GetAllocatedBytesForCurrentThread() - before, Is.Zero);
    }

    [Test]
    public void What_does_not_fit_is_refused_with_a_reason()
    {
        Assert.That(() => new BeamSearch(0, 1, 2, 0, 3), Throws.TypeOf<ArgumentOutOfRangeException>());
        Assert.That(() => new BeamSearch(1, 1, 2, 2, 3), Throws.TypeOf<ArgumentOutOfRangeException>());
        Assert.That(() => new BeamSearch(1, 1, 2, 0, 3) { LengthPenalty = -1 }, Throws.TypeOf<ArgumentOutOfRangeException>());
        var search = new BeamSearch(1, 2, 2, 0, 3);
        Assert.That(
            () => search.Advance([1, 2, 3]), Throws.TypeOf<ShapeException>().With.Message.Contains("2 rows of 2 logits, got 3"));
        Assert.That(
            () => search.Advance([1, float.NaN, 1, 1]), Throws.ArgumentException.With.Message.Contains("expected finite logits"));
        Assert.That(() => search.Sequence(0), Throws.TypeOf<ArgumentOutOfRangeException>());
        Assert.That(() => search.Count(1), Throws.TypeOf<ArgumentOutOfRangeException>());
    }

    private static double Score((int[] Tokens, double Log) one, double penalty) =>
        one.Log / Math.Pow((5 + one.Tokens.Length + 1) / 6.0, penalty);

    /// <summary>Logits that depend on all tokens so far.</summary>
    private static float[] Logits(int seed, int source, ReadOnlySpan<int> tokens)
    {
        int code = (seed * 7) + source + 1;
        foreach (int token in tokens)
        {
            code = (code * 5) + token + 1;
        }

        var random = new Random(code);
        return [.. Enumerable.Range(0, Vocabulary).Select(_ => 4 * random.NextSingle())];
    }

    private static void Run(BeamSearch search, int seed)
    {
        int rows = search.Sources * search.Beams;
        List<int>[] tokens = [.. Enumerable.Range(0, rows).Select(_ => new List<int>())];
        search.Begin();
        while (search.Advance([.. tokens.SelectMany((row, i) => Logits(seed, i / search.Beams, row.ToArray()))]))
        {
            int[] from = search.Rows.ToArray(), next = search.Tokens.ToArray();
            tokens = [.. from.Select((row, i) => new List<int>([.. tokens[row], next[i]]))];
        }
    }

    /// <summary>All sequences that end within the greatest length, with their log-probabilities.</summary>
    private static IEnumerable<(int[] Tokens, double Log)> All(int seed, int source)
    {
        List<(int[] Tokens, double Log)> open = [([], 0)];
        for (int length = 1; length <= MaxLength; length++)
        {
            List<(int[] Tokens, double Log)> longer = [];
            foreach ((int[] tokens, double log) in open)
            {
                float[] logits = Logits(seed, source, tokens);
                double sum = Math.Log(logits.Sum(logit => Math.Exp(logit)));
                for (int token = 0; token < Vocabulary; token++)
                {
                    double sequence = log + logits[token] - sum;
                    if (token == End)
                    {
                        yield return (tokens, sequence);
                    }
                    else
                    {
                        longer.Add(([.. tokens, token], sequence));
                    }
                }
            }

            open = longer;
        }
    }
}
