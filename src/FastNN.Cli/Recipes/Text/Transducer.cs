namespace FastNN.Cli.Recipes;

/// <summary>
/// An encoder and a decoder of attention (Vaswani et al., 2017) that make one sequence of symbols of another: normalization in
/// front, rotary positions, also between decoder and encoder, and dense layers with a squared ReLU (So et al., 2021). Both sides
/// and the output share one table of symbols (Press and Wolf, 2017), so that what is copied has the same vector everywhere.
/// </summary>
/// <param name="Symbols">Of both sides.</param>
/// <param name="Length">The most symbols of a side.</param>
/// <param name="Width">Of the rows between blocks.</param>
/// <param name="Heads">Of attention; divide the width.</param>
/// <param name="Encoders">Blocks of the encoder.</param>
/// <param name="Decoders">Blocks of the decoder.</param>
/// <param name="Dropout">Of each residual part.</param>
internal sealed record TransducerSize(
    int Symbols, int Length, int Width, int Heads, int Encoders, int Decoders, float Dropout = 0);

/// <summary>
/// Symbols [B, S] and how many of them count, [B], give keys and values for each block of the decoder, [B, S, width]: computed
/// once, whatever the decoder writes.
/// </summary>
internal sealed class TransducerEncoder : MultiInputLayer
{
    private readonly TransducerSize _size;
    private readonly Embedding _table;
    private readonly EncoderBlock[] _blocks;
    private readonly Dense[] _keys;
    private readonly Dense[] _values;

    public TransducerEncoder(TransducerSize size, Embedding table)
    {
        _size = size;
        _table = AddLayer(table, "symbols");
        _blocks = [.. Enumerable.Range(0, size.Encoders).Select(i => AddLayer(new EncoderBlock(size), $"blocks.{i}"))];
        Dense Projection(string name) => AddLayer(TransducerBlock.Project(size.Width, size.Width), name);
        _keys = [.. Enumerable.Range(0, size.Decoders).Select(i => Projection($"keys.{i}"))];
        _values = [.. Enumerable.Range(0, size.Decoders).Select(i => Projection($"values.{i}"))];
    }

    public override int OutputCount => 2 * _size.Decoders;

    protected override IReadOnlyList<Value> Forward(ReadOnlySpan<Value> inputs)
    {
        Value x = _table.Apply(inputs[0]) * MathF.Sqrt(_size.Width);
        foreach (EncoderBlock block in _blocks)
        {
            x = block.Apply([x, inputs[1]])[0];
        }

        x = x.RMSNorm();
        return
        [
            .. _keys.SelectMany((keys, i) => new[]
            {
                keys.Apply(x).Split(_size.Heads).Rotary(_size.Length).Join(), _values[i].Apply(x),
            }),
        ];
    }
}

/// <summary>
/// The decoder: symbols so far, [B, T], how many symbols of the source count, [B], and the encoder's outputs give logits of the
/// symbols to come, [B, T, symbols].
/// </summary>
internal sealed class TransducerDecoder : MultiInputLayer
{
    private readonly TransducerSize _size;
    private readonly Embedding _table;
    private readonly DecoderBlock[] _blocks;

    public TransducerDecoder(TransducerSize size, Embedding table)
    {
        _size = size;
        _table = AddLayer(table, "symbols");
        _blocks = [.. Enumerable.Range(0, size.Decoders).Select(i => AddLayer(new DecoderBlock(size), $"blocks.{i}"))];
    }

    protected override IReadOnlyList<Value> Forward(ReadOnlySpan<Value> inputs)
    {
        Value x = _table.Apply(inputs[0]) * MathF.Sqrt(_size.Width);
        for (int i = 0; i < _blocks.Length; i++)
        {
            x = _blocks[i].Apply([x, inputs[1], inputs[2 + (2 * i)], inputs[3 + (2 * i)]])[0];
        }

        return [x.RMSNorm().MatMul(x.Graph.Use(_table.Weight!), transposeB: true)];
    }
}

/// <summary>What blocks of encoder and decoder have in common: self-attention, and two dense layers.</summary>
internal abstract class TransducerBlock : MultiInputLayer
{
    private readonly Dense _packed, _projection, _first, _second;

    protected TransducerBlock(TransducerSize size)
    {
        Size = size;
        _packed = AddLayer(Project(3 * size.Width, size.Width), "qkv");
        _projection = AddLayer(Residual(size.Width), "projection");
        _first = AddLayer(Project(4 * size.Width, size.Width), "first");
        _second = AddLayer(Residual(size.Width), "second");
    }

    protected TransducerSize Size { get; }

    public static Dense Project(int units, int width) =>
        new(units) { UseBias = false, WeightInitializer = Initializer.Normal(0, 1 / MathF.Sqrt(width)) };

    /// <summary>What is added to the residual begins as nothing.</summary>
    protected static Dense Residual(int width) => new(width) { UseBias = false, WeightInitializer = Initializer.Zeros };

    protected Value See(Value x, CausalMask causal, Value? lengths)
    {
        Value packed = _packed.Apply(x.RMSNorm());
        packed = packed.Split(3 * Size.Heads).Rotary(Size.Length, rotated: 2 * Size.Heads).Join();
        return _projection.Apply(packed.PackedAttention(Size.Heads, causal: causal, lengths: lengths)).Dropout(Size.Dropout);
    }

    protected Value Think(Value x)
    {
        Value hidden = _first.Apply(x.RMSNorm()).ReLU();
        return _second.Apply(hidden * hidden).Dropout(Size.Dropout);
    }
}

/// <summary>Rows [B, S, width] that see one another, as far as they count, [B].</summary>
internal sealed class EncoderBlock(TransducerSize size) : TransducerBlock(size)
{
    protected override IReadOnlyList<Value> Forward(ReadOnlySpan<Value> inputs)
    {
        Value x = inputs[0] + See(inputs[0], CausalMask.None, inputs[1]);
        return [x + Think(x)];
    }
}

/// <summary>
/// Rows [B, T, width] that see those before them, and keys and values of the source, as far as they count, [B].
/// </summary>
internal sealed class DecoderBlock : TransducerBlock
{
    private readonly Dense _queries, _seen;

    public DecoderBlock(TransducerSize size)
        : base(size)
    {
        _queries = AddLayer(Project(size.Width, size.Width), "queries");
        _seen = AddLayer(Residual(size.Width), "seen");
    }

    protected override IReadOnlyList<Value> Forward(ReadOnlySpan<Value> inputs)
    {
        Value x = inputs[0] + See(inputs[0], CausalMask.UpperLeft, null);
        Value queries = _queries.Apply(x.RMSNorm()).Split(Size.Heads).Rotary(Size.Length);
        Value seen = queries.ScaledDotProductAttention(
            inputs[2].Split(Size.Heads), inputs[3].Split(Size.Heads), lengths: inputs[1], headsLast: true);
        x += _seen.Apply(seen.Join()).Dropout(Size.Dropout);
        return [x + Think(x)];
    }
}

/// <summary>Heads of attention as an axis of their own.</summary>
internal static class Heads
{
    /// <summary>[B, T, width] as [B, T, heads, width / heads].</summary>
    public static Value Split(this Value x, int heads) =>
        x.Reshape([x.Shape[0], x.Shape[1], heads, x.Shape[2] / heads]);

    /// <summary>[B, T, heads, width] as [B, T, heads * width].</summary>
    public static Value Join(this Value x) => x.Reshape([x.Shape[0], x.Shape[1], x.Shape[2] * x.Shape[3]]);
}
