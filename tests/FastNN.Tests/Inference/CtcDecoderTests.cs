namespace FastNN.Tests.Inference;

internal sealed class CtcDecoderTests
{
    [Test]
    public void The_greedy_path_joins_repetitions_and_leaves_blanks_out()
    {
        // The most probable classes of each step are 1 1 0 1 2 2 0.
        int[] path = [1, 1, 0, 1, 2, 2, 0];
        float[] scores = [.. path.SelectMany(best => Enumerable.Range(0, 3).Select(c => c == best ? -0.1f : -3))];
        Assert.That(new CtcDecoder(3).Greedy(scores), Is.EqualTo(new[] { 1, 1, 2 }));
        Assert.That(new CtcDecoder(3, blank: 2).Greedy(scores), Is.EqualTo(new[] { 1, 0, 1, 0 }));
        Assert.That(new CtcDecoder(3).Greedy([]), Is.Empty);
    }

    [Test]
    public void A_wide_search_finds_what_the_sum_over_all_alignments_finds([Range(1, 20)] int seed, [Values(0, 2)] int blank)
    {
        const int classes = 3;
        int steps = 1 + (seed % 6);
        float[] scores = LogProbabilities(seed, steps, classes);
        Dictionary<string, double> expected = Enumerate(scores, steps, classes, blank);
        var decoder = new CtcDecoder(classes, blank) { BeamWidth = 2000 };
        IReadOnlyList<CtcHypothesis> found = decoder.Search(scores);
        Assert.That(found, Has.Count.EqualTo(expected.Count));
        Assert.That(found.Select(one => one.LogProbability), Is.Ordered.Descending);
        foreach (CtcHypothesis one in found)
        {
            Assert.That(Math.Exp(one.LogProbability), Is.EqualTo(expected[Text(one.Labels)]).Within(1e-6), Text(one.Labels));
        }

        Assert.That(found.Sum(one => Math.Exp(one.LogProbability)), Is.EqualTo(1).Within(1e-5));
    }

    [Test]
    public void A_search_sums_up_alignments_where_the_greedy_path_does_not()
    {
        // Blank twice is the most probable path (0.36), and 1 the most probable labelling (0.64).
        float[] scores = [.. Enumerable.Repeat((float[])[MathF.Log(0.6f), MathF.Log(0.4f)], 2).SelectMany(row => row)];
        var decoder = new CtcDecoder(2) { BeamWidth = 4 };
        Assert.That(decoder.Greedy(scores), Is.Empty);
        CtcHypothesis best = decoder.Search(scores)[0];
        Assert.That(best.Labels, Is.EqualTo(new[] { 1 }));
        Assert.That(Math.Exp(best.LogProbability), Is.EqualTo(0.64).Within(1e-6));
    }

    [Test]
    public void A_narrow_search_keeps_the_best_and_never_claims_too_much([Range(1, 10)] int seed)
    {
        const int classes = 4, steps = 7;
        float[] scores = LogProbabilities(seed, steps, classes);
        Dictionary<string, double> expected = Enumerate(scores, steps, classes, 0);
        IReadOnlyList<CtcHypothesis> found = new CtcDecoder(classes) { BeamWidth = 12 }.Search(scores);
        Assert.That(found, Has.Count.EqualTo(12));
        foreach (CtcHypothesis one in found)
        {
            Assert.That(Math.Exp(one.LogProbability), Is.LessThanOrEqualTo(expected[Text(one.Labels)] + 1e-7));
        }
    }

    [Test]
    public void A_cutoff_leaves_improbable_classes_out()
    {
        float[] scores = LogProbabilities(3, 5, 4);
        float cutoff = scores.Order().ElementAt(8);
        IReadOnlyList<CtcHypothesis> found = new CtcDecoder(4) { BeamWidth = 1000, Cutoff = cutoff }.Search(scores);
        float[] cut = [.. scores.Select((value, i) => i % 4 == 0 || value >= cutoff ? value : float.NegativeInfinity)];
        IReadOnlyList<CtcHypothesis> expected = new CtcDecoder(4) { BeamWidth = 1000 }.Search(cut);
        Assert.That(found[0].Labels, Is.EqualTo(expected[0].Labels));
        Assert.That(found.Select(one => Text(one.Labels)), Is.EquivalentTo(expected.Select(one => Text(one.Labels))));
    }

