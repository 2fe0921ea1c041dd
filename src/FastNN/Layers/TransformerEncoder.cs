using FastNN.Layers;

namespace FastNN;

/// <summary>
/// A layer of an encoder, as PyTorch's TransformerEncoderLayer: self-attention (self_attn, norm1), then two dense layers
/// (linear1, linear2, norm2). Inputs: [B, T, width]; behind it the mask and the mask of padding, where there are any.
/// </summary>
/// <param name="width">Of inputs and output.</param>
/// <param name="heads">Heads of attention, which divide the width.</param>
/// <param name="hidden">Units of linear1; default 2,048.</param>
public sealed class TransformerEncoderLayer(int width, int heads, int hidden = 2048) : TransformerLayer(width, heads, hidden)
{
    private MultiHeadAttention? _attention;
    private LayerNorm? _norm1;
    private LayerNorm? _norm2;

    /// <inheritdoc/>
    protected override void Build(ReadOnlySpan<Value> inputs)
    {
        RequireWidth(inputs[0]);
        _attention = AddAttention("self_attn", Causal, HasMask, HasKeyPaddingMask);
        AddFeedForward();
        _norm1 = AddNorm("norm1");
        _norm2 = AddNorm("norm2");
    }

    /// <inheritdoc/>
    protected override IReadOnlyList<Value> Forward(ReadOnlySpan<Value> inputs)
    {
        RequireCount(inputs, 1 + Masks);
        RequireWidth(inputs[0]);
        Value[] masks = inputs[1..].ToArray();
        Value x = Add(inputs[0], _norm1!, value => _attention!.Apply([value, .. masks])[0]);
        return [Add(x, _norm2!, FeedForward)];
    }

    internal static TransformerEncoderLayer Create(LayerDescription description) =>
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
        };
}

/// <summary>
/// Layers of an encoder one behind the other, "layers.0" and so on, as PyTorch's TransformerEncoder; masks go to each of them.
/// </summary>
public sealed class TransformerEncoder : StackedTransformer
{
    /// <summary>An encoder.</summary>
    /// <param name="layers">In order; all with the same masks.</param>
    /// <exception cref="ArgumentException">There is none, or their widths differ.</exception>
    public TransformerEncoder(params ReadOnlySpan<TransformerEncoderLayer> layers)
        : base([.. layers])
    {
    }

    internal static TransformerEncoder Create(LayerDescription description) =>
        new(Of<TransformerEncoderLayer>(description))
        {
            Name = description.Name,
            HasNorm = description.Boolean("hasNorm"),
        };
}
