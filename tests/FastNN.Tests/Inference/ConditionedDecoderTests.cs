namespace FastNN.Tests.Inference;

/// <summary>Decoders of models that also look at a source, and whose sequences take one another's place.</summary>
internal sealed class ConditionedDecoderTests
{
    private const int Vocabulary = 5, Context = 8, Width = 8, Heads = 2, Source = 3, End = 4;

    [Test]
    public void Logits_are_those_of_the_whole_sequence_beside_its_source()
    {
        using var device = Device.Cpu(1);
        Model model = Build();
        using Session whole = model.CreateSession(device);
        using Decoder decoder = model.CreateDecoder(device, Context, batch: 2);
        for (int seed = 1; seed <= 2; seed++)
        {
            float[] sources = Numbers(2 * Source * Width, seed);
            int[] lengths = [seed, 3];
            decoder.Write("source", sources);
            decoder.Write("lengths", lengths);
            decoder.Rewind();
            decoder.Append([1, 2, 3, 0]);
            decoder.Append([2, 2]);
            Assert.That(Row(decoder, 0), Is.EqualTo(Whole(whole, [1, 2, 2], sources[..(Source * Width)], seed)).Within(1e-5f));
            Assert.That(Row(decoder, 1), Is.EqualTo(Whole(whole, [3, 0, 2], sources[(Source * Width)..], 3)).Within(1e-5f));
        }
    }

    [Test]
    public void Reordered_sequences_go_on_from_where_the_others_were()
    {
        using var device = Device.Cpu(1);
        Model model = Build();
        using Session whole = model.CreateSession(device);
        using Decoder decoder = model.CreateDecoder(device, Context, batch: 3);
        float[] source = Numbers(Source * Width, 5);
        decoder.Write("source", [.. source, .. source, .. source]);
        decoder.Write("lengths", [3, 3, 3]);
        decoder.Append([1, 2, 3, 0, 0, 1]);
        decoder.Reorder([1, 0, 1]);
        Assert.That(() => decoder.Logits.Length, Throws.InvalidOperationException);
        decoder.Append([1, 2, 3]);
        Assert.That(Row(decoder, 0), Is.EqualTo(Whole(whole, [3, 0, 1], source, 3)).Within(1e-5f));
        Assert.That(Row(decoder, 1), Is.EqualTo(Whole(whole, [1, 2, 2], source, 3)).Within(1e-5f));
        Assert.That(Row(decoder, 2), Is.EqualTo(Whole(whole, [3, 0, 3], source, 3)).Within(1e-5f));
    }

    [Test]
    public void A_search_finds_the_most_probable_sequence_of_each_source()
    {
        const int sources = 2, beams = 64, longest = 4;
        using var device = Device.Cpu(1);
        Model model = Build();
        using Session whole = model.CreateSession(device);
        using Decoder decoder = model.CreateDecoder(device, Context, sources * beams);
        float[][] given = [Numbers(Source * Width, 7), Numbers(Source * Width, 8)];
        decoder.Write("source", [.. given.SelectMany(one => Enumerable.Repeat(one, beams).SelectMany(row => row))]);
        decoder.Write("lengths", [.. Enumerable.Repeat(3, beams), .. Enumerable.Repeat(2, beams)]);
        var search = new BeamSearch(sources, beams, Vocabulary, End, longest) { LengthPenalty = 1 };
        int[] begin = new int[sources * beams];
        void Work()
        {
            decoder.Rewind();
            decoder.Append(begin);
            decoder.Search(search);
        }

        Work();
        for (int i = 0; i < sources; i++)
        {
            (int[] best, double score) = Best(whole, [0], given[i], 3 - i, 0, longest);
            Assert.That(search.Sequence(i).ToArray(), Is.EqualTo(best));
            Assert.That(search.Score(i), Is.EqualTo(score).Within(1e-4));
        }

        long before = GC.GetAllocatedBytesForCurrentThread();
        Work();
        Assert.That(GC.GetAllocatedBytesForCurrentThread() - before, Is.Zero);
    }

