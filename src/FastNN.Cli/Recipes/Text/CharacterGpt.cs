namespace FastNN.Cli.Recipes;

/// <summary>
/// A language model of characters: their embeddings; blocks that normalize in front of causal attention with rotary positions and
/// of two dense layers with a squared ReLU (So et al., 2021); and a head. Characters [B, T] give logits [B, T, characters].
/// </summary>
internal sealed class CharacterGpt : Layer
{
    private readonly (int Characters, int Context, int Width, int Depth, int Heads) _sizes;
    private readonly Embedding _characters;
    private readonly Block[] _blocks;
    private readonly Dense _head;

    /// <param name="characters">Of the vocabulary.</param>
    /// <param name="context">The most positions.</param>
    /// <param name="width">Of the rows between the blocks.</param>
    /// <param name="depth">The number of blocks.</param>
    /// <param name="heads">Of attention; divides the width.</param>
    public CharacterGpt(int characters, int context, int width, int depth, int heads)
    {
        _sizes = (characters, context, width, depth, heads);
        var table = new Embedding(characters, width) { WeightInitializer = Initializer.Normal(0, 0.5f) };
        _characters = AddLayer(table, "characters");
        _blocks = [.. Enumerable.Range(0, depth).Select(i => AddLayer(new Block(context, width, heads), $"blocks.{i}"))];
        _head = AddLayer(new Dense(characters) { WeightInitializer = Initializer.Normal(0, 0.02f) }, "head");
    }

    /// <summary>The matrices between embedding and head, which Muon is for.</summary>
    public IReadOnlyList<Parameter> Matrices => [.. _blocks.SelectMany(block => block.Parameters).Where(p => p.Shape.Rank == 2)];

    /// <summary>
    /// The same network as it is now, of the library's layers alone, so that a file of it needs nothing of this tool. The logits
    /// are the same bits.
    /// </summary>
    public FastNN.Model ToModel()
    {
        (int characters, int context, int width, int depth, int heads) = _sizes;
        Symbol tokens = FastNN.Model.Input("characters", [Dim.Named("T")], DType.Int32);
        Symbol rows = new Embedding(characters, width).Apply(tokens);
        for (int i = 0; i < depth; i++)
        {
            var attention = new MultiHeadAttention(width, heads)
            {
                UseBias = false,
                Causal = CausalMask.UpperLeft,
                RotaryPositions = context,
            };
            rows += attention.Apply(Normalized(rows));
            Symbol hidden = new Dense(4 * width, Activation.ReLU) { UseBias = false }.Apply(Normalized(rows));
            rows += new Dense(width) { UseBias = false }.Apply(hidden * hidden);
        }

        var model = new FastNN.Model(tokens, new Dense(characters).Apply(Normalized(rows)));
        model.Build(seed: 0);
        foreach ((Parameter from, Parameter to) in Parameters.Zip(model.Parameters))
        {
            var values = new float[from.Count];
            from.Read(values);
            to.Write(values);
        }

        return model;
    }

    private static Symbol Normalized(Symbol rows) => new RMSNorm { IsAffine = false }.Apply(rows);

    protected override Value Forward(Value x)
    {
        Value rows = _characters.Apply(x);
        foreach (Block block in _blocks)
        {
            rows = block.Apply(rows);
        }

        return _head.Apply(rows.RMSNorm());
    }

    private sealed class Block : Layer
    {
        private readonly int _context, _heads;
        private readonly Dense _packed, _projection, _first, _second;

        public Block(int context, int width, int heads)
        {
            (_context, _heads) = (context, heads);
            Dense Add(int units, string name, Initializer initializer) =>
                AddLayer(new Dense(units) { UseBias = false, WeightInitializer = initializer }, name);

            // What is added to the residual begins as nothing.
            var scaled = Initializer.Normal(0, 1 / MathF.Sqrt(width));
            _packed = Add(3 * width, "qkv", scaled);
            _projection = Add(width, "projection", Initializer.Zeros);
            _first = Add(4 * width, "first", scaled);
            _second = Add(width, "second", Initializer.Zeros);
        }

        protected override Value Forward(Value x)
        {
            Value packed = _packed.Apply(x.RMSNorm());
            Shape shape = packed.Shape;
            packed = packed.Reshape([shape[0], shape[1], 3 * _heads, shape[2] / (3 * _heads)])
                .Rotary(_context, rotated: 2 * _heads).Reshape(shape);
            x += _projection.Apply(packed.PackedAttention(_heads, causal: CausalMask.UpperLeft));
            Value hidden = _first.Apply(x.RMSNorm()).ReLU();
            return x + _second.Apply(hidden * hidden);
        }
    }
}
