using System.Numerics;
using FastNN.Graphs;
using FastNN.Kernels;

namespace FastNN;

/// <summary>
/// Computes a causal model of tokens position by position: keys and values of the positions so far stay in device memory, so
/// that a further token costs one position and not all of them again. Its logits are those of the model for the whole sequence.
/// A token allocates nothing, on the host or the device, once calls of its kind have been made. One thread at a time.
/// </summary>
/// <remarks>
/// Any model will do in which positions see one another in causal self-attention alone: built of
/// <see cref="AttentionOperators.PackedAttention"/>, <see cref="AttentionOperators.ScaledDotProductAttention"/> or the layers
/// that use them, with positions that are rotary, learned or sinusoidal. Others are refused when the decoder is made.
/// </remarks>
public sealed class Decoder : IDisposable
{
    // Longer texts are read in pieces of powers of two up to here, so that their plans are few.
    private const int LongestPiece = 64;

    private readonly Session _session;
    private readonly int[] _history;
    private readonly int[] _kept;
    private readonly int[] _tokens;
    private readonly int[] _positions;
    private readonly int[] _drawn;
    private readonly float[] _logits;
    private bool _hasLogits;

    internal Decoder(Layer model, IDevice device, int context, int batch)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(context);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(batch);
        if (!model.IsBuilt)
        {
            throw new InvalidOperationException(
                "Decoder: the model is not built; call model.Build first, or train or load it.");
        }

        if (model.Signature is { } signature && (signature.Count != 1 || signature[0].Type != DType.Int32))
        {
            throw new ArgumentException(
                $"Decoder: expected a model of one input of tokens, Int32, got {string.Join(", ", signature)}.", nameof(model));
        }

        (Context, Batch) = (context, batch);
        int steps = Dim.Named("T");
        var graph = new Graph(GraphMode.Inference);
        Value tokens = graph.Input([batch, steps], DType.Int32, "tokens");
        graph.Decoding = new Decoding(graph, batch, context, steps);
        Value logits = model.Apply(tokens);
        if (logits.Shape.Rank != 3 || logits.Shape[0] != batch || logits.Shape[1] != steps || Dim.IsSymbol(logits.Shape[2])
            || logits.Type != DType.Float32)
        {
            throw new ShapeException(
                $"Decoder: expected a model that gives logits Float32[{batch}, T, vocabulary] of tokens [{batch}, T], got {logits.TensorType}.");
        }