    [Test]
    public void What_does_not_fit_is_refused_with_a_reason()
    {
        using var device = Device.Cpu(1);
        using Decoder decoder = Build().CreateDecoder(device, Context, batch: 2);
        Assert.That(() => decoder.Append([1, 2]), Throws.InvalidOperationException.With.Message.Contains("'source'"));
        Assert.That(() => decoder.Write("memory", new float[48]), Throws.ArgumentException.With.Message.Contains("'source'"));
        Assert.That(() => decoder.Write("lengths", new float[2]), Throws.ArgumentException.With.Message.Contains("Float32"));
        Assert.That(() => decoder.Write("source", new float[3]), Throws.TypeOf<ShapeException>().With.Message.Contains("48"));
        Assert.That(() => decoder.Reorder([0]), Throws.TypeOf<ShapeException>());
        Assert.That(() => decoder.Reorder([0, 2]), Throws.TypeOf<ArgumentOutOfRangeException>());
        decoder.Write("source", new float[48]);
        decoder.Write("lengths", [1, 1]);
        decoder.Append([1, 2]);
        Assert.That(() => decoder.Search(new BeamSearch(1, 3, Vocabulary, End, 4)), Throws.ArgumentException);
        Assert.That(
            () => decoder.Search(new BeamSearch(1, 2, Vocabulary, End, Context + 1)),
            Throws.TypeOf<ShapeException>().With.Message.Contains($"at most {Context} further tokens"));
        decoder.Dispose();
        Assert.That(() => decoder.Reorder([0, 1]), Throws.TypeOf<ObjectDisposedException>());
    }

    [Test]
    public void Disposal_leaves_nothing()
    {
        using var device = Device.Cpu(1);
        int blocks = device.Memory.LiveBlocks;
        using (Decoder decoder = Build().CreateDecoder(device, Context, batch: 2))
        {
            decoder.Write("source", new float[48]);
            decoder.Write("lengths", [1, 1]);
            decoder.Append([1, 2]);
            decoder.Reorder([1, 1]);
        }

        device.Trim();
        Assert.That(device.Memory.LiveBlocks, Is.EqualTo(blocks));
    }

    private static Model Build()
    {
        Symbol tokens = Model.Input("tokens", [Dim.Named("T")], DType.Int32), source = Model.Input("source", [Source, Width]);
        Symbol lengths = Model.Input("lengths", [], DType.Int32);
        var model = new Model([tokens, source, lengths], [("logits", new Reader().Apply(tokens, source, lengths))]);
        model.Build(3);
        return model;
    }

    private static float[] Row(Decoder decoder, int row) => decoder.Logits.Slice(row * Vocabulary, Vocabulary).ToArray();

    private static float[] Whole(Session session, int[] tokens, float[] source, int length)
    {
        using SessionRun run = session.Begin([1, tokens.Length], [1, Source, Width], [1]);
        run.Write<int>(0, tokens);
        run.Write<float>(1, source);
        run.Write<int>(2, [length]);
        run.Compute();
        var logits = new float[tokens.Length * Vocabulary];
        run.Read<float>(0, logits);
        return logits[^Vocabulary..];
    }

    private static (int[] Tokens, double Score) Best(
        Session session, int[] tokens, float[] source, int length, double log, int longest)
    {
        float[] logits = Whole(session, tokens, source, length);
        double sum = Math.Log(logits.Sum(logit => Math.Exp(logit)));

        // The first token is the beginning; the end takes its place in the length.
        (int[], double) best = (tokens[1..], (log + logits[End] - sum) / ((5 + tokens.Length) / 6.0));
        for (int token = 0; token < End && tokens.Length < longest; token++)
        {
            (int[], double) other = Best(session, [.. tokens, token], source, length, log + logits[token] - sum, longest);
            best = other.Item2 > best.Item2 ? other : best;
        }

        return best;
    }

    private static float[] Numbers(int count, int seed)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, count).Select(_ => (4 * random.NextSingle()) - 2)];
    }

    /// <summary>Causal self-attention, and attention to a source of some length.</summary>
    private sealed class Reader : MultiInputLayer
    {
        private readonly Embedding _table;
        private readonly Dense _packed, _queries, _head;

        public Reader()
        {
            _table = AddLayer(new Embedding(Vocabulary, Width));
            _packed = AddLayer(new Dense(3 * Width));
            _queries = AddLayer(new Dense(Width));
            _head = AddLayer(new Dense(Vocabulary));
        }

        protected override IReadOnlyList<Value> Forward(ReadOnlySpan<Value> inputs)
        {
            static Value Split(Value x) => x.Reshape([x.Shape[0], x.Shape[1], Heads, Width / Heads]);
            Value x = _table.Apply(inputs[0]), source = Split(inputs[1]);
            Value packed = _packed.Apply(x);
            packed = packed.Reshape([x.Shape[0], x.Shape[1], 3 * Heads, Width / Heads]).Rotary(Context, rotated: 2 * Heads)
                .Reshape(packed.Shape);
            x += packed.PackedAttention(Heads, causal: CausalMask.UpperLeft);
            Value seen = Split(_queries.Apply(x)).ScaledDotProductAttention(source, source, lengths: inputs[2], headsLast: true);
            return [_head.Apply(x + seen.Reshape(x.Shape))];
        }
    }
}
