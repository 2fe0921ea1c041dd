using FastNN.Data;

namespace FastNN.Users.Tests;

/// <summary>Generation with keys and values that are kept, against the model for whole sequences.</summary>
internal sealed class DecoderTests(string kind) : UserFixture(kind)
{
    private const int Vocabulary = 11, Context = 20, Width = 12;

    private static readonly int Time = Dim.Named("time");

    public enum Form
    {
        Rotary,
        Grouped,
        Learned,
        Sinusoidal,
    }

    [Test]
    public void Logits_are_those_of_the_whole_sequence([Values] Form form, [Values(1, 2, 3)] int batch)
    {
        Model model = Build(form);
        int[] tokens = Tokens(batch * Context);
        float[] expected = Whole(model, tokens, batch);
        using Decoder decoder = model.CreateDecoder(Device, Context, batch);
        Assert.That((decoder.Vocabulary, decoder.Context, decoder.Batch), Is.EqualTo((Vocabulary, Context, batch)));
        foreach (int[] pieces in new[] { Enumerable.Repeat(1, Context).ToArray(), [3, 1, 7, 1, 1, 5, 2], [Context], [19, 1] })
        {
            decoder.Rewind();
            foreach (int piece in pieces)
            {
                int first = decoder.Length;
                decoder.Append(Part(tokens, batch, first, piece));
                Assert.That(decoder.Length, Is.EqualTo(first + piece));
                for (int row = 0; row < batch; row++)
                {
                    int at = (row * Context) + decoder.Length - 1;
                    Assert.That(
                        decoder.Logits.Slice(row * Vocabulary, Vocabulary).ToArray(),
                        Is.EqualTo(expected.AsSpan(at * Vocabulary, Vocabulary).ToArray()).Within(1e-5f),
                        $"position {decoder.Length - 1} of sequence {row}, in pieces {string.Join(", ", pieces)}");
                }
            }
        }
    }

    [Test]
    public void A_long_text_is_read_in_few_pieces_and_gives_the_same_logits()
    {
        const int length = 131;
        Model model = Build(Form.Rotary, length);
        int[] tokens = Tokens(length);
        float[] expected = Whole(model, tokens, 1);
        using Decoder decoder = model.CreateDecoder(Device, length);
        decoder.Append(tokens);
        Assert.That(decoder.Logits.ToArray(), Is.EqualTo(expected[^Vocabulary..]).Within(1e-5f));
    }

    [Test]
    public void A_rewound_decoder_continues_from_there()
    {
        using Decoder decoder = Build(Form.Rotary).CreateDecoder(Device, Context);
        int[] tokens = Tokens(12);
        decoder.Append(tokens);
        float[] logits = decoder.Logits.ToArray();
        decoder.Append([1, 2, 3, 4]);
        decoder.Rewind(7);
        Assert.That(() => decoder.Logits.Length, Throws.InvalidOperationException);
        decoder.Append(tokens.AsSpan(7));
        Assert.That(decoder.Logits.ToArray(), Is.EqualTo(logits).Within(1e-6f));
    }

    [Test]
    public void A_text_longer_than_the_context_goes_on_from_its_later_half([Values(1, 2)] int batch)
    {
        const int prompt = 3, count = 40;
        Model model = Build(Form.Learned);
        using Decoder decoder = model.CreateDecoder(Device, Context, batch);
        decoder.Append(Tokens(prompt * batch));
        var sampler = new TokenSampler { Temperature = 0 };
        int[] first = new int[batch * 7], rest = new int[batch * (count - 7)], drawn = new int[batch * count];
        decoder.Generate(sampler, first);
        Assert.That(decoder.Length, Is.EqualTo(prompt + 7));
        decoder.Generate(sampler, rest);
        for (int row = 0; row < batch; row++)
        {
            first.AsSpan(row * 7, 7).CopyTo(drawn.AsSpan(row * count));
            rest.AsSpan(row * (count - 7), count - 7).CopyTo(drawn.AsSpan((row * count) + 7));
        }

        for (int row = 0; row < batch; row++)
        {
            List<int> window = [.. Tokens(prompt * batch).AsSpan(row * prompt, prompt)];
            for (int i = 0; i < count; i++)
            {
                float[] last = Whole(model, [.. window], 1)[^Vocabulary..];
                int next = Array.IndexOf(last, last.Max());
                Assert.That(drawn[(row * count) + i], Is.EqualTo(next), $"token {i} of sequence {row}");
                window = window.Count == Context ? [.. window[^(Context / 2)..], next] : [.. window, next];
            }
        }
    }

