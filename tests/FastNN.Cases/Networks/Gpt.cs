namespace FastNN.Testing;

/// <summary>
/// A language model (GPT-2's form: Radford et al., 2019): tokens and learned positions, blocks that normalize in front of causal
/// attention and of two dense layers with GELU, and a head. Tokens [N, T] give logits [N, T, vocabulary].
/// </summary>
internal sealed class Gpt : Layer
{
    private readonly Embedding _tokens;
    private readonly LearnedPositions _positions;
    private readonly Block[] _blocks;
    private readonly LayerNorm _norm;
    private readonly Dense _head;

    /// <param name="vocabulary">Default 65, Shakespeare's characters.</param>
    /// <param name="context">The most positions.</param>
    public Gpt(int vocabulary = 65, int width = 256, int layers = 4, int heads = 4, int context = 128)
    {
        var small = Initializer.Normal(0, 0.02f);
        _tokens = AddLayer(new Embedding(vocabulary, width) { WeightInitializer = small }, "tok_emb");
        _positions = AddLayer(new LearnedPositions(context), "pos_emb");
        _blocks = [.. Enumerable.Range(0, layers).Select(i => AddLayer(new Block(width, heads), $"blocks.{i}"))];
        _norm = AddLayer(new LayerNorm(), "lnf");
        _head = AddLayer(new Dense(vocabulary) { UseBias = false, WeightInitializer = small }, "head");
    }

    protected override Value Forward(Value x)
    {
        Value h = _positions.Apply(_tokens.Apply(x));
        foreach (Block block in _blocks)
        {
            h = block.Apply(h);
        }

        return _head.Apply(_norm.Apply(h));
    }

    private sealed class Block : Layer
    {
        private readonly int _heads;
        private readonly LayerNorm _norm1, _norm2;
        private readonly Dense _packed, _projection, _first, _second;

        public Block(int width, int heads)
        {
            _heads = heads;
            _norm1 = AddLayer(new LayerNorm(), "ln1");
            _packed = AddLayer(new Dense(3 * width) { UseBias = false }, "qkv");
            _projection = AddLayer(new Dense(width), "proj");
            _norm2 = AddLayer(new LayerNorm(), "ln2");
            _first = AddLayer(new Dense(4 * width, Activation.Gelu), "fc1");
            _second = AddLayer(new Dense(width), "fc2");
        }

        protected override Value Forward(Value x)
        {
            Value attended = _packed.Apply(_norm1.Apply(x)).PackedAttention(_heads, causal: CausalMask.UpperLeft);
            x += _projection.Apply(attended);
            return x + _second.Apply(_first.Apply(_norm2.Apply(x)));
        }
    }
}
