using FastNN.Layers;

namespace FastNN;

/// <summary>
/// A layer of a decoder, as PyTorch's TransformerDecoderLayer: self-attention (self_attn, norm1), attention over the encoder's
/// output (multihead_attn, norm2), then two dense layers (linear1, linear2, norm3). Inputs: the target [B, T, width] and the
/// memory [B, S, memory width]; behind them, where there are any, the target's mask, the memory's, the target's mask of padding
/// and the memory's.
/// </summary>
/// <param name="width">Of the target and the output.</param>
/// <param name="heads">Heads of attention, which divide the width.</param>
/// <param name="hidden">Units of linear1; default 2,048.</param>
public sealed class TransformerDecoderLayer(int width, int heads, int hidden = 2048) : TransformerLayer(width, heads, hidden)
{
    private MultiHeadAttention? _self;
    private MultiHeadAttention? _cross;
    private LayerNorm? _norm1;
    private LayerNorm? _norm2;
    private LayerNorm? _norm3;

    /// <summary>Whether a mask of the memory, which broadcasts to [B, heads, T, S], is an input; default false.</summary>
    public bool HasMemoryMask { get; init; }

    /// <summary>Whether a mask [B, S] of the memory's positions that are not padding is an input; default false.</summary>
    public bool HasMemoryPaddingMask { get; init; }

    /// <inheritdoc/>
    protected override void Build(ReadOnlySpan<Value> inputs)
    {
        RequireWidth(inputs[0]);
        _self = AddAttention("self_attn", Causal, HasMask, HasKeyPaddingMask);
        _cross = AddAttention("multihead_attn", CausalMask.None, HasMemoryMask, HasMemoryPaddingMask);
        AddFeedForward();
        _norm1 = AddNorm("norm1");
        _norm2 = AddNorm("norm2");
        _norm3 = AddNorm("norm3");
    }

    /// <inheritdoc/>
    protected override IReadOnlyList<Value> Forward(ReadOnlySpan<Value> inputs)
    {
        RequireCount(inputs, 2 + Masks + (HasMemoryMask ? 1 : 0) + (HasMemoryPaddingMask ? 1 : 0));
        RequireWidth(inputs[0]);
        Value memory = inputs[1];
        var masks = new Queue<Value>(inputs[2..].ToArray());
        Value[] mask = HasMask ? [masks.Dequeue()] : [], memoryMask = HasMemoryMask ? [masks.Dequeue()] : [];
        Value[] padding = HasKeyPaddingMask ? [masks.Dequeue()] : [], memoryPadding = [.. masks];
        Value x = Add(inputs[0], _norm1!, value => _self!.Apply([value, .. mask, .. padding])[0]);
        x = Add(x, _norm2!, value => _cross!.Apply([value, memory, memory, .. memoryMask, .. memoryPadding])[0]);
        return [Add(x, _norm3!, FeedForward)];
    }

    /// <inheritdoc/>
    protected internal override void Describe(LayerDescription description)
    {
        base.Describe(description);
        description.Set("hasMemoryMask", HasMemoryMask).Set("hasMemoryPaddingMask", HasMemoryPaddingMask);
    }

    internal static TransformerDecoderLayer Create(LayerDescription description) =>
        new(description.Int32("width"), description.Int32("heads"), description.Int32("hidden"))
        {
            Name = description.Name,
            Activation = description.Activation(),
            Dropout = description.Single("dropout"),
            NormFirst = description.Boolean("normFirst"),
            Epsilon = description.Single("epsilon"),
            UseBias = description.Boolean("useBias"),
            Causal = MultiHeadAttention.ParseCausal(description.Text("causal")),
            HasMask = description.Boolean("hasMask"),
            HasKeyPaddingMask = description.Boolean("hasKeyPaddingMask"),
            HasMemoryMask = description.Boolean("hasMemoryMask"),
            HasMemoryPaddingMask = description.Boolean("hasMemoryPaddingMask"),
        };
}

/// <summary>
/// Layers of a decoder one behind the other, "layers.0" and so on, as PyTorch's TransformerDecoder; memory and masks go to each
/// of them.
/// </summary>
public sealed class TransformerDecoder : StackedTransformer
{
    /// <summary>A decoder.</summary>
    /// <param name="layers">In order; all with the same masks.</param>
    /// <exception cref="ArgumentException">There is none, or their widths differ.</exception>
    public TransformerDecoder(params ReadOnlySpan<TransformerDecoderLayer> layers)
        : base([.. layers])
    {
    }

    internal static TransformerDecoder Create(LayerDescription description) =>
        new(Of<TransformerDecoderLayer>(description))
        {
            Name = description.Name,
            HasNorm = description.Boolean("hasNorm"),
        };
}
