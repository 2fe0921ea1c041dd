using FastNN.Cli.Running;

namespace FastNN.Cli.Recipes;

/// <summary>A sequence of symbols and what becomes of it.</summary>
internal readonly record struct SymbolPair(int[] Source, int[] Target);

/// <summary>
/// Trains a <see cref="TransducerEncoder"/> with its decoder on pairs of sequences, and lets it write what becomes of others by
/// beam search. The last two symbols are the first and the last of every target.
/// </summary>
internal sealed class TransducerTask
{
    private const int Ignored = -100;

    private readonly TransducerSize _size;
    private readonly TransducerEncoder _encoder;
    private readonly TransducerDecoder _decoder;
    private readonly Model _reader, _writer;

    /// <param name="size">The network; of its symbols the last two are those of the beginning and the end.</param>
    /// <param name="seed">What its first weights are drawn from.</param>
    public TransducerTask(TransducerSize size, ulong seed)
    {
        _size = size;
        var table = new Embedding(size.Symbols, size.Width)
        {
            WeightInitializer = Initializer.Normal(0, 1 / MathF.Sqrt(size.Width)),
        };
        (_encoder, _decoder) = (new TransducerEncoder(size, table), new TransducerDecoder(size, table));
        Symbol source = Model.Input("source", [size.Length], DType.Int32), lengths = Model.Input("lengths", [], DType.Int32);
        Symbol seen = _encoder.Apply(source, lengths);
        _reader = new Model(
            [source, lengths],
            [.. Enumerable.Range(0, _encoder.OutputCount).Select(i => ($"seen{i}", seen[i]))]);
        Symbol[] given =
        [
            Model.Input("lengths", [], DType.Int32),
            .. Enumerable.Range(0, _encoder.OutputCount).Select(i => Model.Input($"seen{i}", [size.Length, size.Width])),
        ];
        Symbol written = Model.Input("written", [Dim.Named("T")], DType.Int32);
        _writer = new Model([written, .. given], [("logits", _decoder.Apply([written, .. given]))]);
        _reader.Build(seed);
        _writer.Build(seed + 1);
        Parameters = [.. _reader.Parameters.Union(_writer.Parameters)];
    }

    public IReadOnlyList<Parameter> Parameters { get; }

    /// <summary>Both halves, for files of weights.</summary>
    public Layer Encoder => _reader;

    /// <inheritdoc cref="Encoder"/>
    public Layer Decoder => _writer;

    private int Begin => _size.Symbols - 2;

    private int End => _size.Symbols - 1;

    /// <summary>Trains it.</summary>
    /// <param name="run">Where to, and what it is drawn from.</param>
    /// <param name="pairs">No side longer than the network's length less 1.</param>
    /// <param name="symbols">Of each side in a batch, padding included.</param>
    /// <param name="epochs">How often each pair is seen.</param>
    /// <param name="rate">Muon's rate, which falls to nothing; the table has a tenth of it by AdamW.</param>
    /// <param name="smoothing">Of the labels.</param>
    /// <param name="held">What it is measured on at the end; null for nothing.</param>
    /// <returns>The loss on these, in bits per symbol, the end among them; NaN where there are none.</returns>
    public double Train(
        ScriptRun run, IReadOnlyList<SymbolPair> pairs, int symbols, int epochs, float rate, float smoothing,
        IReadOnlyList<SymbolPair>? held = null)
    {
        LengthBatches batches = new(pairs, symbols, _size.Length);
        int steps = epochs * batches.Count;
        int warmup = Math.Max(1, steps / 20);
        Schedule Falling(float peak) => Schedule.Warmup(warmup).Then(Schedule.Linear(peak, steps - warmup));
        Parameter[] matrices = [.. Parameters.Where(parameter => parameter.Shape[0] != _size.Symbols)];
        using var weights = new DeviceWeights(run.Device, _reader, _writer);
        using var step = new TrainingStep(
            weights, s => Record(s, smoothing),
            [
                (new Muon(rate, weightDecay: 0) { Schedule = Falling(rate) }, matrices),
                (
                    new AdamW(rate / 10, beta2: 0.98f, weightDecay: 0) { Schedule = Falling(rate / 10) },
                    [.. Parameters.Except(matrices)]),
            ],
            run.Seed);
        var random = new Random((int)run.Seed);
        using ScriptPhase phase = run.Begin("training", steps);
        for (int epoch = 0; epoch < epochs; epoch++)
        {
            foreach ((int length, int[] members) in batches.Shuffle(random))
            {
                phase.Step(Write(step, [.. members.Select(i => pairs[i])], length).Run());
            }
        }

        run.Figure("symbols per second in training", (double)epochs * pairs.Sum(pair => pair.Target.Length + 1) / phase.Seconds);
        double nats = 0, all = 0;
        foreach (SymbolPair[] some in (held ?? []).Chunk(Math.Max(1, symbols / _size.Length)))
        {
            int count = some.Sum(pair => pair.Target.Length + 1);
            nats += (double)count * Write(step, some, _size.Length).Forward();
            all += count;
        }

        return nats / all / Math.Log(2);
    }

