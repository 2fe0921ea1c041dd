using FastNN.Layers;

namespace FastNN;

/// <summary>
/// What an encoder's and a decoder's layers have in common: residual parts around attention and two dense layers, linear1 and
/// linear2, each normalized behind its sum (Vaswani et al., 2017) or in front (<see cref="NormFirst"/>). Parameters have
/// PyTorch's names; inputs are [B, T, width], masks as those of <see cref="MultiHeadAttention"/>.
/// </summary>
public abstract class TransformerLayer : MultiInputLayer
{
    private Dense? _first;
    private Dense? _second;

    private protected TransformerLayer(int width, int heads, int hidden)
    {
        RequirePositive(width);
        RequirePositive(heads);
        RequirePositive(hidden);
        if (width % heads != 0)
        {
            throw new ArgumentException(
                $"{GetType().Name}: expected a number of heads that divides the width {width}, got {heads}.", nameof(heads));
        }

        (Width, Heads, Hidden) = (width, heads, hidden);
    }

    /// <summary>The width of inputs and outputs; PyTorch's d_model.</summary>
    public int Width { get; }

    /// <summary>Heads of attention.</summary>
    public int Heads { get; }

    /// <summary>Units of linear1; PyTorch's dim_feedforward.</summary>
    public int Hidden { get; }

    /// <summary>Behind linear1; default ReLU.</summary>
    public Activation Activation { get; init; } = Activation.ReLU;

    /// <summary>
    /// The probability that an element becomes 0 while training: of attention's weights, of linear1's output and of each residual
    /// part. Default 0.1.
    /// </summary>
    public float Dropout { get; init; } = 0.1f;

    /// <summary>Normalize in front of each part instead of behind its sum; default false.</summary>
    public bool NormFirst { get; init; }

    /// <summary>Added to variances; default 1e-5.</summary>
    public float Epsilon { get; init; } = 1e-5f;

    /// <summary>Have biases in dense layers and projections; default true.</summary>
    public bool UseBias { get; init; } = true;

    /// <summary>Which positions self-attention sees from each; default all.</summary>
    public CausalMask Causal { get; init => field = MultiHeadAttention.Require(GetType().Name, value); }

    /// <summary>Whether a mask of self-attention is an input; default false.</summary>
    public bool HasMask { get; init; }

    /// <summary>Whether a mask [B, T] of the positions that are not padding is an input; default false.</summary>
    public bool HasKeyPaddingMask { get; init; }

    private protected int Masks => (HasMask ? 1 : 0) + (HasKeyPaddingMask ? 1 : 0);

    /// <inheritdoc/>
    protected internal override void Describe(LayerDescription description)
    {
        ArgumentNullException.ThrowIfNull(description);
        description.Set("width", Width).Set("heads", Heads).Set("hidden", Hidden).Set("activation", Activation)
            .Set("dropout", Dropout).Set("normFirst", NormFirst).Set("epsilon", Epsilon).Set("useBias", UseBias)
            .Set("causal", Causal.ToString()).Set("hasMask", HasMask).Set("hasKeyPaddingMask", HasKeyPaddingMask);
    }

    private protected MultiHeadAttention AddAttention(string name, CausalMask causal, bool hasMask, bool hasPadding) => AddLayer(
        new MultiHeadAttention(Width, Heads)
        {
            UseBias = UseBias,
            Causal = causal,
            Dropout = Dropout,
            HasMask = hasMask,
            HasKeyPaddingMask = hasPadding,
        },
        name);

    private protected void AddFeedForward()
    {
        _first = AddLayer(new Dense(Hidden, Activation) { UseBias = UseBias }, "linear1");
        _second = AddLayer(new Dense(Width) { UseBias = UseBias }, "linear2");
    }

    private protected LayerNorm AddNorm(string name) => AddLayer(new LayerNorm { Epsilon = Epsilon }, name);

    private protected Value FeedForward(Value x) => _second!.Apply(_first!.Apply(x).Dropout(Dropout));

    /// <summary>x and a part of it, normalized in front or behind.</summary>
    private protected Value Add(Value x, LayerNorm norm, Func<Value, Value> part) => NormFirst
        ? x + part(norm.Apply(x)).Dropout(Dropout)
        : norm.Apply(x + part(x).Dropout(Dropout));

    /// <summary>Fails unless an input is [B, T, width].</summary>
    private protected void RequireWidth(Value x)
    {
        if (x.Shape.Rank != 3 || x.Shape[2] != Width)
        {
            throw new ShapeException($"{GetType().Name}: expected an input [B, T, {Width}], got {x.Shape}.");
        }
    }

    private protected void RequireCount(ReadOnlySpan<Value> inputs, int count)
    {
        if (inputs.Length != count)
        {
            throw new ShapeException(
                $"{GetType().Name}: expected {count} {(count == 1 ? "input" : "inputs")}, masks among them, got {inputs.Length}.");
        }
    }
}
