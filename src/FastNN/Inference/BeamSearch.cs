using System.Numerics.Tensors;

namespace FastNN;

/// <summary>
/// Beam search: of each source's unfinished sequences the most probable ones, its beams, are continued token by token, and the
/// finished ones are ranked by their log-probability over a power of their length (Wu et al., 2016). It looks for several sources
/// side by side, each with as many beams, so that a model continues all of them in one call. A source is settled, and its beams
/// are left alone, once none of them can still overtake its best finished sequence. With as many beams as there are sequences the
/// search is exhaustive. A step allocates nothing. One thread at a time.
/// </summary>
/// <remarks>
/// Row <c>source * Beams + beam</c> of logits, <see cref="Rows"/> and <see cref="Tokens"/> belongs to a beam of a source; at the
/// beginning all beams of a source are alike. <see cref="Decoder.Search"/> runs the whole search.
/// </remarks>
/// <example>
/// <code>
/// search.Begin();
/// while (search.Advance(logits))
/// {
///     // Row i continues what row search.Rows[i] had, with search.Tokens[i].
///     logits = Continue(search.Rows, search.Tokens);
/// }
/// </code>
/// </example>
public sealed class BeamSearch
{
    private readonly double[] _penalties;
    private readonly double[] _scores;
    private readonly int[] _rows;
    private readonly int[] _next;
    private readonly int[] _finished;
    private readonly int[] _finishedLengths;
    private readonly double[] _finishedScores;
    private readonly int[] _counts;
    private readonly bool[] _settled;
    private readonly float[] _exponentials;
    private readonly double[] _bestScores;
    private readonly int[] _bestPlaces;
    private int[] _tokens;
    private int[] _otherTokens;
    private int _found;

    /// <summary>A search.</summary>
    /// <param name="sources">Searches side by side.</param>
    /// <param name="beams">Sequences that are continued for each source.</param>
    /// <param name="vocabulary">Tokens, and so logits of a row.</param>
    /// <param name="endToken">The token that ends a sequence.</param>
    /// <param name="maxLength">The most tokens of a sequence, the end among them: it is the only one that may come last.</param>
    /// <exception cref="ArgumentOutOfRangeException">A number is not positive, or the end token is no token.</exception>
    public BeamSearch(int sources, int beams, int vocabulary, int endToken, int maxLength)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(sources);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(beams);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(vocabulary);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(maxLength);
        ArgumentOutOfRangeException.ThrowIfNegative(endToken);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(endToken, vocabulary);
        (Sources, Beams, Vocabulary, EndToken, MaxLength) = (sources, beams, vocabulary, endToken, maxLength);
        int rows = checked(sources * beams);
        (_penalties, _scores, _rows, _next) = (new double[maxLength + 1], new double[rows], new int[rows], new int[rows]);
        (_tokens, _otherTokens) = (new int[checked(rows * maxLength)], new int[rows * maxLength]);
        (_finished, _finishedLengths) = (new int[rows * maxLength], new int[rows]);
        (_finishedScores, _counts, _settled) = (new double[rows], new int[sources], new bool[sources]);

