using System.Numerics;
using System.Runtime.InteropServices;
using FastNN.Graphs;
using FastNN.Kernels;
using FastNN.Tensors;

namespace FastNN;

/// <summary>
/// Computes a causal model of tokens position by position: keys and values of the positions so far stay in device memory, so
/// that a further token costs one position and not all of them again. Its logits are those of the model for the whole sequence.
/// A token allocates nothing, on the host or the device, once calls of its kind have been made. One thread at a time.
/// </summary>
/// <remarks>
/// Any model will do in which positions see one another in causal self-attention alone: built of
/// <see cref="AttentionOperators.PackedAttention"/>, <see cref="AttentionOperators.ScaledDotProductAttention"/> or the layers
/// that use them, with positions that are rotary, learned or sinusoidal. Others are refused when the decoder is made. Inputs
/// behind the tokens are the same for all positions, such as what an encoder made of a source;
/// <see cref="Write(string, ReadOnlySpan{float})"/> gives them.
/// </remarks>
public sealed class Decoder : IDisposable
{
    // Longer texts are read in pieces of powers of two up to here, so that their plans are few.
    private const int LongestPiece = 64;

    private readonly Session _session;
    private readonly int[] _kept;
    private readonly int[] _tokens;
    private readonly int[] _positions;
    private readonly int[] _drawn;
    private readonly float[] _logits;
    private readonly IDevice _device;
    private readonly CacheRows[] _caches;
    private readonly DeviceBlock? _spare;
    private readonly Conditions[] _conditions;
    private readonly Shape[] _shapes;
    private int[] _history;
    private int[] _otherHistory;
    private bool _hasLogits;
    private bool _isDisposed;

    internal Decoder(Layer model, IDevice device, int context, int batch)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(context);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(batch);
        if (!model.IsBuilt)
        {
            throw new InvalidOperationException(
                "Decoder: the model is not built; call model.Build first, or train or load it.");
        }

        ModelInput[] given = RequireSignature(model);
        (Context, Batch, _device) = (context, batch, device);
        int steps = Dim.Named("T");
        var graph = new Graph(GraphMode.Inference);
        Value tokens = graph.Input([batch, steps], DType.Int32, "tokens");
        graph.Decoding = new Decoding(graph, batch, context, steps);
        _conditions = Array.ConvertAll(given, input => Conditions.Of(graph, input, batch));
        Value logits = model.Apply([tokens, .. _conditions.Select(condition => condition.Value)])[0];
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
        try
        {
            (_caches, _spare) = MapCaches(graph.Decoding.Caches);
        }
        catch
        {
            _session.Dispose();
            throw;
        }

        IEnumerable<Conditions> written = _conditions.Where(condition => condition.Held is null);
        _shapes = [[batch, 1], [1], [1], .. written.Select(condition => condition.Shape)];
        Vocabulary = logits.Shape[2];
        _logits = new float[batch * Vocabulary];
        (_history, _otherHistory) = (new int[batch * context], new int[batch * context]);
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
    /// <exception cref="InvalidOperationException">The model has another input, to which nothing was written.</exception>
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