    /// <summary>What becomes of sequences: the best that a beam search finds.</summary>
    /// <param name="run">Where to compute.</param>
    /// <param name="sources">No longer than the network's length less 1.</param>
    /// <param name="beams">Of the search; 1 takes the most probable symbol each time.</param>
    /// <param name="penalty">Of lengths.</param>
    public int[][] Transduce(ScriptRun run, IReadOnlyList<int[]> sources, int beams, double penalty = 0.6)
    {
        const int together = 32;
        int length = _size.Length, row = length * _size.Width;
        using Session reader = _reader.CreateSession(run.Device);
        using Decoder writer = _writer.CreateDecoder(run.Device, length, together * beams);
        var search = new BeamSearch(together, beams, _size.Symbols, End, length) { LengthPenalty = penalty };
        int[] order = [.. Enumerable.Range(0, sources.Count).OrderBy(i => sources[i].Length)];
        int[] source = new int[together * length], lengths = new int[together], begin = new int[together * beams];
        float[] seen = new float[together * row], repeated = new float[together * beams * row];
        Array.Fill(begin, Begin);
        var results = new int[sources.Count][];
        using ScriptPhase phase = run.Begin($"search with {beams} beams", order.Length);
        foreach (int[] chunk in order.Chunk(together))
        {
            Array.Clear(source);
            for (int i = 0; i < together; i++)
            {
                // The last chunk is filled up.
                int[] one = sources[chunk[Math.Min(i, chunk.Length - 1)]];
                one.CopyTo(source, i * length);
                lengths[i] = one.Length;
            }

            using (SessionRun reading = reader.Begin([together, length], [together]))
            {
                reading.Write<int>(0, source);
                reading.Write<int>(1, lengths);
                reading.Compute();
                for (int output = 0; output < _encoder.OutputCount; output++)
                {
                    reading.Read<float>(output, seen);
                    Repeat(seen, repeated, row, beams);
                    writer.Write($"seen{output}", repeated);
                }
            }

            writer.Write("lengths", [.. lengths.SelectMany(one => Enumerable.Repeat(one, beams))]);
            writer.Rewind();
            writer.Append(begin);
            writer.Search(search);
            for (int i = 0; i < chunk.Length; i++)
            {
                results[chunk[i]] = search.Sequence(i).ToArray();
                phase.Step();
            }
        }

        return results;
    }

    private void Record(StepBuilder step, float smoothing)
    {
        Shape shape = [Dim.Batch, Dim.Named("S")];
        Value source = step.Input("source", shape, DType.Int32), lengths = step.Input("lengths", [Dim.Batch], DType.Int32);
        Value written = step.Input("written", shape, DType.Int32), next = step.Input("next", shape, DType.Int32);
        Value logits = _decoder.Apply([written, lengths, .. _encoder.Apply([source, lengths])])[0];
        var loss = new CrossEntropyLoss { ClassIndices = true, LabelSmoothing = smoothing, IgnoreIndex = Ignored };
        step.Loss("loss", loss.Apply(logits, next));
    }

    private TrainingStep Write(TrainingStep step, SymbolPair[] pairs, int length)
    {
        int[] source = new int[pairs.Length * length], written = new int[source.Length], next = new int[source.Length];
        Array.Fill(next, Ignored);
        for (int i = 0; i < pairs.Length; i++)
        {
            (int[] from, int[] to) = (pairs[i].Source, pairs[i].Target);
            from.CopyTo(source, i * length);
            written[i * length] = Begin;
            to.CopyTo(written, (i * length) + 1);
            to.CopyTo(next, i * length);
            next[(i * length) + to.Length] = End;
        }

        Shape shape = [pairs.Length, length];
        step.Begin(shape, [pairs.Length], shape, shape);
        step.Write("source", source);
        step.Write("lengths", [.. pairs.Select(pair => pair.Source.Length)]);
        step.Write("written", written);
        step.Write("next", next);
        return step;
    }

    private static void Repeat(float[] rows, float[] repeated, int row, int times)
    {
        for (int i = 0; i < repeated.Length / row; i++)
        {
            rows.AsSpan(i / times * row, row).CopyTo(repeated.AsSpan(i * row));
        }
    }

    /// <summary>
    /// Batches of pairs of similar length, so that little is padding. There are few lengths, and all batches of one are of one
    /// size; what is left over sits out the epoch.
    /// </summary>
    private sealed class LengthBatches
    {
        private readonly List<(int Length, int Size, int[] Members)> _groups = [];

        public LengthBatches(IReadOnlyList<SymbolPair> pairs, int symbols, int longest)
        {
            int step = Math.Max(1, (longest + 7) / 8);
            foreach (IGrouping<int, int> group in Enumerable.Range(0, pairs.Count)
                .GroupBy(i => Math.Min(
                    longest, (Math.Max(pairs[i].Source.Length, pairs[i].Target.Length + 1) + step - 1) / step * step))
                .OrderByDescending(group => group.Key))
            {
                int[] members = [.. group];
                _groups.Add((group.Key, Math.Min(members.Length, Math.Max(1, symbols / group.Key)), members));
            }

            Count = _groups.Sum(group => group.Members.Length / group.Size);
        }

        public int Count { get; }

        public (int Length, int[] Members)[] Shuffle(Random random)
        {
            List<(int Length, int[] Members)> batches = [];
            foreach ((int length, int size, int[] members) in _groups)
            {
                random.Shuffle(members);
                batches.AddRange(members.Chunk(size).Where(chunk => chunk.Length == size).Select(chunk => (length, chunk)));
            }

            (int Length, int[] Members)[] all = [.. batches];
            random.Shuffle(all);
            return all;
        }
    }
}
