using System.Globalization;
using System.Numerics.Tensors;
using System.Runtime.InteropServices;

namespace FastNN;

/// <summary>A sequence of labels and how probable it is.</summary>
public sealed class CtcHypothesis
{
    internal CtcHypothesis(int[] labels, double logProbability) => (Labels, LogProbability) = (labels, logProbability);

    /// <summary>The labels, without blanks.</summary>
    public IReadOnlyList<int> Labels { get; }

    /// <summary>
    /// The natural logarithm of the probability of those alignments that the search kept, plus what
    /// <see cref="CtcDecoder.Score"/> gave for each label.
    /// </summary>
    public double LogProbability { get; }
}

/// <summary>
/// Finds labels in what a network trained with <see cref="LossOperators.CtcLoss"/> gives for a sequence (connectionist temporal
/// classification; Graves et al., 2006): greedily, or by a search over prefixes (Hannun et al., "First-pass large vocabulary
/// continuous speech recognition using bi-directional recurrent DNNs", 2014), on the host.
/// </summary>
public sealed class CtcDecoder
{
    /// <summary>A decoder.</summary>
    /// <param name="classes">Classes of the network, the blank included.</param>
    /// <param name="blank">The class between labels; default 0.</param>
    /// <exception cref="ArgumentOutOfRangeException">There are not two classes or more, or the blank is none of them.</exception>
    public CtcDecoder(int classes, int blank = 0)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(classes, 2);
        ArgumentOutOfRangeException.ThrowIfNegative(blank);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(blank, classes);
        (Classes, Blank) = (classes, blank);
    }

    /// <summary>Classes of the network, the blank included.</summary>
    public int Classes { get; }

    /// <summary>The class between labels.</summary>
    public int Blank { get; }

    /// <summary>How many prefixes the search keeps at each step; default 16.</summary>
    /// <exception cref="ArgumentOutOfRangeException">It is not positive.</exception>
    public int BeamWidth
    {
        get;
        init
        {
            ArgumentOutOfRangeException.ThrowIfNegativeOrZero(value, nameof(BeamWidth));
            field = value;
        }
    }
    = 16;

    /// <summary>
    /// The least log-probability with which a class makes prefixes longer; default negative infinity, any. Networks give most
    /// classes of a step next to none, so that some -10 makes the search several times as fast and changes little.
    /// </summary>
    public float Cutoff { get; init; } = float.NegativeInfinity;

    /// <summary>
    /// What the search adds for a label behind a prefix, such as the weighted logarithm of a language model's probability and a
    /// bonus for each label; null, the default, for nothing. It is asked once for each prefix and label.
    /// </summary>
    public Func<IReadOnlyList<int>, int, double>? Score { get; init; }

    /// <summary>The most probable class of each step, repetitions joined, blanks left out; of equal classes the first.</summary>
    /// <param name="logProbabilities">[steps, classes]; any numbers in the same order will do.</param>
    /// <returns>The labels.</returns>
    /// <exception cref="ArgumentException">They are no whole steps.</exception>
    public int[] Greedy(ReadOnlySpan<float> logProbabilities)
    {
        Require(logProbabilities);
        var labels = new List<int>();
        for (int at = 0, last = Blank; at < logProbabilities.Length; at += Classes)
        {
            int best = TensorPrimitives.IndexOfMax(logProbabilities.Slice(at, Classes));
            if (best != last && best != Blank)
            {
                labels.Add(best);
            }

            last = best;
        }

        return [.. labels];
    }

    /// <summary>Searches for the most probable labels, whose alignments are summed up.</summary>
    /// <param name="logProbabilities">[steps, classes], as <see cref="Operators.LogSoftmax"/> gives them.</param>
    /// <returns>At most <see cref="BeamWidth"/> hypotheses, the most probable first.</returns>
    /// <exception cref="ArgumentException">They are no whole steps.</exception>
    public IReadOnlyList<CtcHypothesis> Search(ReadOnlySpan<float> logProbabilities)
    {
        Require(logProbabilities);
        var prefixes = new Prefixes(this);
        List<int> beam = [0];
        var next = new List<int>();
        for (int at = 0, step = 1; at < logProbabilities.Length; at += Classes, step++)
        {
            ReadOnlySpan<float> row = logProbabilities.Slice(at, Classes);
            next.Clear();
            foreach (int prefix in beam)
            {
                prefixes.Extend(prefix, row, step, next);
            }

            prefixes.Finish(next);
            if (next.Count > BeamWidth)
            {
                next.Sort(prefixes.Compare);
                next.RemoveRange(BeamWidth, next.Count - BeamWidth);
            }

            (beam, next) = (next, beam);
        }

        beam.Sort(prefixes.Compare);
        return [.. beam.Select(prefix => new CtcHypothesis(prefixes.LabelsOf(prefix), prefixes.RankOf(prefix)))];
    }

    private void Require(ReadOnlySpan<float> logProbabilities)
    {
        if (logProbabilities.Length % Classes != 0)
        {
            throw new ArgumentException(string.Create(
                CultureInfo.InvariantCulture,
                $"CtcDecoder: expected whole steps of {Classes} classes, got {logProbabilities.Length} numbers."),
                nameof(logProbabilities));
        }
    }

    /// <summary>All prefixes that the search met, as a tree, each with its probabilities at its last step.</summary>
    private sealed class Prefixes
    {
        private readonly CtcDecoder _decoder;
        private readonly Dictionary<(int Prefix, int Label), int> _children = [];
        private readonly List<Node> _nodes;

        public Prefixes(CtcDecoder decoder)
        {
            _decoder = decoder;
            _nodes = [new Node(-1, -1, 0) { Blank = 0 }];
        }

        public double RankOf(int prefix) => _nodes[prefix].Total + _nodes[prefix].Score;

        /// <summary>Orders by probability, the greatest first, and of equal prefixes the one met first.</summary>
        public int Compare(int a, int b) => RankOf(b).CompareTo(RankOf(a)) is var order && order != 0 ? order : a.CompareTo(b);

        public int[] LabelsOf(int prefix)
        {
            var labels = new List<int>();
            for (int i = prefix; i > 0; i = _nodes[i].Parent)
            {
                labels.Add(_nodes[i].Label);
            }

            labels.Reverse();
            return [.. labels];
        }

        /// <summary>Adds what a step makes of a prefix: the same behind a blank or a repetition, and longer ones.</summary>
        public void Extend(int prefix, ReadOnlySpan<float> row, int step, List<int> next)
        {
            Node node = _nodes[prefix];
            double total = node.Total;
            int[]? labels = null;
            for (int label = 0; label < row.Length; label++)
            {
                double probability = row[label];
                if (label == _decoder.Blank)
                {
                    Touch(prefix, step, next).NextBlank = total + probability;
                    continue;
                }

                if (label == node.Label)
                {
                    ref Node same = ref Touch(prefix, step, next);
                    same.NextLabel = Sum(same.NextLabel, node.Ends + probability);
                }

                // A label behind itself is another one only behind a blank.
                double before = label == node.Label ? node.Blank : total;
                if (before + probability > double.NegativeInfinity && row[label] >= _decoder.Cutoff)
                {
                    ref Node longer = ref Touch(ChildOf(prefix, label, ref labels), step, next);
                    longer.NextLabel = Sum(longer.NextLabel, before + probability);
                }
            }
        }

        /// <summary>Makes what a step gave the probabilities that the next begins with.</summary>
        public void Finish(List<int> touched)
        {
            foreach (int prefix in touched)
            {
                ref Node node = ref CollectionsMarshal.AsSpan(_nodes)[prefix];
                (node.Blank, node.Ends) = (node.NextBlank, node.NextLabel);
            }
        }

        /// <param name="prefix">The prefix.</param>
        /// <param name="label">What comes behind it.</param>
        /// <param name="labels">The prefix's labels, made when they are first asked for.</param>
        private int ChildOf(int prefix, int label, ref int[]? labels)
        {
            ref int child = ref CollectionsMarshal.GetValueRefOrAddDefault(_children, (prefix, label), out bool isKnown);
            if (!isKnown)
            {
                child = _nodes.Count;
                double own = _decoder.Score is { } score ? score(labels ??= LabelsOf(prefix), label) : 0;
                _nodes.Add(new Node(prefix, label, _nodes[prefix].Score + own));
            }

            return child;
        }

        private ref Node Touch(int prefix, int step, List<int> next)
        {
            ref Node node = ref CollectionsMarshal.AsSpan(_nodes)[prefix];
            if (node.Step != step)
            {
                (node.Step, node.NextBlank, node.NextLabel) = (step, double.NegativeInfinity, double.NegativeInfinity);
                next.Add(prefix);
            }

            return ref node;
        }

        private static double Sum(double a, double b)
        {
            (double more, double less) = a > b ? (a, b) : (b, a);
            return less == double.NegativeInfinity ? more : more + Math.Log(1 + Math.Exp(less - more));
        }

        /// <summary>A prefix with the logarithms of its probabilities.</summary>
        private struct Node(int parent, int label, double score)
        {
            public readonly int Parent = parent;
            public readonly int Label = label;
            public readonly double Score = score;
            public int Step;

            /// <summary>Of alignments that end in a blank.</summary>
            public double Blank = double.NegativeInfinity;

            /// <summary>Of alignments that end in the last label.</summary>
            public double Ends = double.NegativeInfinity;
            public double NextBlank = double.NegativeInfinity;
            public double NextLabel = double.NegativeInfinity;

            public readonly double Total => Sum(Blank, Ends);
        }
    }
}