    [Test]
    public void A_token_allocates_nothing()
    {
        using Decoder decoder = Build(Form.Rotary).CreateDecoder(Device, Context);
        var sampler = new TokenSampler(3) { Temperature = 0.8f, TopK = 7, TopP = 0.9f };
        var drawn = new int[3 * Context];
        void Work()
        {
            decoder.Rewind();
            decoder.Append([1, 2, 3]);
            decoder.Generate(sampler, drawn);
        }

        // Plans are made at the first use, and a GPU captures their launches at the third.
        for (int i = 0; i < 3; i++)
        {
            Work();
        }

        DeviceMemory memory = Device.Memory;
        long before = GC.GetAllocatedBytesForCurrentThread();
        Work();
        Assert.That(GC.GetAllocatedBytesForCurrentThread() - before, Is.Zero);
        Assert.That(Device.Memory, Is.EqualTo(memory));
    }

    [Test]
    public void Trimming_leaves_what_was_read_and_disposal_leaves_nothing()
    {
        Model model = Build(Form.Learned);
        int[] tokens = Tokens(9);
        float[] expected = Whole(model, tokens, 1)[^Vocabulary..];
        Device.Trim();
        int blocks = Device.Memory.LiveBlocks;
        using (Decoder decoder = model.CreateDecoder(Device, Context))
        {
            decoder.Append(tokens.AsSpan(0, 6));
            Device.Trim();
            decoder.Append(tokens.AsSpan(6));
            Assert.That(decoder.Logits.ToArray(), Is.EqualTo(expected).Within(1e-5f));
        }

        Device.Trim();
        Assert.That(Device.Memory.LiveBlocks, Is.EqualTo(blocks));
    }

    [Test]
    public void Text_is_generated_token_by_token()
    {
        Device device = Device;
        CharacterVocabulary vocabulary = CharacterVocabulary.Of(["tick tack "]);
        Symbol tokens = Model.Input("tokens", [Time], DType.Int32);
        Symbol rows = new Stack(new Embedding(vocabulary.Count, Width), new Packed(2, 64)).Apply(tokens);
        var model = new Model(tokens, new Dense(vocabulary.Count).Apply(rows));
        model.Build(1);

        using Decoder decoder = model.CreateDecoder(device, context: 64);
        var sampler = new TokenSampler(seed: 1) { Temperature = 0.8f, TopK = 40, TopP = 0.95f };
        decoder.Append(vocabulary.Encode("tick "));
        var drawn = new int[200];
        decoder.Generate(sampler, drawn);               // or Append and Sample(decoder.Logits) one by one
        Console.WriteLine(vocabulary.Decode(drawn));
        Assert.That(drawn, Is.All.InRange(0, vocabulary.Count - 1));
        Assert.That(sampler.Draws, Is.EqualTo(200));
    }

    [Test]
    public void The_most_probable_texts_of_several_sources_are_found()
    {
        const int vocabulary = 5, end = 4;
        Device device = Device;
        Symbol tokens = Model.Input("tokens", [Time], DType.Int32), source = Model.Input("source", [3, Width]);
        var model = new Model([tokens, source], [("logits", new Translator(vocabulary).Apply(tokens, source))]);
        model.Build(1);
        var random = new Random(2);
        float[] encoded = [.. Enumerable.Range(0, 32 * 3 * Width).Select(i => random.NextSingle() - 0.5f)];
        int[] beginnings = new int[32];

        using Decoder decoder = model.CreateDecoder(device, context: 32, batch: 8 * 4);     // rows: source * beams + beam
        decoder.Write("source", encoded);                                                   // [32, ...]
        decoder.Append(beginnings);                                                         // [32, 1]
        var search = new BeamSearch(sources: 8, beams: 4, vocabulary, endToken: end, maxLength: 30) { LengthPenalty = 0.6 };
        decoder.Search(search);
        ReadOnlySpan<int> best = search.Sequence(source: 0);                                // and search.Score(0), other ranks

        // The score is that of the sequence: its log-probability by the model for whole sequences.
        int[] whole = [0, .. best];
        using Session session = model.CreateSession(device);
        using SessionRun run = session.Begin([1, whole.Length], [1, 3, Width]);
        run.Write<int>(0, whole);
        run.Write<float>(1, encoded.AsSpan(0, 3 * Width));
        run.Compute();
        var logits = new float[whole.Length * vocabulary];
        run.Read<float>(0, logits);
        double log = 0;
        for (int i = 0; i < whole.Length; i++)
        {
            float[] row = logits[(i * vocabulary)..((i + 1) * vocabulary)];
            log += row[i + 1 < whole.Length ? whole[i + 1] : end] - Math.Log(row.Sum(logit => Math.Exp(logit)));
        }

        Assert.That(search.Score(0), Is.EqualTo(log / Math.Pow((5 + whole.Length) / 6.0, 0.6)).Within(1e-4));
    }

