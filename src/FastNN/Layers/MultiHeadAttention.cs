using FastNN.Layers;

namespace FastNN;

/// <summary>
/// Attention of several heads between a projection into queries, keys and values and one back (Vaswani et al., 2017), with the
/// parameters of PyTorch's MultiheadAttention: in_proj_weight and in_proj_bias (q_proj_weight, k_proj_weight and v_proj_weight
/// where keys or values have another width), out_proj.weight and out_proj.bias. Inputs are [B, T, width]: one for
/// self-attention, which goes through a single product without any copy; query, key and value; and behind these a mask, where
/// <see cref="HasMask"/>, and a mask of padding, where <see cref="HasKeyPaddingMask"/>. Masks are Bool, true where a key may be
/// seen (PyTorch's layer takes the opposite), or Float32, added to the scores.
/// </summary>
public sealed class MultiHeadAttention : MultiInputLayer
{
    private readonly int _width;
    private readonly int _heads;
    private Dense? _output;
    private Parameter? _packed;
    private Parameter? _query;
    private Parameter? _key;
    private Parameter? _value;
    private Parameter? _bias;

    /// <summary>An attention layer.</summary>
    /// <param name="width">Of its output and of the queries; PyTorch's embed_dim.</param>
    /// <param name="heads">How many heads; divides the width.</param>
    /// <exception cref="ArgumentOutOfRangeException">A number is not positive.</exception>
    /// <exception cref="ArgumentException">The heads do not divide the width.</exception>
    public MultiHeadAttention(int width, int heads)
    {
        RequirePositive(width);
        RequirePositive(heads);
        if (width % heads != 0)
        {
            throw new ArgumentException(
                $"MultiHeadAttention: expected a number of heads that divides the width {width}, got {heads}.", nameof(heads));
        }

        if (width > int.MaxValue / 3)
        {
            throw new ArgumentOutOfRangeException(
                nameof(width), $"MultiHeadAttention: expected a width of at most {int.MaxValue / 3}, got {width}.");
        }

        (_width, _heads) = (width, heads);
    }

    /// <summary>Have biases; default true.</summary>
    public bool UseBias { get; init; } = true;

    /// <summary>Which keys a query sees by its place; default all.</summary>
    public CausalMask Causal { get; init => field = Require(nameof(MultiHeadAttention), value); }

    /// <summary>The probability that a weight becomes 0 while training, in [0, 1); default 0.</summary>
    public float Dropout { get; init; }

    /// <summary>
    /// Rotate queries and keys by their positions, 0 to this less 1 (<see cref="AttentionOperators.Rotary"/>); default 0, do not.
    /// </summary>
    public int RotaryPositions { get; init; }

    /// <summary>Whether a mask that broadcasts to [B, heads, Tq, Tk] is an input; default false.</summary>
    public bool HasMask { get; init; }

    /// <summary>Whether a mask [B, Tk] of the keys that are not padding is the last input; default false.</summary>
    public bool HasKeyPaddingMask { get; init; }

    /// <summary>
    /// Give the weights as a second output, [B, Tq, Tk] averaged over the heads (PyTorch's need_weights); default false. The
    /// scores
    /// are written out for it.
    /// </summary>
    public bool GivesWeights { get; init; }

    /// <summary>Average the weights over the heads; default true. Otherwise they are [B, heads, Tq, Tk].</summary>
    public bool AveragesWeights { get; init; } = true;

    /// <inheritdoc/>
    public override int OutputCount => GivesWeights ? 2 : 1;

    private int Masks => (HasMask ? 1 : 0) + (HasKeyPaddingMask ? 1 : 0);

    /// <summary>The outputs for queries, keys and values, which may be one value.</summary>
    /// <param name="query">[B, Tq, width].</param>
    /// <param name="key">[B, Tk, key width].</param>
    /// <param name="value">[B, Tk, value width].</param>
    /// <returns>[B, Tq, width].</returns>
    /// <exception cref="ShapeException">The shapes do not fit.</exception>
    public Value Attend(Value query, Value key, Value value) => Apply([query, key, value])[0];