    [Test]
    public void A_score_counts_once_for_each_label_behind_its_prefix()
    {
        const int classes = 3, steps = 4;
        float[] scores = LogProbabilities(5, steps, classes);
        Dictionary<string, double> plain = Enumerate(scores, steps, classes, 0);
        var asked = new HashSet<string>();
        var decoder = new CtcDecoder(classes)
        {
            BeamWidth = 1000,
            Score = (before, label) =>
            {
                Assert.That(asked.Add($"{Text(before)} {label}"), "each once");
                return ScoreOf(before, label);
            },
        };
        foreach (CtcHypothesis one in decoder.Search(scores))
        {
            double score = one.Labels.Select((label, i) => ScoreOf([.. one.Labels.Take(i)], label)).Sum();
            Assert.That(one.LogProbability, Is.EqualTo(Math.Log(plain[Text(one.Labels)]) + score).Within(1e-6));
        }

        static double ScoreOf(IReadOnlyList<int> before, int label) => (0.3 * label) - (0.7 * before.Count);
    }

    [Test]
    public void Impossible_classes_and_wrong_arguments()
    {
        float[] scores = [float.NegativeInfinity, 0, float.NegativeInfinity, float.NegativeInfinity, 0, float.NegativeInfinity];
        IReadOnlyList<CtcHypothesis> found = new CtcDecoder(3).Search(scores);
        Assert.That(found[0].Labels, Is.EqualTo(new[] { 1 }));
        Assert.That(found[0].LogProbability, Is.Zero);
        Assert.That(new CtcDecoder(3).Search([]), Has.Count.EqualTo(1));
        Assert.That(() => new CtcDecoder(3).Search(new float[4]), Throws.ArgumentException);
        Assert.That(() => new CtcDecoder(3).Greedy(new float[4]), Throws.ArgumentException);
        Assert.That(() => new CtcDecoder(1), Throws.InstanceOf<ArgumentOutOfRangeException>());
        Assert.That(() => new CtcDecoder(3, 3), Throws.InstanceOf<ArgumentOutOfRangeException>());
        Assert.That(() => new CtcDecoder(3) { BeamWidth = 0 }, Throws.InstanceOf<ArgumentOutOfRangeException>());
    }

    private static float[] LogProbabilities(int seed, int steps, int classes)
    {
        var random = new Random(seed);
        var result = new List<float>();
        for (int step = 0; step < steps; step++)
        {
            double[] weights = [.. Enumerable.Range(0, classes).Select(_ => Math.Exp(2 * random.NextDouble()))];
            result.AddRange(weights.Select(weight => (float)Math.Log(weight / weights.Sum())));
        }

        return [.. result];
    }

    /// <summary>The probabilities of all labellings, path by path.</summary>
    private static Dictionary<string, double> Enumerate(float[] scores, int steps, int classes, int blank)
    {
        var sums = new Dictionary<string, double>();
        for (int path = 0; path < Math.Pow(classes, steps); path++)
        {
            double probability = 1;
            var labels = new List<int>();
            int last = blank, rest = path;
            for (int step = 0; step < steps; step++, rest /= classes)
            {
                int label = rest % classes;
                probability *= Math.Exp(scores[(step * classes) + label]);
                if (label != last && label != blank)
                {
                    labels.Add(label);
                }

                last = label;
            }

            sums[Text(labels)] = sums.GetValueOrDefault(Text(labels)) + probability;
        }

        return sums;
    }

    private static string Text(IReadOnlyList<int> labels) => string.Join(',', labels);
}