        PositionWise.Require(graph, steps);
        Value last = logits.Slice(1, -1).Reshape([batch, logits.Shape[2]]);
        int pieces = BitOperations.Log2(LongestPiece) + 1;
        _session = new Session(
            device, graph, [("logits", last)], new SessionOptions { MaxConcurrency = 1, MaxPlans = pieces });
        Vocabulary = logits.Shape[2];
        _logits = new float[batch * Vocabulary];
        _history = new int[batch * context];
        _kept = new int[batch * (context / 2)];
        _tokens = new int[batch * LongestPiece];
        _positions = new int[LongestPiece];
        _drawn = new int[batch];
    }

    /// <summary>The most positions of a sequence.</summary>
    public int Context { get; }

    /// <summary>Sequences side by side, all of one length.</summary>
    public int Batch { get; }

    /// <summary>Tokens that the model knows.</summary>
    public int Vocabulary { get; }

    /// <summary>Positions so far.</summary>
    public int Length { get; private set; }

    /// <summary>
    /// What the model says of the token to come, [<see cref="Batch"/>, <see cref="Vocabulary"/>]; valid until the next call.
    /// </summary>
    /// <exception cref="InvalidOperationException">Nothing was appended yet, or since <see cref="Rewind"/>.</exception>
    public ReadOnlySpan<float> Logits => _hasLogits
        ? _logits
        : throw new InvalidOperationException("Decoder: there are no logits yet; append at least one token first.");

    /// <summary>Adds tokens behind those so far.</summary>
    /// <param name="tokens">As many for each sequence, [<see cref="Batch"/>, count].</param>
    /// <exception cref="ShapeException">There are no tokens, their number is not a multiple of <see cref="Batch"/>, or the
    /// context has no room for them.</exception>
    /// <exception cref="InvalidDatasetException">A token is out of range.</exception>
    /// <exception cref="ObjectDisposedException">The decoder was disposed.</exception>
    public void Append(ReadOnlySpan<int> tokens)
    {
        (int count, int rest) = Math.DivRem(tokens.Length, Batch);
        if (count == 0 || rest != 0 || count > Context - Length)
        {
            throw new ShapeException(
                $"Decoder: expected a multiple of {Batch} tokens for at most {Context - Length} further positions, got {tokens.Length}.");
        }

        int before = Length;
        try
        {
            for (int done = 0; done < count;)
            {
                int piece = Math.Min(LongestPiece, 1 << BitOperations.Log2((uint)(count - done)));
                for (int row = 0; row < Batch; row++)
                {
                    ReadOnlySpan<int> part = tokens.Slice((row * count) + done, piece);
                    part.CopyTo(_tokens.AsSpan(row * piece));
                    part.CopyTo(_history.AsSpan((row * Context) + Length));
                }

                Compute(piece, done + piece == count);
                done += piece;
                Length += piece;
            }

            _hasLogits = true;
        }
        catch
        {
            (Length, _hasLogits) = (before, false);
            throw;
        }
    }

    /// <summary>Forgets all positions behind the first ones, as for another continuation of the same text.</summary>
    /// <param name="length">How many stay; default 0.</param>
    /// <exception cref="ArgumentOutOfRangeException">There are not as many.</exception>
    public void Rewind(int length = 0)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(length, Length);
        (Length, _hasLogits) = (length, false);
    }

    /// <summary>
    /// Draws a continuation of what was appended, and appends it, so that the next call goes on from there. Where the context is
    /// full, its later half is read again as the beginning of a new one.
    /// </summary>
    /// <param name="sampler">Draws each token from its logits, sequence after sequence.</param>
    /// <param name="tokens">Receives them, [<see cref="Batch"/>, count].</param>
    /// <exception cref="ShapeException">The length is not a multiple of <see cref="Batch"/>.</exception>
    /// <exception cref="InvalidOperationException">Nothing was appended yet.</exception>
    public void Generate(TokenSampler sampler, Span<int> tokens)
    {
        ArgumentNullException.ThrowIfNull(sampler);
        (int count, int rest) = Math.DivRem(tokens.Length, Batch);
        if (rest != 0)
        {
            throw new ShapeException($"Decoder: expected room for a multiple of {Batch} tokens, got {tokens.Length}.");
        }

        for (int i = 0; i < count; i++)
        {
            ReadOnlySpan<float> logits = Logits;
            for (int row = 0; row < Batch; row++)
            {
                _drawn[row] = sampler.Sample(logits.Slice(row * Vocabulary, Vocabulary));
                tokens[(row * count) + i] = _drawn[row];
            }

            if (Length == Context)
            {
                ReadLaterHalfAgain();
            }

            Append(_drawn);
        }
    }

    /// <summary>Frees the parameters and everything else on the device.</summary>
    public void Dispose() => _session.Dispose();

    private void ReadLaterHalfAgain()
    {
        int kept = Context / 2;
        for (int row = 0; row < Batch; row++)
        {
            _history.AsSpan((row * Context) + Context - kept, kept).CopyTo(_kept.AsSpan(row * kept));
        }

        Length = 0;
        if (kept > 0)
        {
            Append(_kept);
        }
    }

    private void Compute(int piece, bool wantsLogits)
    {
        for (int i = 0; i < piece; i++)
        {
            _positions[i] = Length + i;
        }

        using SessionRun run = _session.Begin([Batch, piece], [piece], [1]);
        run.Write<int>(0, _tokens.AsSpan(0, Batch * piece));
        run.Write<int>(1, _positions.AsSpan(0, piece));
        run.Write<int>(2, [Length + piece]);
        run.Compute();
        if (wantsLogits)
        {
            run.Read<float>(0, _logits);
        }
    }
}