    [Test]
    public void What_mixes_positions_is_refused()
    {
        Assert.That(
            () => Decode(x => x.Dense(x.Graph.Constant(new float[Width * 3 * Width], [Width, 3 * Width])).PackedAttention(2)),
            Throws.TypeOf<ShapeException>().With.Message.Contains("causal mask"));
        Assert.That(
            () => Decode(x => x.ScaledDotProductAttention(x, x)),
            Throws.TypeOf<ShapeException>().With.Message.Contains("causal mask"));
        Assert.That(() => Decode(x => x.CumSum(1)), Refused("CumSum"));
        Assert.That(() => Decode(x => x.Flip(1)), Refused("Flip"));
        Assert.That(() => Decode(x => x - x.Mean([1], keepDims: true)), Refused("Mean"));
        Assert.That(() => Decode(x => x.Softmax(1)), Refused("Softmax"));
        Assert.That(() => Decode(x => new Conv1D(Width, 3).Apply(x)), Throws.TypeOf<ShapeException>());
        Assert.That(() => Decode(x => new Gru(Width).Apply(x)), Throws.TypeOf<ShapeException>());
    }

    [Test]
    public void What_does_not_fit_is_refused_with_a_reason()
    {
        Model model = Build(Form.Rotary);
        Assert.That(
            () => model.CreateDecoder(Device, Context + 1),
            Throws.TypeOf<ShapeException>().With.Message.Contains($"at most the model's {Context} positions, got {Context + 1}"));
        Assert.That(() => Build(Form.Learned).CreateDecoder(Device, Context + 1), Throws.TypeOf<ShapeException>());
        Assert.That(() => Build(Form.Sinusoidal).CreateDecoder(Device, Context + 1), Throws.TypeOf<ShapeException>());
        Assert.That(() => model.CreateDecoder(Device, 0), Throws.TypeOf<ArgumentOutOfRangeException>());
        Assert.That(() => new Dense(3).CreateDecoder(Device, 4), Throws.InvalidOperationException);
        var floats = new Sequential(new Dense(3));
        floats.Build([4, 3]);
        Assert.That(() => floats.CreateDecoder(Device, 4), Throws.ArgumentException);

        using Decoder decoder = model.CreateDecoder(Device, Context, batch: 2);
        Assert.That(() => decoder.Logits.Length, Throws.InvalidOperationException);
        Assert.That(() => decoder.Append([1, 2, 3]), Throws.TypeOf<ShapeException>());
        Assert.That(() => decoder.Append([]), Throws.TypeOf<ShapeException>());
        Assert.That(() => decoder.Append(new int[(2 * Context) + 2]), Throws.TypeOf<ShapeException>());
        decoder.Append([1, 2]);
        Assert.That(() => decoder.Append([1, 2, 3, Vocabulary]), Throws.TypeOf<InvalidDatasetException>());
        Assert.That(decoder.Length, Is.EqualTo(1));
        Assert.That(() => decoder.Rewind(2), Throws.TypeOf<ArgumentOutOfRangeException>());
        Assert.That(() => decoder.Generate(new TokenSampler(), new int[3]), Throws.TypeOf<ShapeException>());
        decoder.Dispose();
        Assert.That(() => decoder.Append([1, 2]), Throws.TypeOf<ObjectDisposedException>());
    }

    private static NUnit.Framework.Constraints.ContainsConstraint Refused(string by) =>
        Throws.TypeOf<ShapeException>().With.Message.Contains($"{by} of");

    private void Decode(Func<Value, Value> middle)
    {
        Symbol tokens = Model.Input("tokens", [Time], DType.Int32);
        Symbol rows = new Embedding(Vocabulary, Width).Apply(tokens);
        var model = new Model(tokens, new Middle(middle).Apply(rows));
        model.Build(1);
        model.CreateDecoder(Device, 8).Dispose();
    }

    private static Model Build(Form form, int positions = Context)
    {
        Symbol tokens = Model.Input("tokens", [Time], DType.Int32);
        Symbol rows = new Embedding(Vocabulary, Width).Apply(tokens);
        rows = form switch
        {
            Form.Rotary => new Stack(new Packed(3, positions), new Packed(2, positions)).Apply(rows),
            Form.Grouped => new Stack(new GroupedQueries(), new GroupedQueries()).Apply(rows),
            Form.Learned => new Stack(new LearnedPositions(positions), Encoder()).Apply(rows),
            _ => new Stack(new SinusoidalPositions(positions), Encoder()).Apply(rows),
        };
        var model = new Model(tokens, new Dense(Vocabulary).Apply(rows));
        model.Build(7);
        return model;
    }

