using FastNN.Functions;
using FastNN.Kernels;
using FastNN.Tensors;

namespace FastNN.Cpu;

/// <summary>
/// Connectionist temporal classification by the forward-backward algorithm of Graves et al. (2006) in log space. With the labels
/// and the blanks around them as states, alpha[t, s] is the logarithm of the probability of all ways to state s at step t,
/// beta[t, s] that of all ways from there to the end, and the gradient of x[t, k] is -exp(alpha + beta - log p) summed over the
/// states of class k. A task has whole examples; states lie side by side in vectors, with room for two impossible ones before
/// (alpha) or behind (beta) them. Per step and state: 3 exponentials and a logarithm forward, 4 and one backward.
/// </summary>
internal sealed unsafe partial class CpuLosses
{
    public void CtcForward(in CtcOptions options, in CtcInputs inputs, in CtcScores scores, Tensor loss)
    {
        var examples = new CtcExamples(options, inputs, scores);
        RowLoop.Run(Pool, examples.Batch, (long)examples.Steps * examples.Width, new CtcForwardRows(examples));
        double sum = 0;
        for (int n = 0; n < examples.Batch; n++)
        {
            float value = examples.LossOf(n);
            if (options.Reduction == Reduction.None)
            {
                Floats(loss)[n] = value;
            }

            sum += value / (options.Reduction == Reduction.Mean ? Math.Max(1, examples.TargetLengths[n]) : 1.0);
        }

        if (options.Reduction != Reduction.None)
        {
            *Floats(loss) = (float)(options.Reduction == Reduction.Mean ? sum / examples.Batch : sum);
        }
    }

    public void CtcBackward(
        in CtcOptions options, in CtcInputs inputs, in CtcScores scores, Tensor dLoss, Tensor dX, bool accumulate, Tensor rows,
        Tensor links)
    {
        var examples = new CtcExamples(options, inputs, scores);
        RowLoop.Run(
            Pool, examples.Batch, (long)examples.Steps * (examples.Width + examples.Classes),
            new CtcBackwardRows(examples, Floats(dLoss), Floats(dX), accumulate, Floats(rows)));
    }

    /// <summary>Where everything lies.</summary>
    private readonly struct CtcExamples
    {
        private readonly CtcOptions _options;
        private readonly int _kept;
        private readonly int _longest;
        private readonly float* _x;
        private readonly int* _targets;
        private readonly float* _alpha;
        private readonly float* _rows;

        public CtcExamples(in CtcOptions options, in CtcInputs inputs, in CtcScores scores)
        {
            _options = options;
            (Steps, Batch, Classes) = (inputs.X.Shape[0], inputs.X.Shape[1], inputs.X.Shape[2]);
            (_longest, _kept) = (inputs.Targets.Shape[1], scores.Alpha.Shape[1]);
            Width = (2 * _longest) + 3;
            _x = Floats(inputs.X);
            _alpha = Floats(scores.Alpha);
            _rows = Floats(scores.Rows);
            Likelihood = Floats(scores.Likelihood);
            _targets = (int*)inputs.Targets.Address;
            InputLengths = (int*)inputs.InputLengths.Address;
            TargetLengths = (int*)inputs.TargetLengths.Address;
        }

        public int Steps { get; }

        public int Batch { get; }

        public int Classes { get; }

        /// <summary>States of the longest target, and the two impossible ones.</summary>
        public int Width { get; }

        public float* Likelihood { get; }

        public int* InputLengths { get; }

        public int* TargetLengths { get; }

        public Reduction Reduction => _options.Reduction;

        public int Blank => _options.Blank;

        public float LossOf(int n) => IsZero(n) ? 0 : -Likelihood[n];

        /// <summary>Whether an example counts nothing since it is impossible.</summary>
        public bool IsZero(int n) => _options.ZeroInfinity && float.IsNegativeInfinity(Likelihood[n]);

        public int* Labels(nint n) => _targets + (n * _longest);

        /// <summary>The scores of a step of an example; the first two are those of impossible states.</summary>
        public float* Alpha(nint n, nint step) => _alpha + (((n * _kept) + (step % _kept)) * Width);

        /// <summary>0 for states that can be reached from the one two before them, minus infinity for others.</summary>
        public float* Skips(nint n) => _rows + (n * 2 * Width);

        /// <summary>x of every state's class at a step.</summary>
        public float* Emissions(nint n, nint step, int states)
        {
            float* to = Skips(n) + Width, from = _x + (((step * Batch) + n) * Classes);
            int* labels = Labels(n);
            for (int s = 0; s < states; s++)
            {
                to[s] = from[(s & 1) == 0 ? Blank : labels[s >> 1]];
            }

            return to;
        }

        public bool IsValid(int n)
        {
            if ((uint)InputLengths[n] > (uint)Steps || (uint)TargetLengths[n] > (uint)_longest)
            {
                return false;
            }

            int* labels = Labels(n);
            for (int i = 0; i < TargetLengths[n]; i++)
            {
                if ((uint)labels[i] >= (uint)Classes || labels[i] == Blank)
                {
                    return false;
                }
            }

            return true;
        }
    }

    /// <summary>log(exp(a) + exp(b) + exp(c)); minus infinity where all are.</summary>
    private static T AddLogs<T>(T a, T b, T c)
        where T : struct, ILanes<T>
    {
        T most = T.Max(T.Max(T.Max(-1e30f, a), b), c);
        return most + T.Log(Elementary.Exp(a - most) + Elementary.Exp(b - most) + Elementary.Exp(c - most));
    }