        // Each beam ends in one candidate at most, so that twice as many hold enough to go on with.
        (_bestScores, _bestPlaces) = (new double[2 * beams], new int[2 * beams]);
        _exponentials = new float[vocabulary];
        LengthPenalty = 0.6;
        Begin();
    }

    /// <summary>Searches side by side.</summary>
    public int Sources { get; }

    /// <summary>Sequences that are continued for each source.</summary>
    public int Beams { get; }

    /// <summary>Tokens, and so logits of a row.</summary>
    public int Vocabulary { get; }

    /// <summary>The token that ends a sequence.</summary>
    public int EndToken { get; }

    /// <summary>The most tokens of a sequence, the end among them.</summary>
    public int MaxLength { get; }

    /// <summary>
    /// The exponent of the length, a: a sequence of n tokens, the end among them, of log-probability s scores
    /// s / ((5 + n) / 6)^a (Wu et al., 2016, equation 14). 0 ranks by probability alone, which favors short sequences. Default
    /// 0.6.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">It is negative or not finite.</exception>
    public double LengthPenalty
    {
        get;
        init
        {
            field = value >= 0 && double.IsFinite(value)
                ? value
                : throw new ArgumentOutOfRangeException(
                    nameof(LengthPenalty), value, "BeamSearch: expected a finite length penalty of at least 0.");
            for (int n = 0; n < _penalties.Length; n++)
            {
                _penalties[n] = Math.Pow((5 + n) / 6.0, value);
            }
        }
    }

    /// <summary>Tokens of the unfinished sequences so far.</summary>
    public int Length { get; private set; }

    /// <summary>Whether all sources are settled.</summary>
    public bool IsDone { get; private set; }

    /// <summary>
    /// The row that each row continues, [<see cref="Sources"/> * <see cref="Beams"/>]: always one of the same source; its own
    /// where the source is settled.
    /// </summary>
    public ReadOnlySpan<int> Rows => _rows;

    /// <summary>
    /// The token that each row goes on with, [<see cref="Sources"/> * <see cref="Beams"/>]; <see cref="EndToken"/>, which means
    /// nothing, where the source is settled or has fewer sequences than beams.
    /// </summary>
    public ReadOnlySpan<int> Tokens => _next;

    /// <summary>Forgets all sequences, as for other sources.</summary>
    public void Begin()
    {
        (Length, IsDone) = (0, false);
        Array.Clear(_counts);
        Array.Clear(_settled);
        Array.Fill(_next, EndToken);
        for (int row = 0; row < _rows.Length; row++)
        {
            // All beams are alike, so one of them stands for all.
            _scores[row] = row % Beams == 0 ? 0 : double.NegativeInfinity;
            _rows[row] = row;
        }
    }

    /// <summary>Chooses the next token of every beam.</summary>
    /// <param name="logits">Of the token to come, [<see cref="Sources"/> * <see cref="Beams"/>, <see cref="Vocabulary"/>];
    /// negative infinity for one that must not come. Those of settled sources are not looked at.</param>
    /// <returns>Whether there is something to continue; false when all sources are settled.</returns>
    /// <exception cref="ShapeException">The number of logits is wrong.</exception>
    /// <exception cref="ArgumentException">A logit is NaN or positive infinity.</exception>
    /// <exception cref="InvalidOperationException">All sources are settled.</exception>
    public bool Advance(ReadOnlySpan<float> logits)
    {
        if (logits.Length != _rows.Length * (long)Vocabulary)
        {
            throw new ShapeException(
                $"BeamSearch: expected {_rows.Length} rows of {Vocabulary} logits, got {logits.Length} numbers.");
        }

        if (IsDone)
        {
            throw new InvalidOperationException("BeamSearch: all sources are settled; call Begin before another search.");
        }

        bool isOpen = false;
        for (int source = 0; source < Sources; source++)
        {
            if (!_settled[source])
            {
                Select(source, logits.Slice(source * Beams * Vocabulary, Beams * Vocabulary));
                Continue(source);
                isOpen |= !_settled[source];
            }
        }

        (_tokens, _otherTokens) = (_otherTokens, _tokens);
        Length++;
        IsDone = !isOpen;
        return isOpen;
    }

    /// <summary>How many finished sequences of a source are known, at most <see cref="Beams"/>.</summary>
    /// <param name="source">From 0.</param>
    public int Count(int source)
    {
        RequireSource(source);
        return _counts[source];
    }

    /// <summary>A finished sequence without its end token; valid until the next call of <see cref="Advance"/>.</summary>
    /// <param name="source">From 0.</param>
    /// <param name="rank">0, the default, is the best one; the others are those found by the time when it was settled.</param>
    /// <exception cref="ArgumentOutOfRangeException">There is no such source or sequence: where no sequence ends with a
    /// probability above 0 there is none at all.</exception>
    public ReadOnlySpan<int> Sequence(int source, int rank = 0)
    {
        int place = Place(source, rank);
        return _finished.AsSpan(place * MaxLength, _finishedLengths[place] - 1);
    }

    /// <summary>The score of a finished sequence.</summary>
    /// <param name="source">From 0.</param>
    /// <param name="rank">As for <see cref="Sequence"/>.</param>
    /// <returns>Its log-probability over its length's penalty.</returns>
    /// <exception cref="ArgumentOutOfRangeException">There is no such source or sequence.</exception>
    public double Score(int source, int rank = 0) => _finishedScores[Place(source, rank)];

    /// <summary>The most probable continuations of a source's beams, best first; of equal ones those of the first beam.</summary>
    private void Select(int source, ReadOnlySpan<float> logits)
    {
        _found = 0;
        for (int beam = 0; beam < Beams; beam++)
        {
            double score = _scores[(source * Beams) + beam];
            if (double.IsNegativeInfinity(score))
            {
                continue;
            }

            ReadOnlySpan<float> row = logits.Slice(beam * Vocabulary, Vocabulary);
            float highest = TensorPrimitives.Max(row);
            if (!float.IsFinite(highest))
            {
                if (float.IsNegativeInfinity(highest))
                {
                    continue;
                }

                throw new ArgumentException(
                    $"BeamSearch: expected finite logits, got {highest} in row {(source * Beams) + beam}.", nameof(logits));
            }

            TensorPrimitives.Subtract(row, highest, _exponentials);
            TensorPrimitives.Exp<float>(_exponentials, _exponentials);
            double shift = score - highest - Math.Log(TensorPrimitives.Sum<float>(_exponentials));
            if (Length == MaxLength - 1)
            {
                Offer(row[EndToken] + shift, (beam * Vocabulary) + EndToken);
                continue;
            }

            for (int token = 0; token < row.Length; token++)
            {
                Offer(row[token] + shift, (beam * Vocabulary) + token);
            }
        }
    }

    private void Offer(double score, int place)
    {
        int last = _bestScores.Length - 1;
        if (double.IsNegativeInfinity(score) || (_found > last && score <= _bestScores[last]))
        {
            return;
        }

        int at = _found <= last ? _found++ : last;
        for (; at > 0 && _bestScores[at - 1] < score; at--)
        {
            (_bestScores[at], _bestPlaces[at]) = (_bestScores[at - 1], _bestPlaces[at - 1]);
        }

        (_bestScores[at], _bestPlaces[at]) = (score, place);
    }

    /// <summary>Candidates that end are finished, the best others are the beams.</summary>
    private void Continue(int source)
    {
        int first = source * Beams, used = 0;
        for (int i = 0; i < _found && used < Beams; i++)
        {
            (int beam, int token) = Math.DivRem(_bestPlaces[i], Vocabulary);
            ReadOnlySpan<int> before = _tokens.AsSpan((first + beam) * MaxLength, Length);
            if (token == EndToken)
            {
                Finish(source, before, _bestScores[i] / _penalties[Length + 1]);
                continue;
            }

            int row = first + used++;
            before.CopyTo(_otherTokens.AsSpan(row * MaxLength));
            _otherTokens[(row * MaxLength) + Length] = token;
            (_rows[row], _next[row], _scores[row]) = (first + beam, token, _bestScores[i]);
        }

        // A sequence loses probability with each token, and the largest divisor is that of the greatest length.
        double bound = used > 0 ? _scores[first] / _penalties[MaxLength] : double.NegativeInfinity;
        _settled[source] = used == 0 || (_counts[source] > 0 && _finishedScores[first] >= bound);
        for (int beam = _settled[source] ? 0 : used; beam < Beams; beam++)
        {
            int row = first + beam;
            (_rows[row], _next[row], _scores[row]) = (row, EndToken, double.NegativeInfinity);
        }
    }

    private void Finish(int source, ReadOnlySpan<int> tokens, double score)
    {
        int first = source * Beams, count = _counts[source];
        if (count == Beams && score <= _finishedScores[first + count - 1])
        {
            return;
        }

        int at = first + Math.Min(count, Beams - 1);
        for (; at > first && _finishedScores[at - 1] < score; at--)
        {
            _finished.AsSpan((at - 1) * MaxLength, MaxLength).CopyTo(_finished.AsSpan(at * MaxLength));
            (_finishedScores[at], _finishedLengths[at]) = (_finishedScores[at - 1], _finishedLengths[at - 1]);
        }

        tokens.CopyTo(_finished.AsSpan(at * MaxLength));
        (_finishedScores[at], _finishedLengths[at]) = (score, tokens.Length + 1);
        _counts[source] = Math.Min(count + 1, Beams);
    }

    private int Place(int source, int rank)
    {
        RequireSource(source);
        return (uint)rank < (uint)_counts[source]
            ? (source * Beams) + rank
            : throw new ArgumentOutOfRangeException(
                nameof(rank), rank, $"BeamSearch: source {source} has {_counts[source]} finished sequences.");
    }

    private void RequireSource(int source)
    {
        if ((uint)source >= (uint)Sources)
        {
            throw new ArgumentOutOfRangeException(
                nameof(source), source, $"BeamSearch: expected a source of 0 to {Sources - 1}.");
        }
    }
}
