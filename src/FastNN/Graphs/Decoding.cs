using FastNN.Ops;

namespace FastNN.Graphs;

/// <summary>
/// What makes a recording of a causal model compute new positions alone: attention puts their keys and values into caches, behind
/// those of the positions before, and reads them there; whatever counts positions begins behind those.
/// </summary>
internal sealed class Decoding
{
    private readonly Graph _graph;
    private readonly int _batch;
    private readonly int _context;
    private readonly Value _positions;
    private readonly Value _lengths;
    private readonly List<Parameter> _caches = [];

    /// <param name="graph">What is recorded into.</param>
    /// <param name="batch">Sequences side by side.</param>
    /// <param name="context">The most positions of a sequence.</param>
    /// <param name="steps">The symbol of how many positions are new.</param>
    public Decoding(Graph graph, int batch, int context, int steps)
    {
        (_graph, _batch, _context, Steps) = (graph, batch, context, steps);
        _positions = graph.Input([steps], DType.Int32, "positions");
        _lengths = graph.Input([1], DType.Int32, "lengths");
    }

    /// <summary>The symbol of how many positions are new.</summary>
    public int Steps { get; }

    /// <summary>The keys and values of the positions so far, each [batch, context, width].</summary>
    public IReadOnlyList<Parameter> Caches => _caches;

    /// <summary>The new positions, Int32 [steps].</summary>
    public Value Positions(int offset) => offset == 0 ? _positions : _positions + _graph.ConstantInt32([offset], [1]);

    /// <summary>The rows of a table [positions, width] that belong to the new positions.</summary>
    public Value Rows(Value table)
    {
        RequirePositions(table.Shape[0]);
        return _positions.Embedding(table);
    }

    /// <summary>Fails where a table of positions is shorter than the context.</summary>
    public void RequirePositions(int count)
    {
        if (count < _context)
        {
            throw new ShapeException(
                $"Decoder: expected a context of at most the model's {count} positions, got {_context}.");
        }
    }

    /// <summary>Attention of the new positions over all of them, where operands are [B, T, H, D].</summary>
    public Value Attend(Value query, Value key, Value value, CausalMask causal, float? scale, bool isPlain)
    {
        if (causal == CausalMask.None || !isPlain)
        {
            throw new ShapeException(
                "Decoder: expected self-attention with a causal mask and without another mask, lengths or weights as an output; "
                + "positions would see what comes behind them.");
        }

        var op = new ScaledDotProductOp(
            AttentionLayout.HeadsLast, 0, 0, scale, CausalMask.LowerRight, HasMask: false, HasLengths: true);
        return _graph.Add(op, query, Cached(key, "keys"), Cached(value, "values"), _lengths);
    }

    /// <summary>All rows so far, of which those of the new positions are given: [B, context, H, D].</summary>
    private Value Cached(Value rows, string what)
    {
        Shape shape = rows.Shape;
        if (shape[0] != _batch || shape[1] != Steps)
        {
            throw new ShapeException(
                $"Decoder: expected {what} of {_batch} sequences and their new positions [{_batch}, T, heads, width], got {shape}.");
        }

        int width = shape[2] * shape[3];
        var cache = new Parameter($"{what}.{_caches.Count}", new Shape(_batch, _context, width), Initializer.Zeros)
        {
            IsCache = true,
        };
        _caches.Add(cache);
        Value places = _positions.Reshape([1, Steps, 1]).Expand(_batch, Steps, width);
        return _graph.Use(cache).Scatter(1, places, rows.Reshape([_batch, Steps, width]))
            .Reshape([_batch, _context, shape[2], shape[3]]);
    }
}