    private static TransformerEncoder Encoder() => new(
        new TransformerEncoderLayer(Width, 3, 16) { Causal = CausalMask.UpperLeft, NormFirst = true },
        new TransformerEncoderLayer(Width, 2, 16) { Causal = CausalMask.LowerRight });

    /// <summary>The logits of all positions.</summary>
    private float[] Whole(Model model, int[] tokens, int batch)
    {
        using Session session = model.CreateSession(Device);
        using SessionRun run = session.Begin([batch, tokens.Length / batch]);
        run.Write<int>(0, tokens);
        run.Compute();
        var logits = new float[tokens.Length * Vocabulary];
        run.Read<float>(0, logits);
        return logits;
    }

    private static int[] Tokens(int count) => [.. Enumerable.Range(0, count).Select(i => (i * i * 7 + (3 * i) + 2) % Vocabulary)];

    private static int[] Part(int[] tokens, int batch, int first, int count) =>
        [.. Enumerable.Range(0, batch).SelectMany(row => tokens.Skip((row * (tokens.Length / batch)) + first).Take(count))];

    private sealed class Middle(Func<Value, Value> record) : Layer
    {
        protected override Value Forward(Value x) => record(x);
    }

    private sealed class Stack : Layer
    {
        private readonly Layer[] _layers;

        public Stack(params Layer[] layers) => _layers = [.. layers.Select((layer, i) => AddLayer(layer, $"{i}"))];

        protected override Value Forward(Value x) => _layers.Aggregate(x, (value, layer) => layer.Apply(value));
    }

    /// <summary>Packed attention with rotary positions and a residual.</summary>
    /// <summary>Causal attention to the tokens, and to all of a source.</summary>
    private sealed class Translator : MultiInputLayer
    {
        private readonly Embedding _table;
        private readonly Packed _packed;
        private readonly Dense _head;

        public Translator(int vocabulary) => (_table, _packed, _head) =
            (AddLayer(new Embedding(vocabulary, Width)), AddLayer(new Packed(2, 32)), AddLayer(new Dense(vocabulary)));

        protected override IReadOnlyList<Value> Forward(ReadOnlySpan<Value> inputs)
        {
            static Value Heads(Value x) => x.Reshape([x.Shape[0], x.Shape[1], 2, Width / 2]);
            Value x = _packed.Apply(_table.Apply(inputs[0])), source = Heads(inputs[1]);
            return [_head.Apply(x + Heads(x).ScaledDotProductAttention(source, source, headsLast: true).Reshape(x.Shape))];
        }
    }

    private sealed class Packed : Layer
    {
        private readonly int _heads, _positions;
        private readonly Dense _packed, _projection;

        public Packed(int heads, int positions)
        {
            (_heads, _positions) = (heads, positions);
            (_packed, _projection) = (AddLayer(new Dense(3 * Width), "qkv"), AddLayer(new Dense(Width, Activation.Gelu), "out"));
        }

        protected override Value Forward(Value x)
        {
            Value packed = _packed.Apply(x.RMSNorm());
            Shape shape = packed.Shape;
            packed = packed.Reshape([shape[0], shape[1], 3 * _heads, Width / _heads]).Rotary(_positions, rotated: 2 * _heads)
                .Reshape(shape);
            return x + _projection.Apply(packed.PackedAttention(_heads, causal: CausalMask.UpperLeft));
        }
    }

    /// <summary>Two heads of queries for each of the keys, in PyTorch's order of axes, with interleaved rotation.</summary>
    private sealed class GroupedQueries : Layer
    {
        private const int Heads = 6, KeyHeads = 3, Head = 4;

        private readonly Dense _query, _keyValue, _projection;

        public GroupedQueries()
        {
            _query = AddLayer(new Dense(Heads * Head), "query");
            _keyValue = AddLayer(new Dense(2 * KeyHeads * Head), "keyValue");
            _projection = AddLayer(new Dense(Width), "projection");
        }

        protected override Value Forward(Value x)
        {
            Shape shape = x.Shape;
            Value Split(Value rows, int heads) => rows.Reshape([shape[0], shape[1], heads, Head]).Transpose(1, 2);
            Value[] parts = _keyValue.Apply(x).Chunk(2);
            Value query = Split(_query.Apply(x), Heads).Rotary(64, timeAxis: -2, interleaved: true, offset: 3);
            Value key = Split(parts[0], KeyHeads).Rotary(64, timeAxis: -2, interleaved: true, offset: 3);
            Value y = query.ScaledDotProductAttention(key, Split(parts[1], KeyHeads), causal: CausalMask.UpperLeft, scale: 0.7f);
            return x + _projection.Apply(y.Transpose(1, 2).Reshape([shape[0], shape[1], Heads * Head]));
        }
    }
}