    private readonly struct CtcForwardRows(CtcExamples examples) : IRowBody
    {
        public void Invoke<TLanes>(nint start, nint end)
            where TLanes : struct, IVectorLanes<TLanes>
        {
            for (int n = (int)start; n < end; n++)
            {
                examples.Likelihood[n] = examples.IsValid(n) ? Score<TLanes>(n) : float.NaN;
            }
        }

        private float Score<TLanes>(int n)
            where TLanes : struct, IVectorLanes<TLanes>
        {
            (int steps, int length) = (examples.InputLengths[n], examples.TargetLengths[n]);
            int states = (2 * length) + 1;
            int* labels = examples.Labels(n);
            float* skips = examples.Skips(n);
            for (int s = 0; s < states + 2; s++)
            {
                skips[s] = s < states && (s & 1) == 1 && s >= 3 && labels[s >> 1] != labels[(s >> 1) - 1]
                    ? 0
                    : float.NegativeInfinity;
            }

            if (steps == 0)
            {
                return length == 0 ? 0 : float.NegativeInfinity;
            }

            float* row = examples.Alpha(n, 0), emissions = examples.Emissions(n, 0, states);
            new Span<float>(row, states + 2).Fill(float.NegativeInfinity);
            for (int s = 0; s < Math.Min(2, states); s++)
            {
                row[2 + s] = emissions[s];
            }

            for (int step = 1; step < steps; step++)
            {
                float* before = row;
                row = examples.Alpha(n, step);
                row[0] = row[1] = float.NegativeInfinity;
                emissions = examples.Emissions(n, step, states);
                for (int s = 0; s < states; s += TLanes.Count)
                {
                    int count = Math.Min(TLanes.Count, states - s);
                    TLanes twoBefore = TLanes.Load(before + s, count) + TLanes.Load(skips + s, count);
                    TLanes score = AddLogs(
                        TLanes.Load(before + s + 2, count), TLanes.Load(before + s + 1, count), twoBefore);
                    (score + TLanes.Load(emissions + s, count)).Store(row + s + 2, count);
                }
            }

            float last = row[states + 1], label = length == 0 ? float.NegativeInfinity : row[states];
            float most = Math.Max(Math.Max(-1e30f, last), label);
            return most + MathF.Log(MathF.Exp(last - most) + MathF.Exp(label - most));
        }
    }

    private readonly struct CtcBackwardRows(CtcExamples examples, float* dLoss, float* dX, bool accumulate, float* scratch)
        : IRowBody
    {
        public void Invoke<TLanes>(nint start, nint end)
            where TLanes : struct, IVectorLanes<TLanes>
        {
            for (int n = (int)start; n < end; n++)
            {
                if (!accumulate)
                {
                    for (int step = 0; step < examples.Steps; step++)
                    {
                        new Span<float>(Row(n, step), examples.Classes).Clear();
                    }
                }

                if (examples.IsValid(n) && !examples.IsZero(n))
                {
                    Subtract<TLanes>(n);
                }
            }
        }

        private float* Row(nint n, nint step) => dX + (((step * examples.Batch) + n) * examples.Classes);

        private void Subtract<TLanes>(int n)
            where TLanes : struct, IVectorLanes<TLanes>
        {
            (int steps, int length) = (examples.InputLengths[n], examples.TargetLengths[n]);
            int states = (2 * length) + 1;
            float scale = examples.Reduction switch
            {
                Reduction.None => dLoss[n],
                Reduction.Mean => *dLoss / examples.Batch / Math.Max(1, length),
                _ => *dLoss,
            };
            float* skips = examples.Skips(n), beta = scratch + ((nint)n * 3 * examples.Width);
            float* behind = beta + examples.Width, shares = behind + examples.Width;
            new Span<float>(beta, states + 2).Fill(float.NegativeInfinity);
            new Span<float>(behind, states + 2).Fill(float.NegativeInfinity);
            beta[states - 1] = 0;
            beta[Math.Max(0, states - 2)] = 0;
            for (int step = steps - 1; step >= 0; step--)
            {
                if (step < steps - 1)
                {
                    float* exchange = beta;
                    beta = behind;
                    behind = exchange;
                    Back<TLanes>(behind, examples.Emissions(n, step + 1, states), skips, beta, states);
                }

                float* alpha = examples.Alpha(n, step) + 2;
                TLanes whole = TLanes.Broadcast(examples.Likelihood[n]), factor = TLanes.Broadcast(-scale);
                for (int s = 0; s < states; s += TLanes.Count)
                {
                    int count = Math.Min(TLanes.Count, states - s);
                    TLanes score = TLanes.Load(alpha + s, count) + TLanes.Load(beta + s, count) - whole;
                    (Elementary.Exp(score) * factor).Store(shares + s, count);
                }

                Scatter(shares, examples.Labels(n), length, Row(n, step));
            }
        }

        private static void Back<TLanes>(float* behind, float* emissions, float* skips, float* beta, int states)
            where TLanes : struct, IVectorLanes<TLanes>
        {
            for (int s = 0; s < states; s += TLanes.Count)
            {
                int count = Math.Min(TLanes.Count, states - s);
                (TLanes.Load(behind + s, count) + TLanes.Load(emissions + s, count)).Store(behind + s, count);
            }

            for (int s = 0; s < states; s += TLanes.Count)
            {
                int count = Math.Min(TLanes.Count, states - s);
                TLanes twoOn = TLanes.Load(behind + s + 2, count) + TLanes.Load(skips + s + 2, count);
                AddLogs(TLanes.Load(behind + s, count), TLanes.Load(behind + s + 1, count), twoOn).Store(beta + s, count);
            }
        }

        private void Scatter(float* shares, int* labels, int length, float* row)
        {
            float blank = shares[0];
            for (int i = 0; i < length; i++)
            {
                row[labels[i]] += shares[(2 * i) + 1];
                blank += shares[(2 * i) + 2];
            }

            row[examples.Blank] += blank;
        }
    }
}