    /// <inheritdoc/>
    protected override void Build(ReadOnlySpan<Value> inputs)
    {
        (Value query, Value key, Value value) = Operands(inputs);
        if (query.Shape.Rank != 3 || key.Shape.Rank != 3 || value.Shape.Rank != 3 || query.Shape[2] != _width)
        {
            throw new ShapeException(
                $"MultiHeadAttention: expected queries [B, T, {_width}], keys and values of three axes, got {query.Shape}, {key.Shape} and {value.Shape}.");
        }

        if ((long)RotaryPositions * (_width / _heads) > PositionTables.MaxElements)
        {
            throw new ShapeException(
                $"MultiHeadAttention: expected at most {PositionTables.MaxElements / (_width / _heads)} rotary positions for heads of width {_width / _heads}, got {RotaryPositions}.");
        }

        if (key.Shape[2] == _width && value.Shape[2] == _width)
        {
            _packed = AddParameter(
                "in_proj_weight", new Shape(_width, 3 * _width), Initializer.GlorotUniform, ParameterLayout.DenseWeight);
        }
        else
        {
            _query = Projection("q_proj_weight", query);
            _key = Projection("k_proj_weight", key);
            _value = Projection("v_proj_weight", value);
        }

        _bias = UseBias ? AddParameter("in_proj_bias", new Shape(3 * _width), Initializer.Zeros) : null;
        _output = AddLayer(new Dense(_width) { UseBias = UseBias }, "out_proj");
    }

    /// <inheritdoc/>
    protected override IReadOnlyList<Value> Forward(ReadOnlySpan<Value> inputs)
    {
        (Value query, Value key, Value value) = Operands(inputs);
        Value[] masks = inputs[^Masks..].ToArray();
        return query.Graph.Compose(() => Attend(query, key, value, masks), nameof(MultiHeadAttention));
    }

    private Value[] Attend(Value query, Value key, Value value, Value[] masks)
    {
        Graph graph = query.Graph;
        Value? mask = Mask(masks, query.Shape, key.Shape);
        Value? bias = _bias is null ? null : graph.Use(_bias);
        bool isSelf = query == key && key == value && _packed is not null;
        if (isSelf && !GivesWeights && (Dropout == 0 || graph.Mode == GraphMode.Inference)
            && (mask is null || !ComposedAttention.DependsOnParameters(mask)))
        {
            Value packed = query.Dense(graph.Use(_packed!), bias);
            if (RotaryPositions > 0)
            {
                Shape shape = packed.Shape;
                packed = packed.Reshape([shape[0], shape[1], 3 * _heads, _width / _heads])
                    .Rotary(RotaryPositions, rotated: 2 * _heads).Reshape(shape);
            }

            return [_output!.Apply(packed.PackedAttention(_heads, mask: mask, causal: Causal))];
        }

        Value[] projected = isSelf
            ? query.Dense(graph.Use(_packed!), bias).Chunk(3)
            : Project(query, key, value, bias);
        Value Heads(int operand)
        {
            Shape shape = projected[operand].Shape;
            return projected[operand].Reshape([shape[0], shape[1], _heads, _width / _heads]);
        }

        (Value q, Value k, Value v) = (Heads(0), Heads(1), Heads(2));
        if (RotaryPositions > 0)
        {
            (q, k) = (q.Rotary(RotaryPositions), k.Rotary(RotaryPositions));
        }

        Value? weights = null;
        float dropout = graph.Mode == GraphMode.Training ? Dropout : 0;
        Value y = GivesWeights
            ? ComposedAttention.Record(q, k, v, mask, Causal, null, dropout, headsLast: true, out weights)
            : q.ScaledDotProductAttention(k, v, mask, Causal, dropout: dropout, headsLast: true);
        y = _output!.Apply(y.Reshape([query.Shape[0], query.Shape[1], _width]));
        return weights is null ? [y] : [y, AveragesWeights ? weights.Mean([1]) : weights];
    }