        if (Array.Find(_conditions, condition => !condition.IsWritten) is { } missing)
        {
            throw new InvalidOperationException(
                $"Decoder: nothing was written to input '{missing.Name}'; write all inputs behind the tokens before Append.");
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

    /// <summary>
    /// Looks for the most probable continuations of what was appended, which has to be the same for all rows of a source. The
    /// sequences are those of the last step afterwards; call <see cref="Rewind"/> before other ones.
    /// </summary>
    /// <param name="search">Begins anew, and has the results; its rows are the decoder's sequences.</param>
    /// <exception cref="ArgumentException">The search is for another number of rows or tokens.</exception>
    /// <exception cref="ShapeException">The context has no room for the search's longest sequence.</exception>
    /// <exception cref="InvalidOperationException">Nothing was appended yet.</exception>
    public void Search(BeamSearch search)
    {
        ArgumentNullException.ThrowIfNull(search);
        if (search.Sources * search.Beams != Batch || search.Vocabulary != Vocabulary)
        {
            throw new ArgumentException(
                $"Decoder: expected a search of {Batch} rows and {Vocabulary} tokens, got one of {search.Sources} sources with "
                + $"{search.Beams} beams each and {search.Vocabulary} tokens.",
                nameof(search));
        }

        // The last token is chosen, not appended.
        if (search.MaxLength - 1 > Context - Length)
        {
            throw new ShapeException(
                $"Decoder: expected a search for at most {Context - Length + 1} further tokens, got one for {search.MaxLength}.");
        }

        search.Begin();
        while (search.Advance(Logits))
        {
            Reorder(search.Rows);
            Append(search.Tokens);
        }
    }

    /// <summary>Lets each sequence go on from where another one is, as a beam search asks for.</summary>
    /// <param name="rows">For each of the <see cref="Batch"/> sequences the one whose tokens so far it takes over; its own number
    /// where it stays as it is. Inputs other than the tokens are not moved.</param>
    /// <exception cref="ShapeException">There are not as many as sequences.</exception>
    /// <exception cref="ArgumentOutOfRangeException">There is no such sequence.</exception>
    /// <exception cref="ObjectDisposedException">The decoder was disposed.</exception>
    public void Reorder(ReadOnlySpan<int> rows)
    {
        if (rows.Length != Batch)
        {
            throw new ShapeException($"Decoder: expected the sources of {Batch} sequences, got {rows.Length}.");
        }

        foreach (int row in rows)
        {
            ArgumentOutOfRangeException.ThrowIfNegative(row, nameof(rows));
            ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(row, Batch, nameof(rows));
        }

        ObjectDisposedException.ThrowIf(_isDisposed, this);
        using DeviceUse use = _device.Life.Enter();
        foreach (CacheRows cache in _caches)
        {
            Move(rows, cache.Rows, cache.Spare);
        }

        MoveHistory(rows);
        _hasLogits = false;
    }

    /// <summary>Writes an input other than the tokens; it counts for what is appended from now on.</summary>
    /// <param name="name">Its name in the model.</param>
    /// <param name="values">All its elements, [<see cref="Batch"/>, ...], in row-major order.</param>
    /// <exception cref="ArgumentException">No such input has this name, or it is not Float32.</exception>
    /// <exception cref="ShapeException">The number of values is wrong.</exception>
    /// <exception cref="ObjectDisposedException">The decoder was disposed.</exception>
    public void Write(string name, ReadOnlySpan<float> values)
    {
        Conditions condition = Find(name, DType.Float32, values.Length);
        ObjectDisposedException.ThrowIf(_isDisposed, this);
        using DeviceUse use = _device.Life.Enter();
        _device.Upload(MemoryMarshal.AsBytes(values), _session.Store.Value(condition.Held!));
        condition.IsWritten = true;
    }

    /// <summary>Writes an input of integers, such as lengths of sources; it counts for what is appended from now on.</summary>
    /// <param name="name">Its name in the model.</param>
    /// <param name="values">All its elements, [<see cref="Batch"/>, ...], in row-major order.</param>
    /// <exception cref="ArgumentException">No such input has this name, or it is not Int32.</exception>
    /// <exception cref="ShapeException">The number of values is wrong.</exception>
    public void Write(string name, ReadOnlySpan<int> values)
    {
        Conditions condition = Find(name, DType.Int32, values.Length);
        values.CopyTo(condition.Integers);
        condition.IsWritten = true;
    }

    /// <summary>Frees the parameters and everything else on the device.</summary>
    public void Dispose()
    {
        if (!_isDisposed)
        {
            _isDisposed = true;
            _session.Dispose();
            _spare?.Dispose();
        }
    }

    /// <summary>The inputs behind the tokens.</summary>
    private static ModelInput[] RequireSignature(Layer model)
    {
        if (model.Signature is not { } signature)
        {
            return [];
        }

        if (signature.Count == 0 || signature[0].Type != DType.Int32)
        {
            throw new ArgumentException(
                $"Decoder: expected a model whose first input is tokens, Int32, got {string.Join(", ", signature)}.",
                nameof(model));
        }

        ModelInput[] given = [.. signature.Skip(1)];
        return Array.Find(
            given, input => input.Shape.IsSymbolic || input.Type is not (DType.Float32 or DType.Int32)) is { } unfit
            ? throw new ArgumentException(
                $"Decoder: expected inputs behind the tokens of known extents, Float32 or Int32, got {unfit}.", nameof(model))
            : given;
    }

    /// <summary>The rows of all caches, and as many to keep some meanwhile.</summary>
    private (CacheRows[] Caches, DeviceBlock? Spare) MapCaches(IReadOnlyList<Parameter> caches)
    {
        if (caches.Count == 0 || Batch == 1)
        {
            return ([], null);
        }

        using DeviceUse use = _device.Life.Enter();
        var spare = new DeviceBlock(_device, caches.Max(cache => cache.Count) * sizeof(float), clear: false);
        Tensor[] Rows(nint address, int width) =>
        [
            .. Enumerable.Range(0, Batch).Select(row => new Tensor(
                address + ((nint)row * Context * width * sizeof(float)), DType.Float32, new Shape(Context * width))),
        ];
        return ([.. caches.Select(cache => new CacheRows(
            Rows(_session.Store.Value(cache).Address, cache.Shape[2]), Rows(spare.Address, cache.Shape[2])))], spare);
    }

    /// <summary>Replaces rows by others, all of which are read before any is written.</summary>
    private void Move(ReadOnlySpan<int> sources, Tensor[] rows, Tensor[] spare)
    {
        for (int row = 0; row < sources.Length; row++)
        {
            if (sources[row] != row)
            {
                _device.Memory.Copy(rows[sources[row]], spare[row], accumulate: false);
            }
        }

        for (int row = 0; row < sources.Length; row++)
        {
            if (sources[row] != row)
            {
                _device.Memory.Copy(spare[row], rows[row], accumulate: false);
            }
        }
    }

    private void MoveHistory(ReadOnlySpan<int> sources)
    {
        Span<int> History(int[] from, int row) => from.AsSpan(row * Context, Length);
        for (int row = 0; row < sources.Length; row++)
        {
            History(_history, sources[row]).CopyTo(History(_otherHistory, row));
        }

        (_history, _otherHistory) = (_otherHistory, _history);
    }

    private Conditions Find(string name, DType type, int count)
    {
        Conditions condition = Array.Find(_conditions, one => one.Name == name && one.Value.Type == type)
            ?? throw new ArgumentException(
                $"Decoder: expected one of {string.Join(", ", _conditions.Select(one => $"'{one.Name}' {one.Value.TensorType}"))}, "
                + $"got '{name}' {type}.",
                nameof(name));
        return count == condition.Shape.Count
            ? condition
            : throw new ShapeException(
                $"Decoder: expected {condition.Shape.Count} values for input '{name}' of shape {condition.Shape}, got {count}.");
    }

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

        (_shapes[0], _shapes[1]) = ([Batch, piece], [piece]);
        using SessionRun run = _session.Begin(_shapes);
        run.Write<int>(0, _tokens.AsSpan(0, Batch * piece));
        run.Write<int>(1, _positions.AsSpan(0, piece));
        run.Write<int>(2, [Length + piece]);
        int next = 3;
        foreach (Conditions condition in _conditions)
        {
            if (condition.Held is null)
            {
                run.Write<int>(next++, condition.Integers);
            }
        }

        run.Compute();
        if (wantsLogits)
        {
            run.Read<float>(0, _logits);
        }
    }

    /// <summary>One tensor for each sequence's part of a cache, and one to keep it meanwhile.</summary>
    private sealed record CacheRows(Tensor[] Rows, Tensor[] Spare);

    /// <summary>An input that is the same for all positions: numbers stay on the device, integers are few.</summary>
    private sealed class Conditions
    {
        public required string Name { get; init; }

        public required Shape Shape { get; init; }

        public required Value Value { get; init; }

        public Parameter? Held { get; init; }

        public int[] Integers { get; init; } = [];

        public bool IsWritten { get; set; }

        public static Conditions Of(Graph graph, ModelInput input, int batch)
        {
            Shape shape = input.Shape.Prepend(batch);
            if (input.Type == DType.Int32)
            {
                return new Conditions
                {
                    Name = input.Name,
                    Shape = shape,

                    // Decoding has inputs of its own.
                    Value = graph.Input(shape, DType.Int32, $"given.{input.Name}"),
                    Integers = new int[shape.Count],
                };
            }

            var held = new Parameter(input.Name, shape, Initializer.Zeros) { IsHeld = true };
            return new Conditions { Name = input.Name, Shape = shape, Value = graph.Use(held), Held = held };
        }
    }
}
