using System.Globalization;
using FastNN.Tensors;

namespace FastNN;

/// <summary>
/// Draws tokens from the logits of a language model: from all of them, from the most probable ones (<see cref="TopK"/>), or from
/// the fewest whose probabilities make up a share (<see cref="TopP"/>; Holtzman et al., 2020). Draw number n is a function of the
/// seed, n and the logits alone. A draw allocates nothing once one of as many logits was made. One thread at a time.
/// </summary>
public sealed class TokenSampler
{
    private readonly ulong _seed;
    private ulong[] _order = [];
    private double[] _weights = [];

    /// <summary>A sampler.</summary>
    /// <param name="seed">Determines what is drawn; default 0.</param>
    public TokenSampler(ulong seed = 0) => _seed = seed;

    /// <summary>
    /// What logits are divided by: below 1 the probable becomes more probable. 0 takes the most probable token, of several the
    /// first. Default 1.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">It is negative or not finite.</exception>
    public float Temperature
    {
        get;
        init => field = value >= 0 && float.IsFinite(value)
            ? value
            : throw new ArgumentOutOfRangeException(
                nameof(Temperature), value, "TokenSampler: expected a finite temperature of at least 0.");
    } = 1;

    /// <summary>How many of the most probable tokens are drawn from, of equal ones the first; default 0, all.</summary>
    /// <exception cref="ArgumentOutOfRangeException">It is negative.</exception>
    public int TopK
    {
        get;
        init
        {
            ArgumentOutOfRangeException.ThrowIfNegative(value, nameof(TopK));
            field = value;
        }
    }

    /// <summary>
    /// The least share of the probability that the tokens drawn from make up, after temperature and <see cref="TopK"/>; default
    /// 1, all.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">It is not in (0, 1].</exception>
    public float TopP
    {
        get;
        init => field = value is > 0 and <= 1
            ? value
            : throw new ArgumentOutOfRangeException(nameof(TopP), value, "TokenSampler: expected a share above 0 and at most 1.");
    } = 1;

    /// <summary>How many tokens were drawn.</summary>
    public long Draws { get; private set; }

    /// <summary>Draws a token.</summary>
    /// <param name="logits">One number per token; negative infinity for one that must not be drawn.</param>
    /// <returns>The token's index.</returns>
    /// <exception cref="ArgumentException">There are no logits, or one is NaN or positive infinity, or all are negative
    /// infinity.</exception>
    public int Sample(ReadOnlySpan<float> logits)
    {
        int best = Best(logits);
        ulong draw = (ulong)Draws++;
        if (Temperature == 0 || TopK == 1)
        {
            return best;
        }

        int count = logits.Length;
        if (_weights.Length < count)
        {
            (_weights, _order) = (new double[count], new ulong[count]);
        }

        bool sorts = TopP < 1 || (TopK > 0 && TopK < count);
        Span<ulong> order = _order.AsSpan(0, count);
        if (sorts)
        {
            for (int i = 0; i < count; i++)
            {
                order[i] = Key(logits[i], i);
            }

            order.Sort();
        }

        int kept = TopK > 0 ? Math.Min(TopK, count) : count;
        double sum = 0, highest = logits[best];
        for (int i = 0; i < kept; i++)
        {
            _weights[i] = Math.Exp((logits[sorts ? (int)(uint)order[i] : i] - highest) / Temperature);
            sum += _weights[i];
        }

        if (TopP < 1)
        {
            double part = 0, share = TopP * sum;
            int i = 0;
            do
            {
                part += _weights[i++];
            }
            while (i < kept && part < share);
            (kept, sum) = (i, part);
        }

        double left = Uniform(draw) * sum;
        int last = 0;
        for (int i = 0; i < kept; i++)
        {
            // Rounding may leave a rest behind the last one; a token of weight 0 is never drawn.
            if (_weights[i] > 0)
            {
                last = i;
                left -= _weights[i];
                if (left < 0)
                {
                    break;
                }
            }
        }

        return sorts ? (int)(uint)order[last] : last;
    }

    private static int Best(ReadOnlySpan<float> logits)
    {
        int best = -1;
        float highest = float.NegativeInfinity;
        for (int i = 0; i < logits.Length; i++)
        {
            if (float.IsNaN(logits[i]) || float.IsPositiveInfinity(logits[i]))
            {
                throw new ArgumentException(
                    string.Create(CultureInfo.InvariantCulture, $"TokenSampler: expected finite logits, got {logits[i]} for token {i}."),
                    nameof(logits));
            }

            if (logits[i] > highest)
            {
                (best, highest) = (i, logits[i]);
            }
        }

        return best >= 0
            ? best
            : throw new ArgumentException(
                $"TokenSampler: expected at least one token with a finite logit, got {logits.Length} logits without any.",
                nameof(logits));
    }

    /// <summary>Sorts by falling logits, of equal ones by rising indices.</summary>
    private static ulong Key(float logit, int index)
    {
        // Bits of floats order like integers once those of negative numbers are turned over; -0 counts as 0.
        int bits = BitConverter.SingleToInt32Bits(logit == 0 ? 0f : logit);
        uint rising = (uint)(bits < 0 ? ~bits : bits | int.MinValue);
        return ((ulong)~rising << 32) | (uint)index;
    }

    /// <summary>53 random bits as a number in [0, 1).</summary>
    private double Uniform(ulong draw)
    {
        PhiloxBlock block = Philox.Block(_seed, Philox.Stream(RandomUse.Tokens), draw);
        return (((ulong)block.X0 << 21) ^ (block.X1 >> 11)) * (1.0 / (1UL << 53));
    }
}