    /// <inheritdoc/>
    protected internal override void Describe(LayerDescription description)
    {
        ArgumentNullException.ThrowIfNull(description);
        description.Set("width", _width).Set("heads", _heads);
        if (!UseBias)
        {
            description.Set("useBias", UseBias);
        }

        if (Causal != CausalMask.None)
        {
            description.Set("causal", Causal.ToString());
        }

        if (Dropout != 0)
        {
            description.Set("dropout", Dropout);
        }

        if (RotaryPositions != 0)
        {
            description.Set("rotaryPositions", RotaryPositions);
        }

        foreach ((string name, bool isSet) in new[]
        {
            ("hasMask", HasMask), ("hasKeyPaddingMask", HasKeyPaddingMask), ("givesWeights", GivesWeights),
            ("perHead", !AveragesWeights),
        })
        {
            if (isSet)
            {
                description.Set(name, isSet);
            }
        }
    }

    internal static MultiHeadAttention Create(LayerDescription description) =>
        new(description.Int32("width"), description.Int32("heads"))
        {
            Name = description.Name,
            UseBias = description.Boolean("useBias", true),
            Causal = description.Has("causal") ? ParseCausal(description.Text("causal")) : CausalMask.None,
            Dropout = description.Has("dropout") ? description.Single("dropout") : 0,
            RotaryPositions = description.Int32("rotaryPositions", 0),
            HasMask = description.Boolean("hasMask", false),
            HasKeyPaddingMask = description.Boolean("hasKeyPaddingMask", false),
            GivesWeights = description.Boolean("givesWeights", false),
            AveragesWeights = !description.Boolean("perHead", false),
        };

    /// <summary>What a model file calls it.</summary>
    /// <exception cref="ArgumentOutOfRangeException">It is not a member of the enumeration.</exception>
    internal static CausalMask Require(string layer, CausalMask causal) => Enum.IsDefined(causal)
        ? causal
        : throw new ArgumentOutOfRangeException(
            nameof(causal), $"{layer}: expected a causal mask of None, UpperLeft or LowerRight, got {causal}.");

    internal static CausalMask ParseCausal(string text) => Enum.TryParse(text, out CausalMask causal) && Enum.IsDefined(causal)
        ? causal
        : throw new ArgumentException($"expected a causal mask such as UpperLeft, got '{Formats.Quote.Text(text)}'.");

    private Parameter Projection(string name, Value x) =>
        AddParameter(name, new Shape(x.Shape[2], _width), Initializer.GlorotUniform, ParameterLayout.DenseWeight);

    private (Value Query, Value Key, Value Value) Operands(ReadOnlySpan<Value> inputs) => (inputs.Length - Masks) switch
    {
        1 => (inputs[0], inputs[0], inputs[0]),
        3 => (inputs[0], inputs[1], inputs[2]),
        _ => throw new ArgumentException(
            $"MultiHeadAttention: expected one input or query, key and value, and {Masks} masks behind them, got {inputs.Length} inputs."),
    };

    /// <summary>The three products; biases and packed weights are views of parts.</summary>
    private Value[] Project(Value query, Value key, Value value, Value? bias)
    {
        Graph graph = query.Graph;
        Value[] weights = _packed is not null
            ? graph.Use(_packed).Chunk(3)
            : [graph.Use(_query!), graph.Use(_key!), graph.Use(_value!)];
        Value[]? biases = bias?.Chunk(3);
        return [
            query.Dense(weights[0], biases?[0]), key.Dense(weights[1], biases?[1]), value.Dense(weights[2], biases?[2])];
    }

    /// <summary>Both masks as one that broadcasts to [B, heads, Tq, Tk], or null.</summary>
    private Value? Mask(ReadOnlySpan<Value> masks, Shape query, Shape key)
    {
        Value? mask = HasMask ? masks[0] : null;
        if (!HasKeyPaddingMask)
        {
            return mask;
        }

        Value padding = masks[^1];
        if (padding.Shape.Rank != 2)
        {
            throw new ShapeException(
                $"MultiHeadAttention: expected a mask of padding [B, {key[1]}], got {padding.Shape} beside queries {query}.");
        }

        padding = padding.Reshape([padding.Shape[0], 1, 1, padding.Shape[1]]);
        if (mask is null)
        {
            return padding;
        }

        return Added(mask) + Added(padding);
    }

    /// <summary>A mask of either type as numbers to add.</summary>
    private static Value Added(Value mask) => mask.Type == DType.Bool
        ? ShapeOperators.Where(mask, mask.Graph.Constant(0), mask.Graph.Constant(float.NegativeInfinity))
        : mask;
}
